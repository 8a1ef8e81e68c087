//! The statements of appends.

use std::collections::HashMap;

use chatkeep_domain::search::ANALYZER_VERSION;
use chatkeep_domain::{OrgId, ThreadId, Timestamp, UserId};
use sea_orm::sea_query::{ArrayType, Value};

use super::batch::{Batch, Item};
use crate::search::tsvector;
use crate::sql::Sql;
use crate::threads::Target;

const MESSAGE_COLUMNS: &str =
    "org_id, chat_thread_id, position, id, sender_id, sender_role, content, created_at, updated_at";

/// One thread, found by its key.
///
/// A message by itself is given as plain values, not as arrays of one: measured, 8 µs of the client's 40 for an append.
pub(super) fn append_one(batch: &Batch<'_>) -> Sql {
    let count = i64::try_from(batch.items.len()).unwrap_or(i64::MAX);
    let sql = Sql::new("WITH head AS (UPDATE chat_thread SET next_position = next_position + ")
        .bind("", count)
        .bind(", updated_at = GREATEST(updated_at, ", batch.latest())
        .text(") WHERE ");
    let sql = batch
        .target
        .filter(sql)
        .bind_some(" AND next_position = ", batch.expected_next())
        .bind(" RETURNING org_id, id, user_id, next_position - ", count)
        .text(" AS allotted), stored AS (INSERT INTO chat_message (")
        .text(MESSAGE_COLUMNS)
        .text(index_columns(&batch.items))
        .text(") SELECT h.org_id, h.id, h.allotted");
    let sql = match &*batch.items {
        [item] => message(sql, item, batch.target).text(" FROM head AS h"),
        items => {
            let sql = sql
                .text(" + m.n - 1, m.id, NULLIF(m.sender_id, ''), m.sender_role, m.content, m.created_at")
                .text(", m.created_at");
            let sql = if is_indexed(items) {
                tsvector::cast(sql.text(", m.search"), batch.target, None)
                    .text(&format!(", {ANALYZER_VERSION}"))
            } else {
                sql
            };
            messages(sql.text(" FROM head AS h,"), items, None)
        }
    };
    sql.text(") SELECT 0::bigint, allotted FROM head")
}

fn message(sql: Sql, item: &Item<'_>, target: &Target) -> Sql {
    let at = item.message.created_at;
    let sql = sql
        .bind(", ", *item.message.id.as_uuid())
        .bind(", ", item.message.sender_id.as_ref().map(UserId::as_str))
        .bind(", ", item.message.sender_role.as_str())
        .bind(", ", item.content)
        .bind(", ", at)
        .bind(", ", at);
    match item.entry {
        Some(entry) => tsvector::cast(sql.bind(", ", entry.words.as_str()), target, None)
            .text(&format!(", {ANALYZER_VERSION}")),
        None => sql,
    }
}

/// Several threads: each is held, in the order of their keys, so that no two of these statements wait for each other.
pub(super) fn append_several(batches: &[Batch<'_>]) -> Sql {
    let (threads, places) = threads(batches);
    let items: Vec<_> = batches.iter().flat_map(|batch| batch.items.iter().copied()).collect();
    let sql = wanted(Sql::new("WITH wanted AS (SELECT * FROM unnest("), &threads)
        .text(", held AS (SELECT w.n FROM chat_thread AS t JOIN wanted AS w ON t.org_id = w.org_id AND t.id = w.id")
        .text(" AND t.user_id = COALESCE(NULLIF(w.user_id, ''), t.user_id)")
        .text(" ORDER BY t.org_id, t.id FOR UPDATE OF t)")
        .text(", head AS (UPDATE chat_thread AS t SET next_position = t.next_position + w.count")
        .text(", updated_at = GREATEST(t.updated_at, w.at) FROM held JOIN wanted AS w USING (n)")
        .text(" WHERE t.org_id = w.org_id AND t.id = w.id")
        .text(" RETURNING w.n, w.mark, t.org_id, t.id, t.user_id, t.next_position - w.count AS allotted)")
        .text(", stored AS (INSERT INTO chat_message (")
        .text(MESSAGE_COLUMNS)
        .text(index_columns(&items))
        .text(") SELECT h.org_id, h.id, h.allotted + m.place, m.id, NULLIF(m.sender_id, ''), m.sender_role, m.content")
        .text(", m.created_at, m.created_at");
    let sql = if is_indexed(&items) {
        // Where a target names no owner, its entries have no mark of one yet; twice is the same as once.
        let is_marked = batches.iter().all(|batch| batch.target.user.is_some());
        let mark = if is_marked {
            ""
        } else {
            " || array_to_tsvector(ARRAY[h.mark || h.user_id || '@' || h.org_id])"
        };
        sql.text(", m.search::tsvector").text(mark).text(&format!(", {ANALYZER_VERSION}"))
    } else {
        sql
    };
    let sql = messages(sql.text(" FROM head AS h JOIN"), &items, Some(&places))
        .text(" ON m.thread = h.n) SELECT b.n - 1, h.allotted + b.place FROM head AS h JOIN unnest(");
    let (of, at) =
        places.iter().filter(|place| place.is_first).map(|place| (place.thread, place.offset)).unzip();
    sql.bind("", int8s(of))
        .bind(", ", int8s(at))
        .text(") WITH ORDINALITY AS b(thread, place, n) ON b.thread = h.n")
}

/// A thread that gets messages of one or several batches.
struct Thread<'a> {
    target: &'a Target,
    count: i64,
    latest: Timestamp,
}

/// Where a message goes.
struct Place {
    /// The number of its thread, from 1 on.
    thread: i64,
    /// Behind how many others in this statement.
    offset: i64,
    /// Whether its batch begins with it.
    is_first: bool,
}

fn threads<'a>(batches: &[Batch<'a>]) -> (Vec<Thread<'a>>, Vec<Place>) {
    let mut numbers: HashMap<(&OrgId, ThreadId), usize> = HashMap::new();
    let (mut threads, mut places): (Vec<Thread<'a>>, Vec<Place>) = (Vec::new(), Vec::new());
    for batch in batches {
        let number = *numbers.entry((&batch.target.org, batch.target.id)).or_insert_with(|| {
            threads.push(Thread { target: batch.target, count: 0, latest: batch.latest() });
            threads.len()
        });
        let thread = &mut threads[number - 1];
        thread.latest = thread.latest.max(batch.latest());
        for index in 0..batch.items.len() {
            let thread_number = i64::try_from(number).unwrap_or(i64::MAX);
            places.push(Place { thread: thread_number, offset: thread.count, is_first: index == 0 });
            thread.count += 1;
        }
    }
    (threads, places)
}

fn wanted(sql: Sql, threads: &[Thread<'_>]) -> Sql {
    let user = |thread: &Thread<'_>| thread.target.user.as_ref().map_or("", UserId::as_str).into();
    sql.bind("", array(ArrayType::String, threads.iter().map(|thread| thread.target.org.as_str().into())))
        .bind(", ", array(ArrayType::Uuid, threads.iter().map(|thread| (*thread.target.id.as_uuid()).into())))
        .bind(", ", array(ArrayType::String, threads.iter().map(user)))
        .bind(", ", int8s(threads.iter().map(|thread| thread.count).collect()))
        .bind(", ", array(ArrayType::ChronoDateTimeUtc, threads.iter().map(|thread| thread.latest.into())))
        .bind(
            ", ",
            array(
                ArrayType::String,
                threads.iter().map(|thread| tsvector::owner_prefix(&thread.target.org).into()),
            ),
        )
        .text(") WITH ORDINALITY AS w(org_id, id, user_id, count, at, mark, n))")
}

/// The messages as one array a column.
fn messages(sql: Sql, items: &[Item<'_>], places: Option<&[Place]>) -> Sql {
    let strings = |text: fn(&Item<'_>) -> Value| array(ArrayType::String, items.iter().map(text));
    let times = items.iter().map(|item| item.message.created_at.into());
    let mut columns = "m(id, sender_id, sender_role, content, created_at".to_owned();
    let mut sql = sql
        .bind(
            " unnest(",
            array(ArrayType::Uuid, items.iter().map(|item| (*item.message.id.as_uuid()).into())),
        )
        .bind(", ", strings(|item| item.sender().into()))
        .bind(", ", strings(|item| item.message.sender_role.as_str().into()))
        .bind(", ", strings(|item| item.content.into()))
        .bind(", ", array(ArrayType::ChronoDateTimeUtc, times));
    if is_indexed(items) {
        sql = sql.bind(", ", strings(|item| item.entry.map_or("", |entry| entry.words.as_str()).into()));
        columns.push_str(", search");
    }
    if let Some(places) = places {
        sql = sql.bind(", ", int8s(places.iter().map(|place| place.thread).collect()));
        sql = sql.bind(", ", int8s(places.iter().map(|place| place.offset).collect()));
        columns.push_str(", thread, place");
    }
    sql.text(&format!(") WITH ORDINALITY AS {columns}, n)"))
}

fn index_columns(items: &[Item<'_>]) -> &'static str {
    if is_indexed(items) { ", search, search_version" } else { "" }
}

fn is_indexed(items: &[Item<'_>]) -> bool {
    items.iter().any(|item| item.entry.is_some())
}

fn int8s(numbers: Vec<i64>) -> Value {
    array(ArrayType::BigInt, numbers.into_iter().map(Value::from))
}

fn array(kind: ArrayType, values: impl Iterator<Item = Value>) -> Value {
    Value::Array(kind, Some(Box::new(values.collect())))
}
