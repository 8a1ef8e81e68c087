//! Rows that cannot be decoded: named, reported in their place, and never at the cost of their neighbours.

use std::error::Error as _;

use chatkeep_domain::{
    Append, ChatMessage, Content, ConversationRepositoryExt as _, Cursor, Entity, MessageFilter,
    MessageQuery, Order, Page, SearchOrder, SearchQuery, StoreError, ThreadQuery,
};
use serde_json::json;

use crate::damage::Row;
use crate::fixture::search::tagged;
use crate::fixture::{Fixture, Talk, Tenant, at, message, numbered};

/// No JSON. An error must not show any of it.
const NO_JSON: &str = r#"{"type": "text", "text": secret"#;

/// The least integer that 64 bits do not hold. Read as a float it would be another number without a word.
const WIDE: &str = "18446744073709551616";

impl Fixture {
    async fn damage_message(&self, message: &ChatMessage, tenant: &Tenant, json: &str) {
        let row = Row::Message(tenant.org.clone(), message.chat_thread_id, message.id);
        self.overwrite(&row, json).await;
    }

    /// A thread of numbered messages, each with `{"even": …}` as metadata, of which those at these positions are damaged.
    async fn damaged(&self, count: usize, bad: &[usize]) -> (Talk, Vec<ChatMessage>) {
        let talk = self.tenant().talk().await;
        let mut messages = numbered(count);
        for (number, message) in (1..).zip(&mut messages) {
            let metadata = json!({"even": number % 2 == 0}).as_object().cloned();
            message.content =
                Content::text(format!("number {number}")).with_metadata(metadata.expect("an object"));
        }
        let stored = talk.say(messages).await;
        for number in bad {
            self.damage_message(&stored[number - 1], &talk.tenant, NO_JSON).await;
        }
        (talk, stored)
    }
}

/// What a page gave: the numbers of its items; or the place of the corrupt row that it would begin with.
#[derive(Debug, PartialEq)]
enum Gave {
    Page(Vec<i64>),
    Corrupt,
}

use Gave::{Corrupt, Page as Items};

/// Asks for page after page, behind corrupt rows too.
async fn pages<T>(
    mut ask: impl AsyncFnMut(Option<Cursor>) -> Result<Page<T>, StoreError>,
    number: impl Fn(&T) -> i64,
) -> Vec<Gave> {
    let (mut gave, mut cursor) = (Vec::new(), None);
    // More than any case here has.
    while gave.len() < 20 {
        let next = match ask(cursor.take()).await {
            Ok(page) => {
                gave.push(Items(page.items.iter().map(&number).collect()));
                page.next
            }
            Err(StoreError::CorruptRow { behind, .. }) => {
                gave.push(Corrupt);
                behind
            }
            Err(other) => panic!("expected a page or a corrupt row, got {other:?}"),
        };
        match next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    gave
}

async fn message_pages(talk: &Talk, query: &MessageQuery) -> Vec<Gave> {
    let ask = async |cursor: Option<Cursor>| {
        let query = cursor.map_or_else(|| query.clone(), |cursor| query.clone().behind(cursor));
        talk.page(&query).await
    };
    pages(ask, |message| message.position.get()).await
}

async fn hit_pages(tenant: &Tenant, query: &SearchQuery) -> Vec<Gave> {
    let ask = async |cursor: Option<Cursor>| {
        let query = cursor.map_or_else(|| query.clone(), |cursor| query.clone().behind(cursor));
        let page = tenant.search(&query).await?;
        Ok(Page::new(page.items, page.next))
    };
    pages(ask, |hit| hit.message.position.get()).await
}

/// Three threads, named by their numbers, the first the newest; the second cannot be decoded.
async fn three_threads(fixture: &Fixture) -> Tenant {
    let ada = fixture.tenant();
    for number in 1..=3 {
        let new = with!(ada.new_thread(), name: number.to_string(), created_at: at(-number));
        let id = ada.create(new).await.expect("a thread is created").id;
        if number == 2 {
            fixture.overwrite(&Row::Thread(ada.org.clone(), id), NO_JSON).await;
        }
    }
    ada
}

async fn thread_pages(tenant: &Tenant, query: &ThreadQuery) -> Vec<Gave> {
    let ask = async |cursor: Option<Cursor>| {
        let query = cursor.map_or_else(|| query.clone(), |cursor| query.clone().behind(cursor));
        tenant.list(&query).await
    };
    pages(ask, |thread| thread.name.parse().expect("a number")).await
}

/// A corrupt row is named by its id, and the error shows nothing of what is in it.
pub(crate) async fn a_corrupt_row_is_named_and_not_shown(fixture: Fixture) {
    let (talk, stored) = fixture.damaged(3, &[2]).await;
    let bad = stored[1].id;
    let thread = fixture.tenant().talk().await;
    let row = Row::Thread(thread.tenant.org.clone(), thread.id);
    fixture.overwrite(&row, NO_JSON).await;
    let listed = talk.page(&MessageQuery::first(9).after(stored[0].position)).await.map(|_| ());
    let read = fixture.repo.get_thread(&thread.tenant.scope, thread.id).await.map(|_| ());
    for (result, entity, id) in [
        (talk.get(bad).await.map(|_| ()), Entity::Message, bad.to_string()),
        (listed, Entity::Message, bad.to_string()),
        (read, Entity::Thread, thread.id.to_string()),
    ] {
        let error = result.expect_err("the row cannot be decoded");
        assert!(
            matches!(&error, StoreError::CorruptRow { entity: named, id: by, .. } if (*named, by) == (entity, &id)),
            "{error:?}"
        );
        let mut shown = vec![format!("{error} {error:?}")];
        let mut source = error.source();
        while let Some(error) = source {
            shown.push(format!("{error} {error:?}"));
            source = error.source();
        }
        assert!(!shown.concat().contains("secret"), "{shown:?}");
    }
}

/// A page of messages ends ahead of a corrupt row; a page that would begin with it is its error, with the cursor behind it.
pub(crate) async fn a_page_ends_ahead_of_a_corrupt_message(fixture: Fixture) {
    let (talk, _) = fixture.damaged(6, &[3]).await;
    let query = MessageQuery::first(4);
    assert_eq!(message_pages(&talk, &query).await, [Items(vec![1, 2]), Corrupt, Items(vec![4, 5, 6])]);
    let query = query.order(Order::NewestFirst);
    assert_eq!(message_pages(&talk, &query).await, [Items(vec![6, 5, 4]), Corrupt, Items(vec![2, 1])]);
}

/// A corrupt row behind a page, be it the very next, leaves the page as it is.
pub(crate) async fn a_corrupt_message_behind_a_page_leaves_it_alone(fixture: Fixture) {
    let (talk, stored) = fixture.damaged(5, &[3]).await;
    let last = fixture.repo.last_messages(&talk.tenant.scope, talk.id, 2).await.expect("they can be decoded");
    assert_eq!(last, stored[3..]);
    let first = talk.page(&MessageQuery::first(2)).await.expect("they can be decoded");
    assert_eq!(first.items, stored[..2]);
    assert!(first.next.is_some(), "there is more");
}

/// What cannot be decoded is not left out unnoticed: a call that reads several pages fails on it.
pub(crate) async fn a_corrupt_message_is_not_left_out(fixture: Fixture) {
    let (talk, _) = fixture.damaged(5, &[3]).await;
    let last = fixture.repo.last_messages(&talk.tenant.scope, talk.id, 3).await;
    assert_refused!(last, StoreError::CorruptRow { entity: Entity::Message, .. });
    assert_eq!(
        message_pages(&talk, &MessageQuery::first(1)).await.iter().filter(|gave| **gave == Corrupt).count(),
        1
    );
}

/// Several corrupt rows in a row, at the start and at the end: each is reported once.
pub(crate) async fn each_corrupt_message_is_reported_once(fixture: Fixture) {
    let (talk, _) = fixture.damaged(6, &[1, 3, 4, 6]).await;
    for limit in [1, 2, 6] {
        let gave = message_pages(&talk, &MessageQuery::first(limit)).await;
        let gave: Vec<_> = gave.into_iter().filter(|gave| *gave != Items(Vec::new())).collect();
        let expected = [Corrupt, Items(vec![2]), Corrupt, Corrupt, Items(vec![5]), Corrupt];
        assert_eq!(gave, expected, "{limit} a page");
    }
}

/// A filter on metadata cannot be asked of a corrupt row: it counts as a match, and as one of those that an offset leaves
/// out.
pub(crate) async fn filtered_pages_end_ahead_of_a_corrupt_message(fixture: Fixture) {
    let (talk, _) = fixture.damaged(8, &[4]).await;
    let even = MessageQuery::first(9).filter(MessageFilter::new().metadata(tagged("/even", true)));
    assert_eq!(message_pages(&talk, &even).await, [Items(vec![2]), Corrupt, Items(vec![6, 8])]);
    let even = MessageQuery::first(1).filter(MessageFilter::new().metadata(tagged("/even", true)));
    assert_eq!(message_pages(&talk, &even.offset(2)).await, [Items(vec![6]), Items(vec![8])]);
}

/// A page of threads ends ahead of a corrupt row; the newest thread is listed whatever is behind it.
pub(crate) async fn a_page_ends_ahead_of_a_corrupt_thread(fixture: Fixture) {
    let ada = three_threads(&fixture).await;
    for limit in [1, 2, 9] {
        let gave = thread_pages(&ada, &ThreadQuery::first(limit)).await;
        assert_eq!(gave, [Items(vec![1]), Corrupt, Items(vec![3])], "{limit} a page");
    }
}

/// A thread that cannot be decoded is not in the way of what is done to it, nor of its messages.
pub(crate) async fn a_corrupt_thread_can_be_used_and_deleted(fixture: Fixture) {
    let (talk, stored) = Talk::with(&fixture.tenant(), 2).await;
    fixture.overwrite(&Row::Thread(talk.tenant.org.clone(), talk.id), NO_JSON).await;
    assert_eq!(talk.all().await, stored);
    let third = talk.say([message("third")]).await;
    assert_eq!(talk.get(third[0].id).await.expect("it is stored"), third[0]);
    assert_eq!(talk.clear(at(5)).await.expect("the thread is cleared"), 3);
    assert_eq!(talk.all().await, [], "it is there, and empty");
    let found = talk.tenant.search(&SearchQuery::new("third").thread(talk.id)).await;
    assert_eq!(found.expect("it is there, and empty").items, []);
    assert_refused!(talk.get(third[0].id).await, StoreError::NotFound { entity: Entity::Message, .. });
    assert_eq!(talk.delete().await.expect("the thread is deleted"), 0);
    assert_refused!(talk.page(&MessageQuery::first(1)).await, StoreError::NotFound { .. });
}

/// A message that cannot be decoded can be deleted; its neighbours stay.
pub(crate) async fn a_corrupt_message_can_be_deleted(fixture: Fixture) {
    let (talk, stored) = fixture.damaged(3, &[2]).await;
    talk.delete_message(stored[1].id, at(5)).await.expect("the message is deleted");
    assert_eq!(talk.all().await, [stored[0].clone(), stored[2].clone()]);
}

/// An append goes on behind a corrupt row.
pub(crate) async fn a_thread_with_a_corrupt_message_goes_on(fixture: Fixture) {
    let (talk, stored) = fixture.damaged(2, &[2]).await;
    let next = talk.say([message("next")]).await;
    assert!(next[0].position > stored[1].position);
    let retried = talk.append(Append::new([with!(message("again"), id: next[0].id)]));
    assert_eq!(retried.await.expect("a retry"), next);
}

/// A page of hits ends ahead of a corrupt row, in one thread and across threads, in either order of time.
pub(crate) async fn a_page_of_hits_ends_ahead_of_a_corrupt_message(fixture: Fixture) {
    let (talk, _) = fixture.damaged(6, &[3]).await;
    for query in [SearchQuery::new("number"), SearchQuery::new("number").thread(talk.id)] {
        let oldest = query.clone().order(SearchOrder::Oldest);
        let expected = [Items(vec![1, 2]), Corrupt, Items(vec![4, 5, 6])];
        assert_eq!(hit_pages(&talk.tenant, &oldest.limit(4)).await, expected);
        let expected = [Items(vec![6, 5]), Items(vec![4]), Corrupt, Items(vec![2, 1])];
        assert_eq!(hit_pages(&talk.tenant, &query.limit(2)).await, expected);
    }
}

/// By relevance a corrupt row comes behind all hits.
pub(crate) async fn a_corrupt_message_is_ranked_last(fixture: Fixture) {
    let ada = fixture.tenant();
    let stored = ada.talk().await;
    let stored = stored.say(["x", "x x", "x x x"].map(message)).await;
    fixture.damage_message(&stored[2], &ada, NO_JSON).await;
    let query = SearchQuery::new("x").order(SearchOrder::Relevance);
    let gave = hit_pages(&ada, &query.clone().limit(1)).await;
    assert_eq!(gave[..3], [Items(vec![2]), Items(vec![1]), Corrupt]);
    let gave = hit_pages(&ada, &query.limit(9)).await;
    assert_eq!(gave[..2], [Items(vec![2, 1]), Corrupt]);
}

/// An integer of more than 64 bits is never rounded: what holds one cannot be decoded.
pub(crate) async fn an_integer_over_64_bits_is_corrupt(fixture: Fixture) {
    for integer in [WIDE, "-9223372036854775809", "123456789012345678901234567890"] {
        let (talk, stored) = fixture.damaged(2, &[]).await;
        let json = format!(r#"{{"type":"count","deep":[{{"n":{integer}}}]}}"#);
        fixture.damage_message(&stored[0], &talk.tenant, &json).await;
        assert_refused!(talk.get(stored[0].id).await, StoreError::CorruptRow { .. });
        assert_eq!(message_pages(&talk, &MessageQuery::first(9)).await, [Corrupt, Items(vec![2])]);
        let hits = hit_pages(&talk.tenant, &SearchQuery::new("number")).await;
        assert_eq!(hits, [Items(vec![2]), Corrupt, Items(Vec::new())]);
    }
}

/// The same in the metadata of a thread and in an earlier content.
pub(crate) async fn an_integer_over_64_bits_is_corrupt_everywhere(fixture: Fixture) {
    let (talk, stored) = Talk::with(&fixture.tenant(), 1).await;
    talk.edit(stored[0].id, "edited", at(2)).await.expect("it is edited");
    let org = talk.tenant.org.clone();
    let json = format!(r#"{{"type":"count","n":{WIDE}}}"#);
    fixture.overwrite(&Row::Revisions(org.clone(), talk.id, stored[0].id), &json).await;
    assert_refused!(
        talk.revisions(stored[0].id).await,
        StoreError::CorruptRow { entity: Entity::Revision, .. }
    );
    assert_eq!(talk.get(stored[0].id).await.expect("its content is fine").content.as_text(), Some("edited"));
    fixture.overwrite(&Row::Thread(org, talk.id), &format!(r#"{{"n":{WIDE}}}"#)).await;
    let read = fixture.repo.get_thread(&talk.tenant.scope, talk.id).await;
    assert_refused!(read, StoreError::CorruptRow { entity: Entity::Thread, .. });
}
