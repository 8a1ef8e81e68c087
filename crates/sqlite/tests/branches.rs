//! Long threads with branches: what takes long is done in steps, between which others write, and is whole or not seen.

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{
    Append, BranchId, BranchPoint, BranchRepository as _, ChatMessage, ConversationRepository as _, Entity,
    Fork, IdGenerator as _, MAX_PAGE_LEN, MessageEdit, MessageQuery, MessageRepository as _, NewBranch,
    NewThread, Position, Scope, StoreError, ThreadId, ThreadQuery, ThreadRepository as _, UuidV7Generator,
};
use chatkeep_sqlite::SqliteRepository;
use tokio::task::JoinHandle;

use crate::common::{at, found, message, number, open, org, say, scope, thread_of, until_none, user};

/// Of a long thread: many steps.
const LONG: i64 = 20_000;

const MAIN: BranchId = BranchId::MAIN;

const UNFINISHED: &str = "SELECT COUNT(*) FROM chat_fork";

fn position(number: i64) -> Position {
    Position::new(number).expect("a position")
}

/// Says so many messages on a branch, by large appends.
async fn say_many(store: &SqliteRepository, thread: ThreadId, branch: BranchId, count: i64) {
    for first in (0..count).step_by(5_000) {
        let messages = (first..count.min(first + 5_000)).map(|n| message(format!("word {n}"), n));
        store.append(&scope(), thread, Append::new(messages).branch(branch)).await.expect("an append");
    }
}

async fn branch(store: &SqliteRepository, thread: ThreadId, from: BranchId, through: i64) -> BranchId {
    let new = NewBranch::new(UuidV7Generator.request_id(), BranchPoint::new(from, position(through)), at(0));
    store.create_branch(&scope(), thread, new).await.expect("a branch").id
}

async fn all(store: &SqliteRepository, thread: ThreadId, branch: BranchId) -> Vec<ChatMessage> {
    let (mut messages, mut query) = (Vec::new(), MessageQuery::first(MAX_PAGE_LEN).branch(branch));
    loop {
        let page = store.list_messages(&scope(), thread, &query).await.expect("a page");
        messages.extend(page.items);
        let Some(next) = page.next else { return messages };
        query = query.behind(next);
    }
}

fn fork_of(through: i64) -> Fork {
    let new = NewThread::new(UuidV7Generator.thread_id(), org(), user("ada"), "a fork", at(0));
    Fork::new(new, BranchPoint::new(MAIN, position(through)))
}

/// Appends to a branch over another handle, one message after the other, until it is told to end.
struct Writer {
    is_over: Arc<AtomicBool>,
    task: JoinHandle<Vec<ChatMessage>>,
}

impl Writer {
    async fn start(path: &Path, thread: ThreadId, branch: BranchId) -> Self {
        let (store, is_over) = (open(path).await, Arc::new(AtomicBool::new(false)));
        let told = Arc::clone(&is_over);
        let task = tokio::spawn(async move {
            let mut said = Vec::new();
            while !told.load(Ordering::Relaxed) {
                let append = Append::new([message("meanwhile", 0)]).branch(branch);
                said.extend(store.append(&scope(), thread, append).await.expect("an append").messages);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            said
        });
        Self { is_over, task }
    }

    async fn end(self) -> Vec<ChatMessage> {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.await.expect("the writer ends")
    }
}

/// The messages of the branches, without those that were said meanwhile.
fn others(messages: &[ChatMessage]) -> usize {
    messages.iter().filter(|message| message.content.as_text() != Some("meanwhile")).count()
}

/// Every one of the given messages is among those that a branch shows.
async fn assert_kept(store: &SqliteRepository, thread: ThreadId, branch: BranchId, given: &[ChatMessage]) {
    let shown = all(store, thread, branch).await;
    let kept: Vec<_> =
        shown.into_iter().filter(|message| message.content.as_text() == Some("meanwhile")).collect();
    assert_eq!(kept, given, "what others wrote is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn others_write_while_a_long_thread_is_forked() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say_many(&store, thread, MAIN, LONG).await;
    let edited = all(&store, thread, MAIN).await[7].id;
    store.edit_message(&scope(), thread, edited, MessageEdit::new("edited", at(1))).await.expect("an edit");
    let before = all(&store, thread, MAIN).await;

    let writer = Writer::start(&path, thread, MAIN).await;
    let fork = store.fork_thread(&scope(), thread, fork_of(LONG)).await.expect("a fork");
    let said = writer.end().await;
    assert!(said.len() > 3, "{} appends got in between the steps", said.len());
    assert_kept(&store, thread, MAIN, &said).await;

    let copied = all(&store, fork.id, MAIN).await;
    assert_eq!(copied.len(), before.len());
    for (copy, original) in copied.iter().zip(&before) {
        assert_eq!(
            (copy.id, copy.position, &copy.content),
            (original.id, original.position, &original.content)
        );
    }
    let revisions = store.list_revisions(&scope(), fork.id, edited).await.expect("revisions");
    assert_eq!(revisions, store.list_revisions(&scope(), thread, edited).await.expect("revisions"));
    assert_eq!(
        number(
            &path,
            "SELECT COUNT(*) FROM chat_message WHERE pending = 1 AND chat_thread_id = (SELECT id FROM chat_thread WHERE forked_thread IS NOT NULL)"
        ),
        0
    );
    assert_eq!(number(&path, UNFINISHED), 0);
    let listed = store.list_threads(&scope(), &ThreadQuery::default().with_preview()).await.expect("a page");
    let listed = listed.items.into_iter().find(|listed| listed.id == fork.id).expect("the fork is listed");
    assert_eq!(listed.preview.expect("a preview").message_count, LONG.unsigned_abs());
}

#[tokio::test(flavor = "multi_thread")]
async fn others_write_while_a_long_end_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say_many(&store, thread, MAIN, LONG).await;
    let other = branch(&store, thread, MAIN, 10).await;
    say_many(&store, thread, other, LONG).await;

    // What is said behind the end that goes stays.
    let writer = Writer::start(&path, thread, MAIN).await;
    let removed = store.truncate_branch(&scope(), thread, MAIN, position(10), at(1).into()).await;
    let said = writer.end().await;
    let left = all(&store, thread, MAIN).await;
    assert_eq!(
        (others(&left), removed.expect("it is truncated") + left.len() as u64),
        (10, LONG.unsigned_abs() + said.len() as u64)
    );
    assert!(left.len() > 13, "{} appends got in between the steps", left.len() - 10);
    assert_eq!(all(&store, thread, other).await.len() as u64, LONG.unsigned_abs() + 10);

    let before = all(&store, thread, MAIN).await.len();
    let writer = Writer::start(&path, thread, MAIN).await;
    let removed = store.delete_branch(&scope(), thread, other, at(1).into()).await;
    let said = writer.end().await;
    assert_eq!(removed.expect("it is deleted"), LONG.unsigned_abs());
    assert!(said.len() > 3, "{} appends got in between the steps", said.len());
    assert_eq!(all(&store, thread, MAIN).await.len(), before + said.len());
    assert_eq!(
        number(&path, "SELECT message_count - (SELECT COUNT(*) FROM chat_message) FROM chat_thread"),
        0
    );

    // The index is merged again.
    until_none(&path, "SELECT v = 0 FROM chat_message_words_config WHERE k = 'automerge'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_write_while_a_long_thread_with_branches_is_cleared() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say_many(&store, thread, MAIN, LONG / 2).await;
    let other = branch(&store, thread, MAIN, 10).await;
    say_many(&store, thread, other, LONG / 2).await;
    let before = store.list_branches(&scope(), thread).await.expect("branches");

    assert_eq!(
        store.clear_messages(&scope(), thread, at(1).into()).await.expect("it is cleared"),
        LONG.unsigned_abs()
    );
    let after = store.list_branches(&scope(), thread).await.expect("branches");
    assert_eq!(after, before);
    let writer = Writer::start(&path, thread, other).await;
    until_none(&path, "SELECT COUNT(*) FROM chat_thread WHERE org = 0").await;
    let said = writer.end().await;
    assert!(said.len() > 3, "{} appends while the messages went", said.len());
    assert_eq!(said[0].position, position(LONG + 1), "no position comes back");
    assert_kept(&store, thread, other, &said).await;
    assert!(all(&store, thread, MAIN).await.is_empty());
}

/// Begins a fork, and breaks it off as soon as some of it is copied.
async fn break_off(path: &Path, thread: ThreadId, fork: Fork) {
    let store = open(path).await;
    let other = store.clone();
    let task = tokio::spawn(async move { other.fork_thread(&scope(), thread, fork).await });
    while number(path, UNFINISHED) == 0 {
        tokio::task::yield_now().await;
    }
    task.abort();
    assert!(task.await.is_err_and(|error| error.is_cancelled()), "it was over before");
    store.close().await.expect("it closes");
    assert_eq!(number(path, UNFINISHED), 1);
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
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say_many(&store, thread, MAIN, LONG).await;
    let fork = fork_of(LONG);
    break_off(&path, thread, fork.clone()).await;
    assert_unseen(&store, thread, fork.new.id).await;
    let copied = number(&path, "SELECT COUNT(*) FROM chat_message m JOIN chat_fork f ON f.thread = m.thread");
    assert!(copied > 0 && copied < LONG, "{copied} messages are copied");

    // It goes on behind what was copied, and copies nothing twice.
    let first = "SELECT MIN(m.key) FROM chat_message m JOIN chat_thread t ON t.key = m.thread WHERE t.forked_thread IS NOT NULL";
    let key = number(&path, first);
    let done = store.fork_thread(&scope(), thread, fork.clone()).await.expect("it goes on");
    assert_eq!((done.id, number(&path, first)), (fork.new.id, key));
    assert_eq!(all(&store, done.id, MAIN).await.len() as u64, LONG.unsigned_abs());
    assert_eq!(store.fork_thread(&scope(), thread, fork).await.expect("again"), done);
    assert_eq!(number(&path, UNFINISHED), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_a_fork_that_was_broken_off_is_free() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say_many(&store, thread, MAIN, LONG).await;
    let fork = fork_of(LONG);
    break_off(&path, thread, fork.clone()).await;

    // A thread takes it.
    let new = NewThread::new(fork.new.id, org(), user("ada"), "a thread", at(0));
    store.create_thread(&scope(), new).await.expect("a thread");
    say(&store, fork.new.id, [message("of its own", 1)]).await;
    assert_eq!(number(&path, UNFINISHED), 0);
    let taken = store.fork_thread(&scope(), thread, fork).await.expect_err("the id is taken");
    assert!(matches!(taken, StoreError::AlreadyExists { entity: Entity::Thread, .. }), "{taken:?}");
    until_none(&path, "SELECT COUNT(*) FROM chat_thread WHERE org = 0").await;
    assert_eq!(number(&path, "SELECT COUNT(*) FROM chat_message"), LONG + 1);

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
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say_many(&store, thread, MAIN, LONG).await;
    let fork = fork_of(LONG);
    break_off(&path, thread, fork.clone()).await;
    store.delete_thread(&scope(), thread, None).await.expect("it is deleted");
    let gone = store.fork_thread(&scope(), thread, fork.clone()).await.expect_err("nothing to copy");
    assert!(gone.is_not_found(), "{gone:?}");
    assert_eq!(number(&path, UNFINISHED), 0);
    until_none(&path, "SELECT COUNT(*) FROM chat_message").await;

    // Also where nobody comes again.
    let thread = thread_of(&store, "ada").await;
    say_many(&store, thread, MAIN, LONG).await;
    break_off(&path, thread, fork_of(LONG)).await;
    store.delete_thread(&scope(), thread, None).await.expect("it is deleted");
    until_none(&path, UNFINISHED).await;
    until_none(&path, "SELECT COUNT(*) FROM chat_message").await;
}
