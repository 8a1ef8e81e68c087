//! The append: one statement on PostgreSQL, one transaction of two on SQLite.
//!
//! The statement is written for the usual case and refuses everything else at once: a thread that is absent, out of
//! scope or elsewhere than the caller expects updates no row; an id that is there already breaks the unique key.
//! Only then does a transaction look what it was.

use std::collections::HashMap;

use chatkeep_domain::search::ANALYZER_VERSION;
use chatkeep_domain::{
    Append, ChatMessage, MessageId, NewMessage, Position, Scope, StoreError, ThreadId, UserId,
};
use sea_orm::QueryResult;
use sea_orm::sea_query::{ArrayType, Value};

use crate::SeaOrmRepository;
use crate::connection::Connection;
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::row::{self, MESSAGE_COLUMNS};
use crate::search::entry::Entry;
use crate::search::{fts5, tsvector};
use crate::sql::Sql;
use crate::threads::Target;

/// The ids looked up by one statement; SQLite takes 32,766 values, PostgreSQL 65,535.
const IDS_PER_STATEMENT: usize = 10_000;

impl SeaOrmRepository {
    pub(crate) async fn append_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        append: Append,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        let contents = append.encode()?;
        let target = self.db.run(|| self.target(scope, thread)).await?;
        let entry = |message: &NewMessage| {
            let sender = message.sender_id.as_ref();
            self.is_indexed.then(|| Entry::of(self.db.dialect, &target, &message.content, sender))
        };
        let entries: Vec<_> = append.messages.iter().map(entry).collect();
        let batch: Vec<_> = append
            .messages
            .iter()
            .zip(&contents)
            .zip(&entries)
            .map(|((message, content), entry)| Item { message, content, entry: entry.as_ref() })
            .collect();
        let appended = self.db.run(|| self.try_append(&target, &append, &batch)).await?;
        match appended {
            Appended::At(first) => stored(thread, append.messages, first),
            Appended::Known(messages) => Ok(messages),
        }
    }

    async fn try_append(
        &self,
        target: &Target,
        append: &Append,
        batch: &[Item<'_>],
    ) -> Result<Appended, Failure> {
        if !batch.is_empty() {
            match self.append_at_once(target, append, batch).await {
                Ok(Some(first)) => return Ok(Appended::At(first)),
                Ok(None) => {}
                Err(failure) if failure.is_key_violation(self.db.dialect) => {}
                Err(failure) => return Err(failure),
            }
        }
        self.append_looking(target, append, batch).await.map(Appended::Known)
    }

    /// The usual case. `None` when no thread was there to append to.
    async fn append_at_once(
        &self,
        target: &Target,
        append: &Append,
        batch: &[Item<'_>],
    ) -> Result<Option<i64>, Failure> {
        let dialect = self.db.dialect;
        match dialect {
            Dialect::Postgres => {
                let sql = allot(dialect, Sql::new("WITH head AS ("), target, append, batch.len()).text(") ");
                let sql = insert(dialect, sql.text(", stored AS ("), target, batch, None);
                let row = sql.text(") SELECT allotted FROM head").row(self.db.writer()).await?;
                row.map(|row| row.try_get_by_index(0)).transpose().map_err(Failure::from)
            }
            Dialect::Sqlite => {
                let sql = allot(dialect, Sql::default(), target, append, batch.len());
                let transaction = self.db.begin().await?;
                let Some(row) = sql.row(transaction.connection()).await? else {
                    return Ok(None);
                };
                let head = Head::read(&row)?;
                self.insert_at(transaction.connection(), target, batch, &head).await?;
                transaction.commit().await?;
                Ok(Some(head.first))
            }
        }
    }

    /// Inserts the batch at positions that were allotted before.
    async fn insert_at(
        &self,
        connection: Connection<'_>,
        target: &Target,
        batch: &[Item<'_>],
        head: &Head,
    ) -> Result<(), Failure> {
        let dialect = self.db.dialect;
        insert(dialect, Sql::default(), target, batch, Some(head)).execute(connection).await?;
        if dialect == Dialect::Sqlite && self.is_indexed {
            let entries = batch.iter().filter_map(|item| item.entry);
            fts5::insert(target, &head.user, head.first, entries).execute(connection).await?;
        }
        Ok(())
    }

    /// Every other case, with the thread held: says what is wrong, or stores what is not stored yet.
    async fn append_looking(
        &self,
        target: &Target,
        append: &Append,
        batch: &[Item<'_>],
    ) -> Result<Vec<ChatMessage>, Failure> {
        let dialect = self.db.dialect;
        let transaction = self.db.begin().await?;
        let connection = transaction.connection();
        let head = self.lock_thread(connection, target).await?.head;
        let mut known = self.read_known(connection, target, &append.messages).await?;
        let is_missing = |item: &Item<'_>| !known.contains_key(&item.message.id);
        let missing: Vec<_> = batch.iter().copied().filter(is_missing).collect();
        let is_retry = missing.is_empty();
        if let Some(expected) = append.expect_head.filter(|expected| *expected != head && !is_retry) {
            return Err(StoreError::Conflict { expected, actual: head }.into());
        }
        if !missing.is_empty() {
            let row = allot(dialect, Sql::default(), target, append, missing.len()).row(connection).await?;
            let head = Head::read(&row.ok_or_else(|| target.not_found())?)?;
            self.insert_at(connection, target, &missing, &head).await?;
            let messages = missing.into_iter().map(|item| item.message.clone()).collect();
            known.extend(
                stored(target.id, messages, head.first)?.into_iter().map(|message| (message.id, message)),
            );
        }
        transaction.commit().await?;
        Ok(append.messages.iter().filter_map(|message| known.remove(&message.id)).collect())
    }

    async fn read_known(
        &self,
        connection: Connection<'_>,
        target: &Target,
        messages: &[NewMessage],
    ) -> Result<HashMap<MessageId, ChatMessage>, Failure> {
        let mut known = HashMap::new();
        for messages in messages.chunks(IDS_PER_STATEMENT) {
            let ids = messages.iter().map(|message| *message.id.as_uuid());
            let sql = target
                .filter_messages(Sql::new(format!("SELECT {MESSAGE_COLUMNS} FROM chat_message WHERE ")))
                .bind_list(" AND id IN", ids);
            for row in sql.rows(connection).await? {
                let message = row::message(self.db.dialect, &row)?;
                known.insert(message.id, message);
            }
        }
        Ok(known)
    }
}

enum Appended {
    /// All of it, from this position on.
    At(i64),
    /// Some of it was there before.
    Known(Vec<ChatMessage>),
}

/// A message to be inserted, with what is made of it once for all attempts.
#[derive(Clone, Copy)]
struct Item<'a> {
    message: &'a NewMessage,
    content: &'a str,
    /// `None` where no index is kept.
    entry: Option<&'a Entry>,
}

/// What allotting positions gives.
struct Head {
    first: i64,
    /// The thread's owner.
    user: String,
}

impl Head {
    fn read(row: &QueryResult) -> Result<Self, Failure> {
        Ok(Self { first: row.try_get_by_index(0)?, user: row.try_get_by_index(1)? })
    }
}

/// The messages as they now are in the table.
fn stored(thread: ThreadId, messages: Vec<NewMessage>, first: i64) -> Result<Vec<ChatMessage>, StoreError> {
    let first = Position::new(first)?;
    let at = |(index, message): (usize, NewMessage)| Ok(message.into_message(thread, first.advance(index)?));
    messages.into_iter().enumerate().map(at).collect()
}

/// Goes on with the statement that takes `count` positions from the thread and returns the first.
fn allot(dialect: Dialect, sql: Sql, target: &Target, append: &Append, count: usize) -> Sql {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let at = append.latest().unwrap_or_default();
    let sql = sql
        .bind("UPDATE chat_thread SET next_position = next_position + ", count)
        .text(", updated_at = ")
        .text(dialect.greatest())
        .bind("(updated_at, ", dialect.timestamp(at))
        .text(") WHERE ");
    target
        .filter(sql)
        .bind_some(" AND next_position = ", append.expect_head.map(|head| head.get().saturating_add(1)))
        .bind(" RETURNING next_position - ", count)
        .text(" AS allotted, user_id")
}

/// Goes on with the statement that inserts the batch, in order: at the head that is known, or that an expression `head`
/// of the same statement gives.
fn insert(dialect: Dialect, sql: Sql, target: &Target, batch: &[Item<'_>], known: Option<&Head>) -> Sql {
    let is_indexed = batch.iter().any(|item| item.entry.is_some());
    let index = match dialect {
        Dialect::Postgres if is_indexed => ", search, search_version",
        Dialect::Sqlite if is_indexed => ", search_version",
        _ => "",
    };
    let sql = sql
        .text("INSERT INTO chat_message (org_id, chat_thread_id, position, ")
        .text("id, sender_id, sender_role, content, created_at, updated_at")
        .text(index)
        .text(") SELECT")
        .bind(" ", target.org.as_str())
        .bind(", ", *target.id.as_uuid());
    let sql = match known {
        None => sql.text(", allotted"),
        Some(head) => sql.bind(", ", head.first),
    };
    match dialect {
        Dialect::Postgres => {
            let sql = sql
                .text(" + m.n - 1, m.id, NULLIF(m.sender_id, ''), m.sender_role, m.content, m.created_at, m.created_at");
            let user = known.map(|head| head.user.as_str());
            let sql = if is_indexed { tsvector::cast(sql.text(", m.search"), target, user) } else { sql };
            let sql = if is_indexed { sql.text(&format!(", {ANALYZER_VERSION}")) } else { sql };
            let sql = sql.text(if known.is_some() { " FROM" } else { " FROM head," });
            bind_arrays(sql, batch, is_indexed)
        }
        Dialect::Sqlite => {
            let sql = sql
                .text(
                    " + m.key, unhex(m.value ->> 0), NULLIF(m.value ->> 1, ''), m.value ->> 2, m.value ->> 3",
                )
                .text(", m.value ->> 4, m.value ->> 4");
            let sql = if is_indexed { sql.text(&format!(", {ANALYZER_VERSION}")) } else { sql };
            sql.bind(" FROM json_each(", json_rows(batch)).text(") AS m")
        }
    }
}

/// The batch as one array a column. No sender is an empty one, which a user id cannot be: arrays of SeaORM hold no
/// nulls.
fn bind_arrays(sql: Sql, batch: &[Item<'_>], is_indexed: bool) -> Sql {
    fn array(kind: ArrayType, values: impl Iterator<Item = Value>) -> Value {
        Value::Array(kind, Some(Box::new(values.collect())))
    }
    let sender = |message: &NewMessage| message.sender_id.as_ref().map_or("", UserId::as_str).to_owned();
    let sql = sql
        .bind(
            " unnest(",
            array(ArrayType::Uuid, batch.iter().map(|item| (*item.message.id.as_uuid()).into())),
        )
        .bind(", ", array(ArrayType::String, batch.iter().map(|item| sender(item.message).into())))
        .bind(
            ", ",
            array(ArrayType::String, batch.iter().map(|item| item.message.sender_role.as_str().into())),
        )
        .bind(", ", array(ArrayType::String, batch.iter().map(|item| item.content.into())))
        .bind(
            ", ",
            array(ArrayType::ChronoDateTimeUtc, batch.iter().map(|item| item.message.created_at.into())),
        );
    let columns = "m(id, sender_id, sender_role, content, created_at";
    if !is_indexed {
        return sql.text(&format!(") WITH ORDINALITY AS {columns}, n)"));
    }
    let vectors = batch.iter().map(|item| item.entry.map_or("", |entry| entry.words.as_str()).into());
    sql.bind(", ", array(ArrayType::String, vectors))
        .text(&format!(") WITH ORDINALITY AS {columns}, search, n)"))
}

/// The batch as JSON, an array a message: SQLite has no arrays.
fn json_rows(batch: &[Item<'_>]) -> String {
    let rows: serde_json::Value = batch
        .iter()
        .map(|Item { message, content, .. }| {
            serde_json::json!([
                message.id.as_uuid().as_simple().to_string(),
                message.sender_id.as_ref().map_or("", UserId::as_str),
                message.sender_role.as_str(),
                content,
                message.created_at.timestamp_micros(),
            ])
        })
        .collect();
    rows.to_string()
}
