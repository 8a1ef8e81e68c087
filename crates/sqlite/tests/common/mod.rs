//! What these tests share: a user, threads, and a look at the tables from outside.

#![allow(dead_code, reason = "most of these programs need a part; `expect` fails in those that need all")]

use std::fmt::Debug;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{
    Append, BranchId, BranchPoint, BranchRepository as _, ChatMessage, IdGenerator as _, MAX_PAGE_LEN,
    MessageQuery, MessageRepository as _, MessageSearch as _, NewBranch, NewMessage, NewThread, OrgId,
    Position, Role, Scope, SearchQuery, StoreError, ThreadId, ThreadRepository as _, Timestamp, UserId,
    UuidV7Generator,
};
use chatkeep_sqlite::{SqliteConfig, SqliteRepository};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// The messages of a long thread: what is done with all of them takes many steps.
pub(crate) const LONG: i64 = 5_000;

pub(crate) const MAIN: BranchId = BranchId::MAIN;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000 + seconds, 0).expect("a time")
}

pub(crate) fn org() -> OrgId {
    OrgId::new("acme").expect("an id")
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).expect("an id")
}

pub(crate) fn scope() -> Scope {
    Scope::user(org(), user("ada"))
}

pub(crate) async fn open(path: &Path) -> SqliteRepository {
    SqliteRepository::open(SqliteConfig::file(path)).await.expect("a file")
}

pub(crate) fn message(text: impl Into<String>, seconds: i64) -> NewMessage {
    NewMessage::new(UuidV7Generator.message_id(), Role::User, text.into(), at(seconds))
}

/// A new thread of a user.
pub(crate) async fn thread_of(store: &SqliteRepository, name: &str) -> ThreadId {
    let thread = NewThread::new(UuidV7Generator.thread_id(), org(), user(name), "a thread", at(0));
    store.create_thread(&Scope::org(org()), thread).await.expect("a thread").id
}

pub(crate) async fn say(
    store: &SqliteRepository,
    thread: ThreadId,
    messages: impl IntoIterator<Item = NewMessage>,
) -> Vec<ChatMessage> {
    store.append(&Scope::org(org()), thread, Append::new(messages)).await.expect("an append").messages
}

/// What an error says altogether, its sources included.
pub(crate) fn everything(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// The texts of the first hits.
pub(crate) async fn found(
    store: &SqliteRepository,
    scope: &Scope,
    text: &str,
    order: SearchOrder,
) -> Vec<String> {
    let query = SearchQuery::new(text).order(order).limit(5);
    let page = store.search_messages(scope, &query).await.expect("a page");
    page.items.iter().map(|hit| hit.message.content.as_text().expect("a text").to_owned()).collect()
}

/// A number, as another program reads it.
pub(crate) fn number(path: &Path, sql: &str) -> i64 {
    let connection = Connection::open(path).expect("the file");
    connection.busy_timeout(Duration::from_secs(10)).expect("a timeout");
    connection.query_row(sql, [], |row| row.get(0)).expect("a number")
}

/// Waits until a number is 0.
pub(crate) async fn until_none(path: &Path, sql: &str) {
    let start = Instant::now();
    while number(path, sql) > 0 {
        assert!(start.elapsed() < Duration::from_mins(1), "{sql}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Goes on with a call until a number is not 0, and no further: what is done then comes between two of its steps, or behind the one
/// that is under way.
pub(crate) async fn go_on_until<F: Future<Output: Debug>>(mut call: Pin<&mut F>, path: &Path, sql: &str) {
    poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(answer) => panic!("it is over before: {answer:?}"),
        Poll::Pending if number(path, sql) > 0 => Poll::Ready(()),
        Poll::Pending => Poll::Pending,
    })
    .await;
}

pub(crate) fn position(number: i64) -> Position {
    Position::new(number).expect("a position")
}

/// A file with a long thread, whose messages are "word 0" and so on.
pub(crate) async fn long_thread() -> (TempDir, PathBuf, SqliteRepository, ThreadId) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say_many(&store, thread, MAIN, LONG).await;
    (folder, path, store, thread)
}

/// Says so many messages on a branch, by one append.
pub(crate) async fn say_many(store: &SqliteRepository, thread: ThreadId, branch: BranchId, count: i64) {
    let messages = (0..count).map(|n| message(format!("word {n}"), n));
    store.append(&scope(), thread, Append::new(messages).branch(branch)).await.expect("an append");
}

pub(crate) async fn branch(
    store: &SqliteRepository,
    thread: ThreadId,
    from: BranchId,
    through: i64,
) -> BranchId {
    let new = NewBranch::new(UuidV7Generator.request_id(), BranchPoint::new(from, position(through)), at(0));
    store.create_branch(&scope(), thread, new).await.expect("a branch").id
}

/// All that a branch shows.
pub(crate) async fn all(store: &SqliteRepository, thread: ThreadId, branch: BranchId) -> Vec<ChatMessage> {
    let (mut messages, mut query) = (Vec::new(), MessageQuery::first(MAX_PAGE_LEN).branch(branch));
    loop {
        let page = store.list_messages(&scope(), thread, &query).await.expect("a page");
        messages.extend(page.items);
        let Some(next) = page.next else { return messages };
        query = query.behind(next);
    }
}

/// Appends to a branch over another handle, one message after the other, until it is told to end; at least one.
pub(crate) struct Writer {
    is_over: Arc<AtomicBool>,
    task: JoinHandle<Vec<ChatMessage>>,
}

impl Writer {
    pub(crate) async fn start(path: &Path, thread: ThreadId, branch: BranchId) -> Self {
        let (store, is_over) = (open(path).await, Arc::new(AtomicBool::new(false)));
        let told = Arc::clone(&is_over);
        let task = tokio::spawn(async move {
            let mut said = Vec::new();
            loop {
                let append = Append::new([message("meanwhile", 0)]).branch(branch);
                said.extend(store.append(&scope(), thread, append).await.expect("an append").messages);
                if told.load(Ordering::Relaxed) {
                    return said;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        Self { is_over, task }
    }

    pub(crate) async fn end(self) -> Vec<ChatMessage> {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.await.expect("the writer ends")
    }
}

/// Every one of the given messages is among those that a branch shows, and no other of those that were said meanwhile.
pub(crate) async fn assert_kept(
    store: &SqliteRepository,
    thread: ThreadId,
    branch: BranchId,
    given: &[ChatMessage],
) {
    let mut shown = all(store, thread, branch).await;
    shown.retain(|message| message.content.as_text() == Some("meanwhile"));
    assert_eq!(shown, given, "what others wrote is lost");
}
