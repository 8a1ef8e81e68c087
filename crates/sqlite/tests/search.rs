//! Searches by each of the ways that they take: rare words and common ones, in an organization and in a thread.

mod common;

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{MessageSearch as _, OrgId, Scope, SearchQuery, ThreadId};
use chatkeep_sqlite::SqliteRepository;

use crate::common::{found, message, open, org, say, scope, thread_of, until_none, user};

/// More than the hits that are read and sorted.
const MANY: i64 = 6_000;

/// Ada's and Bob's thread with as many messages each, in turn by time; each hundredth is a milestone.
async fn two_threads(store: &SqliteRepository) -> [ThreadId; 2] {
    let threads = [thread_of(store, "ada").await, thread_of(store, "bob").await];
    for (thread, name) in threads.iter().zip(["ada", "bob"]) {
        let text = |n: i64| {
            let milestone = if n % 100 == 0 { " milestone" } else { "" };
            format!("{name} says number {n}{milestone}")
        };
        say(store, *thread, (0..MANY).map(|n| message(text(n), n))).await;
    }
    threads
}

#[tokio::test]
async fn common_words_are_found_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let threads = two_threads(&store).await;
    let everybody = Scope::org(org());
    // With most of it pending, and with all in the index.
    for _ in 0..2 {
        let newest = found(&store, &everybody, "says", SearchOrder::Newest).await;
        assert_eq!(newest[0..2], ["bob says number 5999", "ada says number 5999"]);
        let oldest = found(&store, &everybody, "says", SearchOrder::Oldest).await;
        assert_eq!(oldest[0..2], ["ada says number 0 milestone", "bob says number 0 milestone"]);
        let adas = found(&store, &scope(), "sa*", SearchOrder::Newest).await;
        assert_eq!(adas[0..2], ["ada says number 5999", "ada says number 5998"]);
        let milestones = found(&store, &scope(), "says milestone", SearchOrder::Newest).await;
        assert_eq!(milestones[0..2], ["ada says number 5900 milestone", "ada says number 5800 milestone"]);
        let without = found(&store, &scope(), "number -milestone", SearchOrder::Oldest).await;
        assert_eq!(without[0..2], ["ada says number 1", "ada says number 2"]);
        let query = SearchQuery::new("says").thread(threads[1]).order(SearchOrder::Newest).limit(1);
        let page = store.search_messages(&everybody, &query).await.expect("a page");
        assert_eq!(page.items[0].message.content.as_text(), Some("bob says number 5999"));
        let best = found(&store, &everybody, "5999", SearchOrder::Relevance).await;
        assert_eq!(best.len(), 2);
        until_none(&path, "SELECT COUNT(*) FROM chat_message WHERE pending = 1").await;
    }
}

#[tokio::test]
async fn pages_of_a_common_word_skip_and_repeat_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder.path().join("chat.db")).await;
    two_threads(&store).await;
    let mut query = SearchQuery::new("number").order(SearchOrder::Newest).limit(1_000);
    let mut seen = Vec::new();
    loop {
        let page = store.search_messages(&scope(), &query).await.expect("a page");
        seen.extend(page.items.iter().map(|hit| hit.message.position.get()));
        let Some(next) = page.next else { break };
        query = query.behind(next);
    }
    assert_eq!(seen, (1..=MANY).rev().collect::<Vec<_>>());
}

/// A word that was common long ago: walking to it would take long, so its hits are sorted.
#[tokio::test]
async fn a_word_that_was_common_long_ago_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder.path().join("chat.db")).await;
    let thread = thread_of(&store, "ada").await;
    for first in (0..50_000).step_by(10_000) {
        let word = |n| if n < 5_000 { "old" } else { "new" };
        say(&store, thread, (first..first + 10_000).map(|n| message(format!("{} {n}", word(n)), n))).await;
    }
    assert_eq!(found(&store, &scope(), "old", SearchOrder::Newest).await[0], "old 4999");
    assert_eq!(found(&store, &Scope::org(org()), "old", SearchOrder::Newest).await[0], "old 4999");
    assert_eq!(found(&store, &scope(), "new", SearchOrder::Oldest).await[0], "new 5000");
}

#[tokio::test]
async fn words_of_others_are_not_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder.path().join("chat.db")).await;
    two_threads(&store).await;
    let stranger = Scope::user(OrgId::new("other").expect("an id"), user("ada"));
    assert!(found(&store, &stranger, "says", SearchOrder::Newest).await.is_empty());
    let carol = Scope::user(org(), user("carol"));
    assert!(found(&store, &carol, "s*", SearchOrder::Newest).await.is_empty());
}
