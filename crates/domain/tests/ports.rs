//! What requests and queries can be used for: as keys of a cache, and across a wire.

use std::fmt::Debug;
use std::hash::Hash;

use chatkeep_domain::{
    Append, ChatMessage, ChatThread, Content, ConversationRepository, Decorator, MessageEdit, MessageFilter,
    MessageId, MessageQuery, MessageRevision, MetadataFilter, NewMessage, NewThread, OrgId, Page, Position,
    Role, Scope, SearchOrder, SearchQuery, ThreadAppend, ThreadId, ThreadQuery, ThreadUpdate, TimeRange,
    Timestamp, UserId, metadata_from_json,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// A value that compares, hashes, and comes back equal from JSON.
fn assert_comes_back<T: Eq + Hash + Debug + Serialize + DeserializeOwned>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
}

fn thread() -> ThreadId {
    Uuid::from_u128(1).into()
}

fn message() -> MessageId {
    Uuid::from_u128(2).into()
}

fn scope() -> Scope {
    Scope::user(OrgId::new("acme").unwrap(), UserId::new("ada").unwrap())
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(micros).unwrap()
}

fn append() -> Append {
    let content =
        Content::from_json(r#"{"type": "n", "n": [1.0, -0.0, 18446744073709551615, null]}"#).unwrap();
    let new = NewMessage::new(message(), Role::Developer, content, at(1));
    Append::new([new.with_sender(UserId::new("ada").unwrap())]).expect_head(Position::ZERO)
}

#[test]
fn every_request_comes_back_from_json() {
    let metadata = metadata_from_json(r#"{"tier": {"gold": 1.5}}"#).unwrap();
    let (org, user) = (OrgId::new("acme").unwrap(), UserId::new("ada").unwrap());
    let new = NewThread::new(thread(), org, user, "name", at(1)).with_metadata(metadata.clone());
    assert_comes_back(&new);
    assert_comes_back(&new.into_thread());
    assert_comes_back(&ThreadUpdate::new(at(2)));
    assert_comes_back(&ThreadUpdate::new(at(2)).name("other").metadata(metadata));
    assert_comes_back(&append());
    assert_comes_back(&ThreadAppend::new(scope(), thread(), append()));
    assert_comes_back(&MessageEdit::new("other", at(3)));
    assert_comes_back(&MessageRevision::new(1, "first".into(), at(1)));
    let stored = append().messages.remove(0).into_message(thread(), Position::ZERO);
    assert_comes_back(&stored);
    assert_comes_back(&Page::new(vec![stored], None));
}

#[test]
fn every_query_comes_back_from_json() {
    let filter = MessageFilter::new()
        .role(Role::User)
        .role(Role::Tool)
        .sender_id(UserId::new("ada").unwrap())
        .created(at(1), None)
        .metadata(MetadataFilter::new("/tier", 1.5).unwrap());
    assert_comes_back(&filter);
    assert_comes_back(&TimeRange::new(None, at(5)));
    let messages = MessageQuery::newest(7).after(Position::ZERO).filter(filter.clone()).offset(3);
    let cursor = messages.cursor_behind(thread(), Position::ZERO);
    assert_comes_back(&messages.behind(cursor.clone()));
    assert_comes_back(&ThreadQuery::first(7).name_contains("x").updated(at(1), at(2)).behind(cursor.clone()));
    let search = SearchQuery::new("x -y").thread(thread()).filter(filter).order(SearchOrder::Relevance);
    assert_comes_back(&search.behind(cursor));
}

#[test]
fn a_query_of_an_older_program_has_the_defaults_of_what_it_does_not_name() {
    assert_eq!(serde_json::from_str::<MessageQuery>("{}").unwrap(), MessageQuery::default());
    assert_eq!(serde_json::from_str::<ThreadQuery>("{}").unwrap(), ThreadQuery::default());
    assert_eq!(serde_json::from_str::<SearchQuery>("{}").unwrap(), SearchQuery::default());
    assert_eq!(serde_json::from_str::<MessageFilter>("{}").unwrap(), MessageFilter::default());
}

/// What the compiler has to grant: a store is used behind a pointer, and a decorator is a store.
#[expect(dead_code, reason = "it is compiled, not run")]
fn ports_are_object_safe_and_decorators_are_stores<D: Decorator>(
    decorator: &D,
) -> (&dyn ConversationRepository, fn(ChatThread, ChatMessage)) {
    (decorator, |_, _| ())
}
