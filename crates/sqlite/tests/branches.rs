//! The ends of long branches: they are removed in steps, between which others write.

mod common;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use chatkeep_domain::{
    Append, BranchId, BranchRepository as _, ChatMessage, Entity, MessageRepository as _, NewThread,
    StoreError, ThreadId, ThreadRepository as _, Version,
};
use chatkeep_sqlite::SqliteRepository;
use rusqlite::Connection;

use crate::common::{
    LONG, MAIN, Writer, all, assert_kept, at, branch, go_on_until, long_thread, message, number, open, org,
    position, say, say_many, scope, until_none, user,
};

/// How many messages go with a step.
const STEP: u64 = 100;

const MESSAGES: &str = "SELECT COUNT(*) FROM chat_message";

const DELETED_THREADS: &str = "SELECT COUNT(*) FROM chat_thread WHERE org = 0";

/// Whether commits do not merge the index.
const UNMERGED: &str = "SELECT v = 0 FROM chat_message_words_config WHERE k = 'automerge'";

/// Messages that a thread counts, and that are not there.
const MISCOUNTED: &str = "
    SELECT COUNT(*) FROM chat_thread t
    WHERE t.org <> 0 AND t.message_count <> (SELECT COUNT(*) FROM chat_message m WHERE m.thread = t.key)";

/// Whether there are fewer messages than so many.
fn fewer_than(count: i64) -> String {
    format!("SELECT COUNT(*) < {count} FROM chat_message")
}

/// Removes all behind position 10.
async fn truncate(store: &SqliteRepository, thread: ThreadId, branch: BranchId) -> Result<u64, StoreError> {
    store.truncate_branch(&scope(), thread, branch, position(10), at(1).into()).await
}

async fn delete(store: &SqliteRepository, thread: ThreadId, branch: BranchId) -> Result<u64, StoreError> {
    store.delete_branch(&scope(), thread, branch, at(1).into()).await
}

/// Whether the message at a position is gone, however many came meanwhile.
fn gone(position: i64) -> String {
    format!("SELECT COUNT(*) = 0 FROM chat_message WHERE position = {position}")
}

async fn version(store: &SqliteRepository, thread: ThreadId) -> i64 {
    store.get_thread(&scope(), thread).await.expect("a thread").version.get()
}

fn texts(messages: &[ChatMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.content.as_text().expect("a text")).collect()
}

/// The first texts of a long thread.
fn words(count: i64) -> Vec<String> {
    (0..count).map(|n| format!("word {n}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn others_write_while_a_long_end_is_removed() {
    let (_folder, path, store, thread) = long_thread().await;
    let other = branch(&store, thread, MAIN, 10).await;
    say_many(&store, thread, other, LONG).await;

    // What is said behind the end that goes stays, unless the call began later. A step is a change of the thread, as an append is.
    let before = version(&store, thread).await;
    let writer = Writer::start(&path, thread, MAIN).await;
    let mut removal = pin!(truncate(&store, thread, MAIN));
    go_on_until(removal.as_mut(), &path, &gone(LONG)).await;
    let between = say(&open(&path).await, thread, [message("between", 0)]).await;
    let removed = removal.await.expect("it is truncated");
    let said = writer.end().await;
    let changes = removed.div_ceil(STEP) + 1 + said.len() as u64;
    assert_eq!((version(&store, thread).await - before).unsigned_abs(), changes);
    let left = all(&store, thread, MAIN).await;
    assert_eq!(texts(&left[..10]), words(10));
    assert!(left.contains(&between[0]));
    let is_known = |message| said.contains(message) || between.contains(message);
    assert!(left[10..].iter().all(is_known), "the end is still there");
    assert_eq!(removed + left.len() as u64, LONG.unsigned_abs() + 1 + said.len() as u64);
    assert_eq!(texts(&all(&store, thread, other).await[10..]), words(LONG));

    let before = version(&store, thread).await;
    let writer = Writer::start(&path, thread, MAIN).await;
    let removed = delete(&store, thread, other).await;
    let said = writer.end().await;
    assert_eq!(removed.expect("it is deleted"), LONG.unsigned_abs());
    let changes = LONG.unsigned_abs().div_ceil(STEP) + said.len() as u64;
    assert_eq!((version(&store, thread).await - before).unsigned_abs(), changes);
    assert_eq!(all(&store, thread, MAIN).await, [left, said].concat());
    assert_eq!(number(&path, MISCOUNTED), 0);
}

#[tokio::test]
async fn the_index_is_merged_again_after_a_removal_that_ends_early() {
    let (_folder, path, store, thread) = long_thread().await;

    // Its caller goes before the answer to the first step comes.
    let mut removal = Box::pin(truncate(&store, thread, MAIN));
    poll_fn(|context| {
        assert!(removal.as_mut().poll(context).is_pending(), "it is over before");
        Poll::Ready(())
    })
    .await;
    until_none(&path, &format!("SELECT COUNT(*) = {LONG} FROM chat_message")).await;
    drop(removal);
    until_none(&path, UNMERGED).await;

    // Its caller goes later.
    let before = number(&path, MESSAGES);
    let mut removal = Box::pin(truncate(&store, thread, MAIN));
    go_on_until(removal.as_mut(), &path, &fewer_than(before - 100)).await;
    assert_eq!(number(&path, UNMERGED), 1);
    drop(removal);
    until_none(&path, UNMERGED).await;

    // It fails.
    let raw = Connection::open(&path).expect("the file");
    let trigger = "
        CREATE TRIGGER bad BEFORE DELETE ON chat_message WHEN OLD.position = 50
        BEGIN SELECT RAISE(ABORT, 'no'); END";
    raw.execute_batch(trigger).expect("a trigger");
    let failed = truncate(&store, thread, MAIN).await.expect_err("it fails on its way");
    assert!(matches!(failed, StoreError::Backend { .. }), "{failed:?}");
    until_none(&path, UNMERGED).await;

    // A call that comes again removes the rest.
    raw.execute_batch("DROP TRIGGER bad").expect("no trigger");
    let left = number(&path, MESSAGES);
    assert!(left > 50 && left < before, "{left} messages");
    assert_eq!(truncate(&store, thread, MAIN).await.expect("it is truncated"), left.unsigned_abs() - 10);
    assert_eq!(texts(&all(&store, thread, MAIN).await), words(10));
    until_none(&path, UNMERGED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_write_while_a_long_thread_with_branches_is_cleared() {
    let (_folder, path, store, thread) = long_thread().await;
    let other = branch(&store, thread, MAIN, 10).await;
    say_many(&store, thread, other, LONG).await;
    let before = store.list_branches(&scope(), thread).await.expect("branches");

    let cleared = store.clear_messages(&scope(), thread, at(1).into()).await.expect("it is cleared");
    assert_eq!(cleared, 2 * LONG.unsigned_abs());
    let after = store.list_branches(&scope(), thread).await.expect("branches");
    assert_eq!(after, before);
    let writer = Writer::start(&path, thread, other).await;
    until_none(&path, DELETED_THREADS).await;
    let said = writer.end().await;
    assert_eq!(said[0].position, position(2 * LONG + 1), "no position comes back");
    assert_kept(&store, thread, other, &said).await;
    assert!(all(&store, thread, MAIN).await.is_empty());
    assert_eq!(number(&path, MESSAGES), i64::try_from(said.len()).expect("a number"));
}

#[tokio::test]
async fn two_handles_delete_a_branch_at_the_same_time() {
    let (_folder, path, store, thread) = long_thread().await;
    let other = branch(&store, thread, MAIN, 10).await;
    say_many(&store, thread, other, LONG).await;
    let second_store = open(&path).await;
    let mut first = pin!(delete(&store, thread, other));
    go_on_until(first.as_mut(), &path, &fewer_than(2 * LONG)).await;
    // Comes behind the step of the first one that is under way.
    say(&store, thread, [message("meanwhile", 0)]).await;
    let left = number(&path, MESSAGES);
    let mut second = pin!(delete(&second_store, thread, other));
    go_on_until(second.as_mut(), &path, &fewer_than(left)).await;

    // Both have begun: each tells what it has removed itself, whoever comes last.
    let (first, second) = tokio::join!(first, second);
    let (first, second) = (first.expect("it is deleted"), second.expect("it is deleted"));
    assert!(first > 0 && second > 0, "{first} and {second}");
    assert_eq!(first + second, LONG.unsigned_abs());
    let gone = delete(&store, thread, other).await.expect_err("it is gone");
    assert!(matches!(gone, StoreError::NotFound { entity: Entity::Branch, .. }), "{gone:?}");
    assert_eq!(all(&store, thread, MAIN).await.len() as u64, LONG.unsigned_abs() + 1);
    assert_eq!(number(&path, MISCOUNTED), 0);
    until_none(&path, UNMERGED).await;
}

/// A branch, its thread or its messages.
#[tokio::test]
async fn what_goes_while_it_is_truncated_is_counted_once() {
    for what in ["branch", "thread", "messages"] {
        let (_folder, path, store, thread) = long_thread().await;
        let other = branch(&store, thread, MAIN, 10).await;
        say_many(&store, thread, other, LONG).await;
        let mut removal = pin!(truncate(&store, thread, other));
        go_on_until(removal.as_mut(), &path, &fewer_than(2 * LONG)).await;
        let (gone, total) = match what {
            "branch" => (delete(&store, thread, other).await, LONG),
            "thread" => (store.delete_thread(&scope(), thread, None).await, 2 * LONG),
            _ => (store.clear_messages(&scope(), thread, at(2).into()).await, 2 * LONG),
        };
        let (gone, removed) = (gone.expect("it goes"), removal.await.expect("there is no more to remove"));
        assert!(removed > 0, "{what}");
        assert_eq!(gone + removed, total.unsigned_abs(), "{what}");
        until_none(&path, DELETED_THREADS).await;
        assert_eq!(number(&path, MISCOUNTED), 0, "{what}");
        until_none(&path, UNMERGED).await;
    }
}

#[tokio::test]
async fn a_branch_from_what_is_to_go_ends_a_truncation() {
    let (_folder, path, store, thread) = long_thread().await;
    let mut removal = pin!(truncate(&store, thread, MAIN));
    go_on_until(removal.as_mut(), &path, &fewer_than(LONG)).await;
    let other = branch(&store, thread, MAIN, 20).await;
    let left = number(&path, MESSAGES);
    let refused = removal.await.expect_err("the branch shows some of the rest");
    assert!(
        matches!(&refused, StoreError::InUse { entity: Entity::Branch, id, by, .. } if *id == MAIN.to_string() && *by == other.to_string()),
        "{refused:?}"
    );

    // What was removed before is, and the rest is as it was.
    assert!(left > 20 && left < LONG, "{left} messages");
    assert_eq!(number(&path, MESSAGES), left);
    assert_eq!(texts(&all(&store, thread, MAIN).await), words(left));
    assert_eq!(texts(&all(&store, thread, other).await), words(20));
    assert_eq!(number(&path, MISCOUNTED), 0);
    until_none(&path, UNMERGED).await;

    // Without the branch, the same call goes on.
    assert_eq!(delete(&store, thread, other).await.expect("it is deleted"), 0);
    let removed = truncate(&store, thread, MAIN).await;
    assert_eq!(removed.expect("it is truncated"), left.unsigned_abs() - 10);
}

/// Deletes a thread, and makes one with its id, its time and a version; gives what there was of the old one.
async fn replace(store: &SqliteRepository, mut new: NewThread, thread: ThreadId, version: i64) -> u64 {
    new.version = Version::new(version).expect("a version");
    let scope = scope();
    let (deleted, made) =
        tokio::join!(store.delete_thread(&scope, thread, None), store.create_thread(&scope, new));
    made.expect("a thread");
    deleted.expect("it is deleted")
}

/// Each differs from the old one in one of the things by which they are told apart.
#[tokio::test]
async fn another_thread_of_the_same_id_keeps_its_messages() {
    const NEXT: i64 = 1_000;
    for (created, versions, count) in [(1, NEXT, LONG + 10), (0, -NEXT, LONG + 10), (0, NEXT, LONG - 10)] {
        let (_folder, path, store, thread) = long_thread().await;
        let before = version(&store, thread).await;
        let mut removal = pin!(truncate(&store, thread, MAIN));
        go_on_until(removal.as_mut(), &path, &fewer_than(LONG)).await;
        let new = NewThread::new(thread, org(), user("ada"), "another thread", at(created));
        let deleted = replace(&store, new, thread, before + versions).await;
        say_many(&store, thread, MAIN, count).await;
        let after = version(&store, thread).await;

        let removed = removal.await.expect("there is no more to remove");
        assert_eq!(removed + deleted, LONG.unsigned_abs(), "{created} {versions} {count}");
        let kept = all(&store, thread, MAIN).await;
        assert_eq!(kept.len() as u64, count.unsigned_abs(), "{created} {versions} {count}");
        assert_eq!(version(&store, thread).await, after, "it was not touched");
        until_none(&path, UNMERGED).await;
    }
}

/// All else of the threads is as it could be of one.
#[tokio::test]
async fn another_branch_of_the_same_number_keeps_its_messages() {
    for is_deleted in [true, false] {
        let (_folder, path, store, thread) = long_thread().await;
        let other = branch(&store, thread, MAIN, 10).await;
        say_many(&store, thread, other, LONG).await;
        let before = version(&store, thread).await;
        let mut removal = pin!(async {
            if is_deleted {
                delete(&store, thread, other).await
            } else {
                truncate(&store, thread, other).await
            }
        });
        go_on_until(removal.as_mut(), &path, &fewer_than(2 * LONG)).await;
        let new = NewThread::new(thread, org(), user("ada"), "another thread", at(0));
        let deleted = replace(&store, new, thread, before + 1_000).await;
        say_many(&store, thread, MAIN, 10).await;
        assert_eq!(branch(&store, thread, MAIN, 10).await, other);
        say_many(&store, thread, other, LONG).await;
        let last = Append::new((0..LONG).map(|n| message("last", n)));
        store.append(&scope(), thread, last).await.expect("an append");

        let removed = removal.await.expect("there is no more to remove");
        assert_eq!(removed + deleted, 2 * LONG.unsigned_abs());
        assert_eq!(texts(&all(&store, thread, other).await[10..]), words(LONG), "{is_deleted}");
    }
}
