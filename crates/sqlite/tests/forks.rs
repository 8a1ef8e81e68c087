//! Forks of long threads: they are made in steps, between which others write, and are whole or not seen.

mod common;

use std::path::{Path, PathBuf};
use std::pin::pin;

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{
    Append, BranchPoint, BranchRepository as _, ConversationRepository as _, Entity, Fork, IdGenerator as _,
    MessageEdit, MessageQuery, MessageRepository as _, NewThread, Scope, StoreError, ThreadId, ThreadQuery,
    ThreadRepository as _, UuidV7Generator,
};
use chatkeep_sqlite::SqliteRepository;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::common::{
    LONG, MAIN, Writer, all, assert_kept, at, found, go_on_until, long_thread, message, number, open, org,
    position, say, say_many, scope, thread_of, until_none, user,
};

const UNFINISHED: &str = "SELECT COUNT(*) FROM chat_fork";

const MESSAGES: &str = "SELECT COUNT(*) FROM chat_message";

const DELETED_THREADS: &str = "SELECT COUNT(*) FROM chat_thread WHERE org = 0";

/// A number of the messages of a fork, whole or not.
fn of_fork(number: &str) -> String {
    format!(
        "SELECT {number} FROM chat_message m JOIN chat_thread t ON t.key = m.thread WHERE t.forked_thread IS NOT NULL"
    )
}

fn fork_of(through: i64) -> Fork {
    let new = NewThread::new(UuidV7Generator.thread_id(), org(), user("ada"), "a fork", at(0));
    Fork::new(new, BranchPoint::new(MAIN, position(through)))
}

/// Begins a fork, and breaks it off as soon as some of it is copied.
async fn break_off(path: &Path, thread: ThreadId, fork: Fork) {
    let store = open(path).await;
    {
        let scope = scope();
        go_on_until(pin!(store.fork_thread(&scope, thread, fork)), path, UNFINISHED).await;
    }
    store.close().await.expect("it closes");
    assert_eq!(number(path, UNFINISHED), 1);
}

/// A long thread, and a fork of it that was broken off.
async fn long_thread_with_fork() -> (TempDir, PathBuf, SqliteRepository, ThreadId, Fork) {
    let (folder, path, store, thread) = long_thread().await;
    let fork = fork_of(LONG);
    break_off(&path, thread, fork.clone()).await;
    (folder, path, store, thread, fork)
}

#[tokio::test(flavor = "multi_thread")]
async fn others_write_while_a_long_thread_is_forked() {
    let (_folder, path, store, thread) = long_thread().await;
    let edited = all(&store, thread, MAIN).await[7].id;
    store.edit_message(&scope(), thread, edited, MessageEdit::new("edited", at(1))).await.expect("an edit");
    let before = all(&store, thread, MAIN).await;

    let writer = Writer::start(&path, thread, MAIN).await;
    let scope = scope();
    let mut fork = pin!(store.fork_thread(&scope, thread, fork_of(LONG)));
    go_on_until(fork.as_mut(), &path, UNFINISHED).await;
    say(&open(&path).await, thread, [message("between", 0)]).await;
    let fork = fork.await.expect("a fork");
    let said = writer.end().await;
    assert_kept(&store, thread, MAIN, &said).await;
    let between = number(&path, "SELECT key FROM chat_message WHERE content LIKE '%between%'");
    let keys = number(&path, &of_fork("MIN(m.key)"))..number(&path, &of_fork("MAX(m.key)"));
    assert!(keys.contains(&between), "{between} is not in {keys:?}");

    let copied = all(&store, fork.id, MAIN).await;
    assert_eq!(copied.len(), before.len());
    for (copy, original) in copied.iter().zip(&before) {
        assert_eq!(
            (copy.id, copy.position, &copy.content),
            (original.id, original.position, &original.content)
        );
    }
    let revisions = store.list_revisions(&scope, fork.id, edited).await.expect("revisions");
    assert_eq!(revisions, store.list_revisions(&scope, thread, edited).await.expect("revisions"));
    assert_eq!(number(&path, &of_fork("COUNT(m.pending)")), 0);
    assert_eq!(number(&path, UNFINISHED), 0);
    let listed = store.list_threads(&scope, &ThreadQuery::default().with_preview()).await.expect("a page");
    let listed = listed.items.into_iter().find(|listed| listed.id == fork.id).expect("the fork is listed");
    assert_eq!(listed.preview.expect("a preview").message_count, LONG.unsigned_abs());
}

/// Nothing shows a fork that is not whole.
async fn assert_unseen(store: &SqliteRepository, thread: ThreadId, fork: ThreadId) {
    for scope in [scope(), Scope::org(org()), Scope::operator()] {
        let read = store.get_thread(&scope, fork).await;
        assert!(read.is_err_and(|error| error.is_not_found()));
        let appended = store.append(&scope, fork, Append::new([message("lost", 0)])).await;
        assert!(appended.is_err_and(|error| error.is_not_found()));
        for query in [ThreadQuery::default().with_preview(), ThreadQuery::default().forked_from(thread)] {
            let listed = store.list_threads(&scope, &query).await.expect("a page").items;
            assert!(listed.iter().all(|listed| listed.id != fork), "{listed:?}");
        }
        for order in [SearchOrder::Newest, SearchOrder::Oldest] {
            assert_eq!(found(store, &scope, "\"word 5\"", order).await, ["word 5"]);
        }
        let everything = found(store, &scope, "", SearchOrder::Oldest).await;
        assert_eq!(everything, ["word 0", "word 1", "word 2", "word 3", "word 4"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_that_was_broken_off_is_not_seen_and_goes_on() {
    let (_folder, path, store, thread, fork) = long_thread_with_fork().await;
    assert_unseen(&store, thread, fork.new.id).await;
    let copied = number(&path, &of_fork("COUNT(*)"));
    assert!(copied > 0 && copied < LONG, "{copied} messages are copied");

    // It goes on behind what was copied, and copies nothing twice.
    let first = of_fork("MIN(m.key)");
    let key = number(&path, &first);
    let done = store.fork_thread(&scope(), thread, fork.clone()).await.expect("it goes on");
    assert_eq!((done.id, number(&path, &first)), (fork.new.id, key));
    assert_eq!(all(&store, done.id, MAIN).await.len() as u64, LONG.unsigned_abs());
    assert_eq!(store.fork_thread(&scope(), thread, fork).await.expect("again"), done);
    assert_eq!(number(&path, UNFINISHED), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_a_fork_that_was_broken_off_is_free() {
    let (_folder, path, store, thread, fork) = long_thread_with_fork().await;

    // A thread takes it.
    let new = NewThread::new(fork.new.id, org(), user("ada"), "a thread", at(0));
    store.create_thread(&scope(), new).await.expect("a thread");
    say(&store, fork.new.id, [message("of its own", 1)]).await;
    assert_eq!(number(&path, UNFINISHED), 0);
    let taken = store.fork_thread(&scope(), thread, fork).await.expect_err("the id is taken");
    assert!(matches!(taken, StoreError::AlreadyExists { entity: Entity::Thread, .. }), "{taken:?}");
    until_none(&path, DELETED_THREADS).await;
    assert_eq!(number(&path, MESSAGES), LONG + 1);

    // Another fork takes it.
    let (first, mut second) = (fork_of(LONG), fork_of(3));
    second.new.id = first.new.id;
    break_off(&path, thread, first.clone()).await;
    let taken = store.fork_thread(&scope(), thread, second).await.expect("a fork");
    assert_eq!((taken.head, all(&store, taken.id, MAIN).await.len()), (position(3), 3));
    let refused = store.fork_thread(&scope(), thread, first).await.expect_err("the id is taken");
    assert!(matches!(refused, StoreError::AlreadyExists { .. }), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_that_was_broken_off_goes_with_its_origin() {
    let (_folder, path, store, thread, fork) = long_thread_with_fork().await;
    store.delete_thread(&scope(), thread, None).await.expect("it is deleted");
    assert_eq!(number(&path, UNFINISHED), 0);
    until_none(&path, MESSAGES).await;
    let gone = store.fork_thread(&scope(), thread, fork).await.expect_err("nothing to copy");
    assert!(gone.is_not_found(), "{gone:?}");

    // One that is under way ends.
    let thread = thread_of(&store, "ada").await;
    say_many(&store, thread, MAIN, LONG).await;
    let scope = scope();
    let mut fork = pin!(store.fork_thread(&scope, thread, fork_of(LONG)));
    go_on_until(fork.as_mut(), &path, UNFINISHED).await;
    store.delete_thread(&scope, thread, None).await.expect("it is deleted");
    let gone = fork.await.expect_err("nothing to copy");
    assert!(gone.is_not_found(), "{gone:?}");
    assert_eq!(number(&path, UNFINISHED), 0);
    until_none(&path, MESSAGES).await;
}

/// What was copied before a thread was cleared does not come back, whether many messages went or few.
#[tokio::test]
async fn a_fork_that_was_broken_off_shows_nothing_that_was_cleared() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    for count in [LONG, 500] {
        let thread = thread_of(&store, "ada").await;
        say_many(&store, thread, MAIN, count).await;
        let fork = fork_of(count);
        break_off(&path, thread, fork.clone()).await;
        let cleared = store.clear_messages(&scope(), thread, at(2).into()).await;
        assert_eq!(cleared.expect("it is cleared"), count.unsigned_abs());
        let done = store.fork_thread(&scope(), thread, fork).await.expect("a fork");
        assert_eq!(all(&store, done.id, MAIN).await, []);
        assert_eq!(done.head, position(count));
    }
    until_none(&path, MESSAGES).await;
}

/// Nothing that was copied of a thread gets into a fork of another one that has its id.
#[tokio::test]
async fn a_fork_has_the_messages_of_one_thread_only() {
    let (_folder, path, store, thread, fork) = long_thread_with_fork().await;
    // What the store does by itself meanwhile is not to help: both at once.
    let again = NewThread::new(thread, org(), user("ada"), "another thread", at(0));
    let scope = scope();
    let (deleted, made) =
        tokio::join!(store.delete_thread(&scope, thread, None), store.create_thread(&scope, again));
    assert_eq!(deleted.expect("it is deleted"), LONG.unsigned_abs());
    made.expect("a thread");
    assert_eq!(number(&path, UNFINISHED), 0);

    let said = say(&store, thread, (0..LONG).map(|n| message(format!("new {n}"), n))).await;
    let done = store.fork_thread(&scope, thread, fork.clone()).await.expect("a fork");
    assert_eq!(done.id, fork.new.id);
    let copied = all(&store, done.id, MAIN).await;
    assert!(copied.iter().map(|copy| copy.id).eq(said.iter().map(|original| original.id)));
    until_none(&path, DELETED_THREADS).await;
    assert_eq!(number(&path, MESSAGES), 2 * LONG);
}

/// The text of a message that cannot be read is copied as it is: with what it was made of, both can be mended.
#[tokio::test]
async fn a_fork_goes_over_a_corrupt_message() {
    let (_folder, path, store, thread) = long_thread().await;
    let before = all(&store, thread, MAIN).await;
    let raw = Connection::open(&path).expect("the file");
    let broken = raw.execute("UPDATE chat_message SET content = '{' WHERE position = 5", []);
    assert_eq!(broken.expect("a write"), 1);
    // No UTF-8.
    let broken = raw.execute("UPDATE chat_message SET content = CAST(x'ff' AS TEXT) WHERE position = 6", []);
    assert_eq!(broken.expect("a write"), 1);

    let fork = store.fork_thread(&scope(), thread, fork_of(LONG)).await.expect("a fork");
    let copy = of_fork("COUNT(*)") + " AND m.position = 5 AND m.pending = 1 AND m.content = '{'";
    assert_eq!(number(&path, &copy), 1);
    let copy =
        of_fork("COUNT(*)") + " AND m.position = 6 AND m.pending = 1 AND m.content = CAST(x'ff' AS TEXT)";
    assert_eq!(number(&path, &copy), 1);
    assert_eq!(number(&path, &of_fork("COUNT(m.pending)")), 2, "the others are in the index");
    assert_eq!(number(&path, UNFINISHED), 0);
    // Both threads tell it in the same way.
    for thread in [thread, fork.id] {
        let query = MessageQuery::first(1_000);
        let ahead = store.list_messages(&scope(), thread, &query).await.expect("the page ends ahead of it");
        assert_eq!(ahead.items.len(), 4);
        let further = query.behind(ahead.next.expect("there is more"));
        let corrupt = store.list_messages(&scope(), thread, &further).await.expect_err("it is corrupt");
        let StoreError::CorruptRow { entity: Entity::Message, id, behind: Some(behind), .. } = corrupt else {
            panic!("{corrupt:?}")
        };
        assert_eq!(id, before[4].id.to_string());
        let further = MessageQuery::first(1_000).behind(behind);
        let corrupt = store.list_messages(&scope(), thread, &further).await.expect_err("it is corrupt");
        let StoreError::CorruptRow { behind: Some(behind), .. } = corrupt else { panic!("{corrupt:?}") };
        let rest = store.list_messages(&scope(), thread, &further.behind(behind)).await.expect("a page");
        let ids = rest.items.iter().map(|message| message.id);
        assert!(ids.eq(before[6..].iter().take(1_000).map(|message| message.id)));
    }
}
