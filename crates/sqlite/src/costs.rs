//! What branches cost: how many rows are written, and how many statements read.

use std::sync::{Mutex, PoisonError};

use chatkeep_domain::{
    Append, BranchId, BranchPoint, BranchRepository as _, Content, IdGenerator as _, MessageQuery,
    MessageRepository as _, NewBranch, NewMessage, NewThread, OrgId, Position, Role, Scope, ThreadId,
    ThreadRepository as _, Timestamp, UserId, UuidV7Generator,
};
use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use crate::{SqliteConfig, SqliteRepository};

/// The reads of messages of the one store that listens.
static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn hear(event: TraceEvent<'_>) {
    let TraceEvent::Stmt(statement, _) = event else { return };
    let sql = statement.sql();
    if sql.contains("FROM chat_message m") && sql.contains("ORDER BY m.position") {
        HEARD.lock().unwrap_or_else(PoisonError::into_inner).push(sql.into_owned());
    }
}

fn heard() -> usize {
    std::mem::take(&mut *HEARD.lock().unwrap_or_else(PoisonError::into_inner)).len()
}

fn scope() -> Scope {
    Scope::org(OrgId::new("acme").expect("an id"))
}

async fn in_memory() -> SqliteRepository {
    SqliteRepository::open(SqliteConfig::in_memory()).await.expect("a database in memory")
}

async fn thread(store: &SqliteRepository) -> ThreadId {
    let (org, user) = (OrgId::new("acme").expect("an id"), UserId::new("ada").expect("an id"));
    let new = NewThread::new(UuidV7Generator.thread_id(), org, user, "a thread", Timestamp::UNIX_EPOCH);
    store.create_thread(&scope(), new).await.expect("a thread").id
}

/// Says numbers on a branch; gives the last position.
async fn say(
    store: &SqliteRepository,
    thread: ThreadId,
    branch: BranchId,
    numbers: std::ops::Range<usize>,
) -> Position {
    let message = |number: usize| {
        let content = Content::from(number.to_string());
        NewMessage::new(UuidV7Generator.message_id(), Role::User, content, Timestamp::UNIX_EPOCH)
    };
    let append = Append::new(numbers.map(message)).branch(branch);
    store.append(&scope(), thread, append).await.expect("an append").head
}

async fn branch(store: &SqliteRepository, thread: ThreadId, from: BranchId, through: Position) -> BranchId {
    let point = BranchPoint::new(from, through);
    let new = NewBranch::new(UuidV7Generator.request_id(), point, Timestamp::UNIX_EPOCH);
    store.create_branch(&scope(), thread, new).await.expect("a branch").id
}

#[tokio::test]
async fn a_branch_is_one_small_write_however_long_the_thread_is() {
    let store = in_memory().await;
    let changes = async || {
        let count = |connection: &Connection| Ok(connection.total_changes());
        store.write(count).await.expect("a number")
    };
    for count in [100, 20_000] {
        let thread = thread(&store).await;
        let mut head = Position::ZERO;
        for first in (0..count).step_by(5_000) {
            head = say(&store, thread, BranchId::MAIN, first..count.min(first + 5_000)).await;
        }
        let before = changes().await;
        branch(&store, thread, BranchId::MAIN, head).await;
        assert_eq!(changes().await - before, 2, "rows, of {count} messages");
    }
}

#[tokio::test]
async fn a_page_reads_no_more_parts_of_a_deep_path_than_it_needs() {
    let store = in_memory().await;
    let listen = |connection: &Connection| {
        connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(hear));
        Ok(())
    };
    store.write(listen).await.expect("it listens");
    for (depth, of_each) in [(64, 10), (1_000, 1)] {
        let (thread, mut last) = (thread(&store).await, BranchId::MAIN);
        let mut head = say(&store, thread, last, 0..of_each).await;
        for number in 1..depth {
            last = branch(&store, thread, last, head).await;
            head = say(&store, thread, last, number * of_each..(number + 1) * of_each).await;
        }
        let count = depth * of_each;
        let newest: Vec<_> = (count - 50..count).rev().collect();
        let oldest: Vec<_> = (0..50).collect();
        for (query, expected) in [(MessageQuery::newest(50), newest), (MessageQuery::first(50), oldest)] {
            heard();
            let page = store.list_messages(&scope(), thread, &query.branch(last)).await.expect("a page");
            // One message more than the limit tells that there is more.
            assert_eq!(heard(), 51_usize.div_ceil(of_each), "parts of {depth}");
            let number = |text: &str| text.parse::<usize>().expect("a number");
            let read = page.items.iter().filter_map(|message| message.content.as_text()).map(number);
            assert_eq!(read.collect::<Vec<_>>(), expected, "of {depth}");
        }
        heard();
        store.list_messages(&scope(), thread, &MessageQuery::newest(50)).await.expect("a page");
        assert_eq!(heard(), 1, "the main branch is one part");
    }
}
