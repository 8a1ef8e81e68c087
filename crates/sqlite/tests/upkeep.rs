//! What the writer's thread does when it has nothing else to do, and what is seen meanwhile.

mod common;

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{
    MessageQuery, MessageRepository as _, NewThread, Scope, ThreadQuery, ThreadRepository as _,
};

use crate::common::{at, found, message, number, open, org, say, scope, thread_of, until_none, user};

const PENDING: &str = "SELECT COUNT(*) FROM chat_message WHERE pending = 1";

#[tokio::test]
async fn an_idle_store_takes_all_words_into_its_index() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, (0..300).map(|n| message(format!("word{n}"), n))).await;
    assert_eq!(found(&store, &scope(), "word299", SearchOrder::Newest).await, ["word299"], "at once");
    until_none(&path, PENDING).await;
    assert_eq!(found(&store, &scope(), "word7", SearchOrder::Newest).await, ["word7"], "and afterwards");
}

/// Messages come ahead of the place where the writer takes the next ones in.
#[tokio::test]
async fn a_long_backlog_of_many_threads_is_taken_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let mut threads = Vec::new();
    for _ in 0..20 {
        threads.push(thread_of(&store, "ada").await);
    }
    for round in 0..30 {
        for thread in threads.iter().rev() {
            say(&store, *thread, (0..20).map(|n| message(format!("round {round} number {n}"), n))).await;
        }
    }
    until_none(&path, PENDING).await;
    assert_eq!(number(&path, "SELECT COUNT(*) FROM chat_message_words"), 20 * 30 * 20);
}

#[tokio::test]
async fn what_an_earlier_process_left_is_taken_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, [message("left", 1)]).await;
    until_none(&path, PENDING).await;
    number(&path, "SELECT COUNT(*) FROM chat_message");
    let raw = rusqlite::Connection::open(&path).expect("the file");
    raw.execute_batch("DELETE FROM chat_message_words; UPDATE chat_message SET pending = 1")
        .expect("as if killed");
    drop(raw);
    assert_eq!(found(&store, &scope(), "left", SearchOrder::Newest).await, ["left"]);
    let other = open(&path).await;
    until_none(&path, PENDING).await;
    assert_eq!(found(&other, &scope(), "left", SearchOrder::Newest).await, ["left"]);
}

#[tokio::test]
async fn a_large_thread_is_gone_at_once_and_its_rows_soon() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, (0..3_000).map(|n| message("a stone", n))).await;
    let gone = store.get_thread(&scope(), thread).await.expect("a thread");
    assert_eq!(store.delete_thread(&scope(), thread, None).await.expect("it is deleted"), 3_000);
    assert!(store.get_thread(&scope(), thread).await.expect_err("it is gone").is_not_found());
    assert!(found(&store, &scope(), "stone", SearchOrder::Newest).await.is_empty());
    let listed = store.list_threads(&Scope::operator(), &ThreadQuery::default()).await.expect("a page");
    assert!(listed.items.is_empty());
    // Its id is free.
    let again = NewThread::new(thread, org(), user("ada"), "again", at(9));
    assert_ne!(store.create_thread(&scope(), again).await.expect("a thread"), gone);
    say(&store, thread, [message("another stone", 1)]).await;
    assert_eq!(found(&store, &scope(), "stone", SearchOrder::Newest).await, ["another stone"]);
    until_none(&path, "SELECT COUNT(*) - 1 FROM chat_message").await;
    until_none(&path, "SELECT COUNT(*) FROM chat_thread WHERE org = 0").await;
    assert_eq!(found(&store, &scope(), "stone", SearchOrder::Newest).await, ["another stone"]);
}

#[tokio::test]
async fn a_large_thread_is_cleared_and_keeps_the_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, (0..2_500).map(|n| message("a stone", n))).await;
    let before = store.get_thread(&scope(), thread).await.expect("a thread");
    assert_eq!(store.clear_messages(&scope(), thread, at(5_000).into()).await.expect("it is cleared"), 2_500);
    let after = store.get_thread(&scope(), thread).await.expect("a thread");
    let mut expected = before;
    (expected.updated_at, expected.version) = (at(5_000), expected.version.next());
    assert_eq!(after, expected);
    let page = store.list_messages(&scope(), thread, &MessageQuery::default()).await.expect("a page");
    assert!(page.items.is_empty());
    let next = say(&store, thread, [message("one more", 1)]).await;
    assert_eq!(next[0].position.get(), 2_501, "a position is never given twice");
    assert_eq!(store.clear_messages(&scope(), thread, at(5_001).into()).await.expect("it is cleared"), 1);
    until_none(&path, "SELECT COUNT(*) FROM chat_message").await;
}
