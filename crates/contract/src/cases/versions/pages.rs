//! Pages that know their version, and those that are asked for unless nothing changed.

use chatkeep_domain::{
    Append, MessageFilter, MessageQuery, Position, Role, StoreError, ThreadQuery, ThreadUpdate, Version,
};
use serde_json::json;

use crate::fixture::search::{tagged, tagged_messages};
use crate::fixture::{Fixture, Talk, at, numbered, texts, thread_id};

/// Queries that take different ways to the messages.
fn queries() -> Vec<MessageQuery> {
    let of_users = MessageFilter::new().role(Role::User);
    vec![
        MessageQuery::newest(50),
        MessageQuery::first(2),
        MessageQuery::first(0),
        MessageQuery::newest(2).filter(of_users),
        MessageQuery::newest(2).filter(MessageFilter::new().role(Role::System)),
        MessageQuery::first(3).offset(1),
        MessageQuery::first(3).after(Position::new(1_000).expect("a position")),
    ]
}

/// A page of messages has the version that the thread has, also where it is empty.
pub(crate) async fn a_page_has_the_version_of_its_thread(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    for count in [0, 3, 1] {
        talk.append(Append::new(numbered(count))).await.unwrap();
        let version = talk.thread().await.version;
        for query in queries() {
            assert_eq!(talk.page(&query).await.unwrap().version, Some(version), "{query:?}");
        }
    }
    let first = talk.page(&MessageQuery::first(2)).await.unwrap();
    let behind = MessageQuery::first(2).behind(first.next.expect("there is more"));
    let version = talk.thread().await.version;
    assert_eq!(talk.page(&behind).await.unwrap().version, Some(version), "of a page behind another");
}

/// So has a page that filters by metadata, also where nothing has it.
pub(crate) async fn a_page_of_found_metadata_has_the_version_of_its_thread(fixture: Fixture) {
    let talk = tagged_messages(&fixture.repo, &[json!({"a": 1}), json!({"a": 2}), json!({"a": 1})]).await;
    for (value, expected) in [(1, vec!["2", "0"]), (2, vec!["1"]), (3, vec![])] {
        let query = MessageQuery::newest(5).filter(MessageFilter::new().metadata(tagged("/a", value)));
        let page = talk.page(&query).await.unwrap();
        assert_eq!((texts(&page.items), page.version), (expected, Some(talk.thread().await.version)));
        assert_eq!(talk.page_unless(&query, talk.thread().await.version).await.unwrap(), None);
        talk.say(numbered(1)).await;
        let page = talk.page_unless(&query, page.version.expect("a version")).await.unwrap();
        assert_eq!(page.expect("it changed").version, Some(talk.thread().await.version));
    }
    let absent = Talk::of(&talk.tenant, thread_id());
    let query = MessageQuery::newest(5).filter(MessageFilter::new().metadata(tagged("/a", 1)));
    assert_refused!(absent.page(&query).await, StoreError::NotFound { .. });
}

/// A list of threads is of many versions, and has none of its own.
pub(crate) async fn a_list_of_threads_has_no_version(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let page = talk.tenant.list(&ThreadQuery::default()).await.unwrap();
    assert_eq!((page.items[0].version, page.version), (talk.thread().await.version, None));
}

/// A page is not given to whoever has the version of the thread.
pub(crate) async fn an_unchanged_page_is_not_given_again(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    for count in [0, 4] {
        let version = talk.append(Append::new(numbered(count))).await.unwrap().version;
        for query in queries() {
            assert_eq!(talk.page_unless(&query, version).await.unwrap(), None, "{query:?}");
        }
    }
}

/// After each write the page is given again: also after one that leaves the head where it is.
pub(crate) async fn each_write_brings_the_page_again(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 4).await;
    let query = MessageQuery::newest(50);
    let mut seen = talk.page(&query).await.unwrap().version.expect("a version");
    for write in ["append", "edit", "delete", "rename", "clear"] {
        match write {
            "append" => drop(talk.say(numbered(1)).await),
            "edit" => drop(talk.edit(said[0].id, "edited", at(2)).await.unwrap()),
            "delete" => talk.delete_message(said[1].id, at(2)).await.unwrap(),
            "rename" => drop(talk.update(ThreadUpdate::new(at(0)).name("another")).await.unwrap()),
            _ => drop(talk.clear(at(3)).await.unwrap()),
        }
        let page = talk.page_unless(&query, seen).await.unwrap().expect("it changed");
        assert_eq!(page, talk.page(&query).await.unwrap(), "{write}");
        seen = page.version.expect("a version");
        assert_eq!(talk.page_unless(&query, seen).await.unwrap(), None, "{write}, and then nothing");
    }
}

/// Whoever has any other version, a later one too, is given the page that a list gives.
pub(crate) async fn a_page_at_another_version_is_the_page(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 5).await;
    let version = talk.thread().await.version;
    for other in [version.next(), Version::new(0).expect("a version"), Version::new(i64::MAX).expect("one")] {
        for query in queries() {
            let page = talk.page_unless(&query, other).await.unwrap();
            assert_eq!(page, Some(talk.page(&query).await.unwrap()), "{query:?}");
        }
    }
}

/// A thread that is not there, or is another user's, is not found, whatever version is known.
pub(crate) async fn an_unchanged_page_of_an_absent_thread_is_not_found(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let version = talk.thread().await.version;
    let others = [Talk::of(&talk.tenant, thread_id()), Talk::of(&talk.tenant.colleague(), talk.id)];
    for other in others {
        for query in queries() {
            for known in [version, version.next()] {
                assert_refused!(other.page_unless(&query, known).await, StoreError::NotFound { .. });
            }
        }
    }
}

/// What a list refuses is refused, also where nothing changed.
pub(crate) async fn an_unchanged_page_refuses_what_a_list_refuses(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let version = talk.thread().await.version;
    for query in [MessageQuery::first(1_001), MessageQuery::first(5).behind("damaged".into())] {
        assert_refused!(talk.page_unless(&query, version).await, StoreError::InvalidArgument(_));
    }
}

/// A write through another handle brings the page again.
pub(crate) async fn a_write_through_another_handle_brings_the_page_again(fixture: Fixture) {
    let (here, said) = Talk::with(&fixture.tenant(), 2).await;
    let there = here.through(&fixture.other);
    let query = MessageQuery::newest(10);
    let seen = here.page(&query).await.unwrap().version.expect("a version");
    assert_eq!(there.page_unless(&query, seen).await.unwrap(), None);
    there.edit(said[0].id, "edited", at(2)).await.unwrap();
    let page = here.page_unless(&query, seen).await.unwrap().expect("it changed");
    assert_eq!(texts(&page.items), ["1", "edited"]);
}
