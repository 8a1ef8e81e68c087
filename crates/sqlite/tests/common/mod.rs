//! What these tests share: a user, threads, and a look at the tables from outside.

#![allow(dead_code, reason = "most of these programs need a part; `expect` fails in those that need all")]

use std::path::Path;
use std::time::{Duration, Instant};

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{
    Append, ChatMessage, IdGenerator as _, MessageRepository as _, MessageSearch as _, NewMessage, NewThread,
    OrgId, Role, Scope, SearchQuery, StoreError, ThreadId, ThreadRepository as _, Timestamp, UserId,
    UuidV7Generator,
};
use chatkeep_sqlite::{SqliteConfig, SqliteRepository};
use rusqlite::Connection;

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
