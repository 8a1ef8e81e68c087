//! SQLite scans no table for what is asked of it, with and without statistics.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{
    Append, BranchId, BranchPoint, BranchRename, BranchRepository as _, Content, Fork, IdGenerator as _,
    MessageEdit, MessageFilter, MessageQuery, MessageRepository as _, MessageSearch as _, MetadataFilter,
    NewBranch, NewMessage, NewThread, Order, OrgId, Position, Role, Scope, SearchQuery, ThreadId,
    ThreadQuery, ThreadRepository as _, ThreadUpdate, Timestamp, UserId, UuidV7Generator,
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
            ["m", "t", "o", "g", "b", "l"].contains(&name)
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

/// A branch that starts behind a position of the main one.
async fn branch(store: &SqliteRepository, scope: &Scope, thread: ThreadId, through: i64) -> BranchId {
    let point = BranchPoint::new(BranchId::MAIN, Position::new(through).expect("a position"));
    let new = NewBranch::new(UuidV7Generator.request_id(), point, at(0));
    store.create_branch(scope, thread, new).await.expect("a branch").id
}

/// A long thread with a long branch, many short ones, and those of another organization.
async fn fill(store: &SqliteRepository) -> (ThreadId, BranchId) {
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
        if number % 4 == 0 {
            branch(store, &scope, id, 2).await;
        }
        first.get_or_insert(id);
    }
    let first = first.expect("a thread");
    let branch = branch(store, &Scope::org(org()), first, MANY / 2).await;
    let messages = Append::new((0..MANY).map(message)).branch(branch);
    store.append(&Scope::org(org()), first, messages).await.expect("an append");
    (first, branch)
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
async fn ask(store: &SqliteRepository, (thread, branch): (ThreadId, BranchId)) -> Vec<(String, Vec<String>)> {
    let mut asked = Vec::new();
    let everybody = Scope::org(org());
    let scopes = [
        ("organization", everybody.clone(), None, None),
        ("user", Scope::user(org(), user()), None, None),
        ("thread", everybody.clone(), Some(thread), None),
        ("branch", everybody.clone(), Some(thread), Some(branch)),
    ];
    heard();
    for (who, scope, of, on) in scopes {
        for (what, search) in searches() {
            for order in [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance] {
                let mut query = search.clone().order(order).limit(20);
                (query.thread, query.branch) = (of, on);
                let page = store.search_messages(&scope, &query).await.expect("it is found");
                if let Some(next) = page.next {
                    store.search_messages(&scope, &query.behind(next)).await.expect("it is found");
                }
                asked.push((format!("search of {what} in {who}, {order:?}"), heard()));
            }
        }
    }
    for (what, filter) in message_filters() {
        let both = [Order::OldestFirst, Order::NewestFirst].map(|order| (order, BranchId::MAIN));
        for (order, on) in both.into_iter().chain(both.map(|(order, _)| (order, branch))) {
            let query = MessageQuery::default().filter(filter.clone()).order(order).limit(20).branch(on);
            let page = store.list_messages(&everybody, thread, &query).await.expect("a list");
            if let Some(next) = page.next {
                store.list_messages(&everybody, thread, &query.clone().behind(next)).await.expect("a list");
            }
            // So far that a part of the path is left out.
            store.list_messages(&everybody, thread, &query.offset(5_000)).await.expect("a list");
            asked.push((format!("messages by {what} on {on}, {order:?}"), heard()));
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
            ("origin", first().forked_from(thread)),
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
    let list = ThreadQuery::first(20).forked_from(thread);
    store.list_threads(&Scope::operator(), &list).await.expect("a list");
    asked.push(("forks, for the operator".to_owned(), heard()));
    asked.push(("calls that write".to_owned(), write(store).await));
    asked.push(("calls about branches".to_owned(), write_branches(store, thread).await));
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

/// The same on branches of a long thread.
async fn write_branches(store: &SqliteRepository, thread: ThreadId) -> Vec<String> {
    let scope = Scope::org(org());
    let (one, other) = (branch(store, &scope, thread, 10).await, branch(store, &scope, thread, 20).await);
    store.list_branches(&scope, thread).await.expect("branches");
    let rename = BranchRename::new("named", at(1));
    store.rename_branch(&scope, thread, one, rename).await.expect("it is renamed");
    store.append(&scope, thread, Append::new((0..300).map(message)).branch(one)).await.expect("an append");
    let update = ThreadUpdate::new(at(1)).active_branch(other);
    store.update_thread(&scope, thread, update).await.expect("an update");
    let list = ThreadQuery::first(20).with_preview();
    store.list_threads(&scope, &list).await.expect("a list");
    let new = NewThread::new(UuidV7Generator.thread_id(), org(), user(), "a fork", at(0));
    let from = BranchPoint::new(one, Position::new(10).expect("a position"));
    let fork = store.fork_thread(&scope, thread, Fork::new(new, from)).await.expect("a fork");
    store.delete_thread(&scope, fork.id, None).await.expect("it is deleted");
    let end = Position::new(10).expect("a position");
    store.truncate_branch(&scope, thread, one, end, at(2).into()).await.expect("it is truncated");
    for branch in [one, other] {
        store.delete_branch(&scope, thread, branch, at(3).into()).await.expect("it is deleted");
    }
    heard()
}

#[tokio::test]
async fn no_question_scans_a_table() {
    let store = SqliteRepository::open(SqliteConfig::in_memory()).await.expect("a database in memory");
    let filled = fill(&store).await;
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
        for (name, statements) in ask(&store, filled).await {
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
