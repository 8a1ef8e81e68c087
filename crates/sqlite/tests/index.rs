//! The index stays right, whatever happens to the messages and to the index itself.

mod common;

use std::path::Path;

use chatkeep_domain::{
    Append, ChatMessage, ConversationRepository as _, MessageEdit, MessageId, MessageQuery,
    MessageRepository as _, MessageSearch as _, MetadataFilter, Migrations as _, NewMessage, Role, Scope,
    SearchQuery, StoreError, ThreadId, ThreadQuery, ThreadRepository as _, ThreadUpdate,
};
use chatkeep_sqlite::{SqliteConfig, SqliteMigrations, SqliteRepository};
use rusqlite::Connection;
use serde_json::json;
use uuid::Uuid;

use crate::common::{at, number, open, org, say, scope, thread_of, until_none};

const PENDING: &str = "SELECT COUNT(*) FROM chat_message WHERE pending = 1";

const INDEXED: &str = "SELECT COUNT(*) FROM chat_message_words_docsize";

/// Every word that these tests write.
const WORDS: [&str; 4] = ["old", "edited", "new", "again"];

const BEFORE: u128 = 1_500;

fn numbered(number: u128, text: &str) -> NewMessage {
    NewMessage::new(id(number), Role::User, text, at(0))
}

fn id(number: u128) -> MessageId {
    Uuid::from_u128(number).into()
}

/// Another program's look at the file.
fn execute(path: &Path, sql: &str) {
    let connection = Connection::open(path).expect("the file");
    connection.busy_timeout(std::time::Duration::from_secs(10)).expect("a timeout");
    connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// A file with a thread of old messages, none of which is in the index. A store that writes would take some in by itself: the one that
/// is given only reads.
async fn unindexed(path: &Path) -> (SqliteRepository, ThreadId) {
    let store = open(path).await;
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, (1..=BEFORE).map(|number| numbered(number, &format!("old {number}")))).await;
    store.close().await.expect("it closes");
    execute(path, "DELETE FROM chat_message_words; UPDATE chat_message SET pending = 1");
    (SqliteRepository::open(SqliteConfig::file(path).read_only()).await.expect("the file"), thread)
}

/// Indexes what is missing, or everything, and gives how many rows were done, and how many of them are corrupt.
async fn reindex(path: &Path, all: bool) -> (u64, u64) {
    let migrations = SqliteMigrations::open(SqliteConfig::file(path)).await.expect("the file");
    let mut reindex = migrations.reindex(all);
    let mut done = 0;
    loop {
        match reindex.next_batch().await.expect("a batch") {
            0 => return (done, reindex.corrupt()),
            rows => done += rows,
        }
    }
}

async fn all(store: &SqliteRepository, thread: ThreadId) -> Vec<ChatMessage> {
    let (mut messages, mut query) = (Vec::new(), MessageQuery::first(1_000));
    loop {
        let page = store.list_messages(&scope(), thread, &query).await.expect("a page");
        messages.extend(page.items);
        let Some(next) = page.next else { return messages };
        query = query.behind(next);
    }
}

async fn positions(store: &SqliteRepository, text: &str) -> Vec<i64> {
    let (mut found, mut query) = (Vec::new(), SearchQuery::new(text).limit(1_000));
    loop {
        let page = store.search_messages(&scope(), &query).await.expect("a page");
        found.extend(page.items.iter().map(|hit| hit.message.position.get()));
        let Some(next) = page.next else { break };
        query = query.behind(next);
    }
    found.sort_unstable();
    found
}

/// A search gives for every word what a look at every message gives, FTS5 has nothing to say against its tables, and the index has
/// each message once.
async fn assert_index_is_right(path: &Path, store: &SqliteRepository, thread: ThreadId) {
    let messages = all(store, thread).await;
    until_none(path, PENDING).await;
    for word in WORDS {
        let has_word =
            |message: &&ChatMessage| message.content.to_plain_text().split(' ').any(|found| found == word);
        let expected: Vec<_> =
            messages.iter().filter(has_word).map(|message| message.position.get()).collect();
        assert_eq!(positions(store, word).await, expected, "{word}");
    }
    assert_eq!(number(path, INDEXED), i64::try_from(messages.len()).expect("a few"));
    execute(path, "INSERT INTO chat_message_words (chat_message_words) VALUES ('integrity-check')");
}

async fn write(store: SqliteRepository, thread: ThreadId, writer: u128) -> Result<(), StoreError> {
    fn unless_gone<T>(answer: Result<T, StoreError>) -> Result<(), StoreError> {
        match answer {
            Err(error) if error.is_not_found() => Ok(()),
            other => other.map(drop),
        }
    }
    for round in 0..40 {
        let number = 10_000 * (writer + 1) + round;
        store.append(&scope(), thread, Append::new([numbered(number, "new")])).await?;
        let edited = id(1 + (writer * 367 + round * 31) % BEFORE);
        let edit = MessageEdit::new(format!("edited {writer} {round}"), at(1));
        unless_gone(store.edit_message(&scope(), thread, edited, edit).await)?;
        store.edit_message(&scope(), thread, id(number), MessageEdit::new("again", at(2))).await?;
        let deleted = id(1 + (writer * 211 + round * 37) % BEFORE);
        unless_gone(store.delete_message(&scope(), thread, deleted, at(3).into()).await)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reindex_while_others_write_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let (_, thread) = unindexed(&path).await;
    let store = open(&path).await;
    let writers: Vec<_> = (0..4).map(|writer| tokio::spawn(write(store.clone(), thread, writer))).collect();
    // Again and again as long as anybody writes: the last ones meet as many writes as the first.
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        assert_eq!(reindex(&path, true).await.1, 0);
    }
    for writer in writers {
        writer.await.expect("no panic").expect("it writes");
    }
    assert_index_is_right(&path, &store, thread).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_reindexes_at_once_do_no_harm() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let (store, thread) = unindexed(&path).await;
    let (first, second) = tokio::join!(reindex(&path, false), reindex(&path, false));
    assert_eq!((first.0 + second.0, first.1 + second.1), (1_500, 0), "what one has done, the other leaves");
    let (first, second) = tokio::join!(reindex(&path, true), reindex(&path, true));
    assert_eq!((first, second), ((1_501, 0), (1_501, 0)));
    assert_index_is_right(&path, &store, thread).await;
}

#[tokio::test]
async fn a_reindex_that_was_stopped_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let (store, thread) = unindexed(&path).await;
    let migrations = SqliteMigrations::open(SqliteConfig::file(&path)).await.expect("the file");
    let mut stopped = migrations.reindex(false);
    let done = stopped.next_batch().await.expect("a batch") + stopped.next_batch().await.expect("a batch");
    drop(stopped);
    assert!((1..1_500).contains(&done), "{done} rows in two batches");
    assert_eq!(migrations.count_unindexed().await.expect("a number"), 1_500 - done);
    assert_eq!(reindex(&path, false).await, (1_500 - done, 0));
    assert_index_is_right(&path, &store, thread).await;
}

/// Twelve messages of 1 MB are more than a batch takes.
#[tokio::test]
async fn a_batch_of_a_reindex_is_bounded_in_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    for number in 1..=12 {
        say(&store, thread, [numbered(number, &format!("old {}", " ".repeat(1_000_000)))]).await;
    }
    until_none(&path, PENDING).await;
    let migrations = SqliteMigrations::open(SqliteConfig::file(&path)).await.expect("the file");
    let mut batches = migrations.reindex(true);
    assert_eq!(batches.next_batch().await.expect("a batch"), 1, "the thread");
    assert_eq!(batches.next_batch().await.expect("a batch"), 9);
    assert_eq!(batches.next_batch().await.expect("a batch"), 3);
    assert_eq!(batches.next_batch().await.expect("a batch"), 0);
    assert_index_is_right(&path, &store, thread).await;
}

#[tokio::test]
async fn everything_anew_mends_a_damaged_index() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, (1..=500).map(|number| numbered(number, "old"))).await;
    let metadata = json!({"tier": "gold"}).as_object().expect("an object").clone();
    store
        .update_thread(&scope(), thread, ThreadUpdate::new(at(1)).metadata(metadata))
        .await
        .expect("an update");
    until_none(&path, PENDING).await;
    // The rows say that they are indexed.
    execute(
        &path,
        "DELETE FROM chat_message_words WHERE rowid % 2 = 0;
         INSERT OR REPLACE INTO chat_message_words (rowid, marks, words)
         SELECT key, 'wrong', 'wrong' FROM chat_message WHERE key % 3 = 0;
         UPDATE chat_thread SET folded_name = 'wrong';
         DELETE FROM chat_thread_tag",
    );
    assert_ne!(positions(&store, "old").await.len(), 500);
    assert_eq!(reindex(&path, false).await, (0, 0), "nothing shows");

    assert_eq!(reindex(&path, true).await, (501, 0));
    assert_index_is_right(&path, &store, thread).await;
    let gold = MetadataFilter::new("/tier", "gold").expect("a filter");
    for query in [ThreadQuery::first(10).name_contains("A THREAD"), ThreadQuery::first(10).metadata(gold)] {
        assert_eq!(store.list_threads(&scope(), &query).await.expect("a page").items.len(), 1, "{query:?}");
    }
    execute(&path, "UPDATE chat_thread SET metadata = '[]'");
    assert_eq!(reindex(&path, true).await, (501, 1), "the thread is corrupt");
}

/// A message that was in the index before it was damaged is in it once when it is mended, whoever takes it in.
#[tokio::test]
async fn a_message_that_was_corrupt_for_a_while_is_indexed_once() {
    for by_reindex in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("chat.db");
        let store = open(&path).await;
        let thread = thread_of(&store, "ada").await;
        say(&store, thread, (1..=3).map(|number| numbered(number, "old"))).await;
        until_none(&path, PENDING).await;
        store.close().await.expect("it is closed");
        execute(&path, "UPDATE chat_message SET content = 'no JSON' WHERE position = 2");
        assert_eq!(reindex(&path, true).await, (4, 1));
        let mended = r#"{"type":"text","text":"new"}"#;
        execute(&path, &format!("UPDATE chat_message SET content = '{mended}' WHERE position = 2"));
        if by_reindex {
            assert_eq!(reindex(&path, false).await, (1, 0));
        }
        let store = open(&path).await;
        assert_index_is_right(&path, &store, thread).await;
        // The first organization's word, as the index has it.
        let stale = "SELECT COUNT(*) FROM chat_message_words WHERE chat_message_words MATCH 'words : 1gold'";
        assert_eq!(number(&path, stale), 2, "the word that it had is gone");
    }
}

#[tokio::test]
async fn what_is_deleted_leaves_the_index() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, (1..=9).map(|number| numbered(number, "old"))).await;
    store
        .edit_message(&scope(), thread, id(3), MessageEdit::new("edited", at(1)))
        .await
        .expect("it is edited");
    until_none(&path, PENDING).await;
    store.delete_message(&scope(), thread, id(2), at(2).into()).await.expect("it is deleted");
    assert_index_is_right(&path, &store, thread).await;
    store.clear_messages(&scope(), thread, at(3).into()).await.expect("it is cleared");
    assert_index_is_right(&path, &store, thread).await;
    say(&store, thread, [numbered(20, "again"), numbered(21, "again")]).await;
    assert_index_is_right(&path, &store, thread).await;
    store.delete_thread(&scope(), thread, None).await.expect("it is deleted");
    until_none(&path, "SELECT COUNT(*) FROM chat_message").await;
    assert_eq!(number(&path, INDEXED), 0);
    // The keys of rows that are gone may be given to new rows.
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, [numbered(1, "new")]).await;
    assert_index_is_right(&path, &store, thread).await;
}

#[tokio::test]
async fn a_vacuum_keeps_the_index_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, (1..=300).map(|number| numbered(number, WORDS[number as usize % 4]))).await;
    for number in (1..=300).filter(|number| number % 3 != 0) {
        store
            .delete_message(&Scope::org(org()), thread, id(number), at(1).into())
            .await
            .expect("it is deleted");
    }
    execute(&path, "VACUUM");
    say(&store, thread, [numbered(1_000, "new")]).await;
    assert_index_is_right(&path, &store, thread).await;
}
