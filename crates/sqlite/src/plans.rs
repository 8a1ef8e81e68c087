//! SQLite scans no table for what is asked of it, with and without statistics.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{
    Append, Content, IdGenerator as _, MessageEdit, MessageFilter, MessageQuery, MessageRepository as _,
    MessageSearch as _, MetadataFilter, NewMessage, NewThread, Order, OrgId, Role, Scope, SearchQuery,
    ThreadId, ThreadQuery, ThreadRepository as _, ThreadUpdate, Timestamp, UserId, UuidV7Generator,
};
use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use serde_json::json;

use crate::{SqliteConfig, SqliteRepository};

/// More hits than are sorted: a search of a common word walks.
const MANY: i64 = 6_000;

/// What the one store of this test has run.
static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn hear(event: TraceEvent<'_>) {
    let TraceEvent::Stmt(statement, _) = event else { return };
    let sql = statement.sql();
    // FTS5's own, on tables that nobody else may write.
    if !sql.contains("chat_message_words_") {
        HEARD.lock().unwrap_or_else(PoisonError::into_inner).push(sql.into_owned());
    }
}

/// Everything since this was last asked.
fn heard() -> Vec<String> {
    std::mem::take(&mut *HEARD.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The plan of a statement, a step a line, indented as they belong together.
fn plan(connection: &Connection, sql: &str) -> rusqlite::Result<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    let (mut depths, mut plan) = (HashMap::from([(0, 0)]), String::new());
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let (id, parent): (i64, i64) = (row.get(0)?, row.get(1)?);
        let depth = depths.get(&parent).copied().unwrap_or_default();
        depths.insert(id, depth + 1);
        // Writing to a String cannot fail.
        let _ = writeln!(plan, "{:1$}{2}", "", 2 * depth, row.get::<_, String>(3)?);
    }
    Ok(plan)
}

/// The statements with their plans.
async fn explained(store: &SqliteRepository, statements: Vec<String>) -> Vec<(String, String)> {
    let explain = move |connection: &Connection| {
        let explain = |sql: &String| plan(connection, sql).map(|plan| (sql.clone(), plan));
        let explained = statements.iter().map(explain);
        Ok(explained.collect::<rusqlite::Result<_>>()?)
    };
    let explained = store.write(explain).await.expect("they are explained");
    heard();
    explained
}

/// Whether a step goes through all of a table, by its name or by the letter that our statements give it.
fn scans_a_table(plan: &str) -> bool {
    plan.lines().any(|step| {
        let scanned = step.trim_start().strip_prefix("SCAN ").and_then(|step| step.split(' ').next());
        scanned.is_some_and(|name| {
            ["m", "t", "o", "g"].contains(&name)
                || (name.starts_with("chat_") && !name.starts_with("chat_message_words"))
        })
    })
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000 + seconds, 0).expect("a time")
}

fn org() -> OrgId {
    OrgId::new("acme").expect("an id")
}

fn user() -> UserId {
    UserId::new("ada").expect("an id")
}

fn sender() -> UserId {
    UserId::new("s7").expect("an id")
}

fn lot(number: i64) -> MetadataFilter {
    MetadataFilter::new("/lot", number).expect("a filter")
}

fn message(n: i64) -> NewMessage {
    let metadata = json!({"lot": n % 100}).as_object().expect("an object").clone();
    let text = format!("every tenth{} rare{} some phrase of words", n % 10, n / 10);
    let content = Content::from(text).with_metadata(metadata);
    let role = if n % 100 == 0 { Role::System } else { Role::User };
    let mut message = NewMessage::new(UuidV7Generator.message_id(), role, content, at(n));
    message.sender_id = Some(UserId::new(format!("s{}", n % 50)).expect("an id"));
    message
}

/// A long thread, many short ones, and those of another organization.
async fn fill(store: &SqliteRepository) -> ThreadId {
    let mut first = None;
    for number in 0..200 {
        let org = if number % 10 == 9 { OrgId::new("other").expect("an id") } else { org() };
        let scope = Scope::org(org.clone());
        let id = UuidV7Generator.thread_id();
        let mut new = NewThread::new(id, org, user(), format!("Thread {number}"), at(number));
        new.metadata = json!({"lot": number % 100}).as_object().expect("an object").clone();
        store.create_thread(&scope, new).await.expect("a thread");
        let count = if number == 0 { MANY } else { 5 };
        let messages = Append::new((0..count).map(message));
        store.append(&scope, id, messages).await.expect("an append");
        first.get_or_insert(id);
    }
    first.expect("a thread")
}

fn message_filters() -> Vec<(&'static str, MessageFilter)> {
    let filter = MessageFilter::new;
    vec![
        ("nothing", filter()),
        ("role", filter().role(Role::System)),
        ("sender", filter().sender_id(sender())),
        ("dates", filter().created(at(1_000), at(2_000))),
        ("metadata", filter().metadata(lot(7))),
        ("all", filter().role(Role::User).sender_id(sender()).created(at(1_000), None).metadata(lot(7))),
    ]
}

fn searches() -> Vec<(String, SearchQuery)> {
    let texts = ["every", "tenth3", "rare77", "\"some phrase of words\"", "ten*", "tenth1 OR rare9"];
    let texts = texts.into_iter().chain(["every -tenth3"]);
    let mut searches: Vec<_> = texts.map(|text| (text.to_owned(), SearchQuery::new(text))).collect();
    for (name, filter) in message_filters() {
        searches.push((format!("filter by {name}"), SearchQuery::default().filter(filter.clone())));
        searches.push((format!("a word and {name}"), SearchQuery::new("tenth7").filter(filter)));
    }
    searches
}

/// Asks for everything, a first page and the one behind it; gives what was run for each.
async fn ask(store: &SqliteRepository, thread: ThreadId) -> Vec<(String, Vec<String>)> {
    let mut asked = Vec::new();
    let everybody = Scope::org(org());
    let scopes = [
        ("organization", everybody.clone(), None),
        ("user", Scope::user(org(), user()), None),
        ("thread", everybody.clone(), Some(thread)),
    ];
    heard();
    for (who, scope, of) in scopes {
        for (what, search) in searches() {
            for order in [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance] {
                let mut query = search.clone().order(order).limit(20);
                query.thread = of;
                let page = store.search_messages(&scope, &query).await.expect("it is found");
                if let Some(next) = page.next {
                    store.search_messages(&scope, &query.behind(next)).await.expect("it is found");
                }
                asked.push((format!("search of {what} in {who}, {order:?}"), heard()));
            }
        }
    }
    for (what, filter) in message_filters() {
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let query = MessageQuery::default().filter(filter.clone()).order(order).limit(20);
            let page = store.list_messages(&everybody, thread, &query).await.expect("a list");
            if let Some(next) = page.next {
                store.list_messages(&everybody, thread, &query.behind(next)).await.expect("a list");
            }
            asked.push((format!("messages by {what}, {order:?}"), heard()));
        }
    }
    for (who, scope) in [("organization", everybody.clone()), ("user", Scope::user(org(), user()))] {
        let first = || ThreadQuery::first(20);
        for (what, query) in [
            ("nothing", first()),
            ("name", first().name_contains("thread 7")),
            ("created", first().created(at(10), at(100))),
            ("updated", first().updated(at(10), at(100))),
            ("metadata", first().metadata(lot(11))),
            ("nothing, with previews", first().with_preview()),
            ("name, with previews", first().name_contains("thread 7").with_preview()),
        ] {
            let page = store.list_threads(&scope, &query).await.expect("a list");
            if let Some(next) = page.next {
                store.list_threads(&scope, &query.behind(next)).await.expect("a list");
            }
            asked.push((format!("threads of {who} by {what}"), heard()));
        }
    }
    asked.push(("calls that write".to_owned(), write(store).await));
    asked
}

/// Each of them, on a thread of its own.
async fn write(store: &SqliteRepository) -> Vec<String> {
    let (scope, id) = (Scope::user(org(), user()), UuidV7Generator.thread_id());
    let new = NewThread::new(id, org(), user(), "a thread", at(0));
    store.create_thread(&scope, new).await.expect("a thread");
    let change = ThreadUpdate::new(at(1)).name("new").metadata(serde_json::Map::new());
    store.update_thread(&scope, id, change).await.expect("an update");
    let said = store.append(&scope, id, Append::new((0..3).map(message))).await.expect("an append");
    store
        .edit_message(&scope, id, said.messages[0].id, MessageEdit::new("new", at(2)))
        .await
        .expect("an edit");
    store.get_message(&scope, id, said.messages[0].id).await.expect("a message");
    store.list_revisions(&scope, id, said.messages[0].id).await.expect("revisions");
    store.delete_message(&scope, id, said.messages[1].id, at(3).into()).await.expect("it is deleted");
    store.clear_messages(&scope, id, at(4).into()).await.expect("it is cleared");
    store.delete_thread(&scope, id, None).await.expect("it is deleted");
    heard()
}

#[tokio::test]
async fn no_question_scans_a_table() {
    let store = SqliteRepository::open(SqliteConfig::in_memory()).await.expect("a database in memory");
    let thread = fill(&store).await;
    let listen = |connection: &Connection| {
        connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(hear));
        Ok(())
    };
    // In memory, one connection does everything.
    store.write(listen).await.expect("it listens");
    for statistics in [false, true] {
        if statistics {
            let analyze = |connection: &Connection| Ok(connection.execute_batch("ANALYZE")?);
            store.write(analyze).await.expect("there are statistics");
        }
        let mut faults = Vec::new();
        for (name, statements) in ask(&store, thread).await {
            assert!(statements.iter().any(|sql| sql.contains("SELECT")), "nothing was heard of {name}");
            for (sql, plan) in explained(&store, statements).await {
                if scans_a_table(&plan) {
                    faults.push(format!("## {name}\n{sql}\n{plan}"));
                }
            }
        }
        faults.dedup();
        assert!(faults.is_empty(), "{} with statistics {statistics}:\n{}", faults.len(), faults.join("\n"));

        // What an organization said last is read from the index in its order.
        for order in [SearchOrder::Newest, SearchOrder::Oldest] {
            let query = SearchQuery::default().order(order).limit(20);
            store.search_messages(&Scope::org(org()), &query).await.expect("a page");
            let plans = explained(&store, heard()).await;
            let read = plans.iter().find(|(_, plan)| plan.contains("chat_message_recent"));
            let (_, plan) = read.unwrap_or_else(|| panic!("the index is not used: {plans:?}"));
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
