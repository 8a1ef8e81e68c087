//! Fills the index again, in batches.

use chatkeep_domain::search::{ANALYZER_VERSION, fold_text};
use chatkeep_domain::{Entity, Metadata, OrgId, StoreError};
use sea_orm::sea_query::ArrayType;
use sea_orm::{DbErr, QueryResult, Value};
use serde_json::json;
use uuid::Uuid;

use super::Migrations;
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::row::{self, MESSAGE_COLUMNS};
use crate::search::entry::Entry;
use crate::search::{fts5, tsvector};
use crate::sql::Sql;
use crate::tags;
use crate::threads::Target;

/// How many rows one transaction takes at the most: as long as it runs, nobody else edits them, and on SQLite nobody
/// else writes.
const MAX_ROWS: u64 = 200;

/// How many bytes one transaction takes at the most, unless a single row has more.
const MAX_BYTES: i64 = 8 * 1_024 * 1_024;

/// How many rows one statement looks at, at the most, for those that are to be done. Where nearly all are done, it takes
/// no longer than a call may.
const MAX_WINDOW: u64 = 10_000;

/// The most corrupt rows that are remembered.
const MAX_NAMED: usize = 100;

/// An index that is being filled again: see [`Migrations::reindex`].
#[derive(Debug)]
pub struct Reindex<'a> {
    migrations: &'a Migrations,
    /// Rows of the version that is current are done, unless all are to be done again.
    all: bool,
    /// `None` when every row was looked at.
    table: Option<Table>,
    /// The last row of the table that was looked at.
    place: Option<Place>,
    /// How many rows the next look takes: more and more as long as there is nothing to do.
    window: u64,
    corrupt: u64,
    corrupt_rows: Vec<StoreError>,
}

/// Threads first: they are few, and lists of them are what people see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    Threads,
    Messages,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Threads => "chat_thread",
            Self::Messages => "chat_message",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Threads => "org_id, id",
            Self::Messages => "org_id, chat_thread_id, position",
        }
    }

    /// What of a row can be long.
    fn text(self) -> &'static str {
        match self {
            Self::Threads => "metadata",
            Self::Messages => "content",
        }
    }
}

/// The key of a row.
#[derive(Debug, Clone)]
struct Place {
    org: String,
    thread: Uuid,
    /// Of a message.
    position: Option<i64>,
}

impl Place {
    fn read(table: Table, row: &QueryResult) -> Result<Self, DbErr> {
        let position = (table == Table::Messages).then(|| row.try_get_by_index(2)).transpose()?;
        Ok(Self { org: row.try_get_by_index(0)?, thread: row.try_get_by_index(1)?, position })
    }

    fn values(&self) -> impl Iterator<Item = Value> {
        let key: [Value; 2] = [self.org.as_str().into(), self.thread.into()];
        key.into_iter().chain(self.position.map(Value::from))
    }
}

/// What a batch did.
struct Done {
    rows: u64,
    corrupt: Vec<StoreError>,
}

impl Migrations {
    /// How many threads and messages are not in the index, or were put there by another version of the analyzer: those
    /// written before there was one, by a store [without search](crate::SeaOrmRepository::without_search), or by an
    /// earlier chatkeep. Searches and filters do not find them. The whole table is read, without a deadline.
    ///
    /// # Errors
    /// [`StoreError::NotMigrated`], [`StoreError::Unavailable`] or [`StoreError::Backend`].
    pub async fn count_unindexed(&self) -> Result<u64, StoreError> {
        self.count(&format!("WHERE {}", stale())).await
    }

    /// Whether [`count_unindexed`](Self::count_unindexed) is more than 0; it looks no further than the first.
    pub(crate) async fn has_unindexed(&self) -> Result<bool, StoreError> {
        let stale = stale();
        let sql = Sql::new(format!(
            "SELECT EXISTS (SELECT 1 FROM chat_message WHERE {stale}) OR EXISTS (SELECT 1 FROM chat_thread WHERE {stale})"
        ));
        self.db
            .run(|| async {
                let row = sql.row(self.db.reader()).await?;
                Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default())
            })
            .await
    }

    /// How many threads and messages there are.
    ///
    /// # Errors
    /// As [`count_unindexed`](Self::count_unindexed).
    pub async fn count_indexable(&self) -> Result<u64, StoreError> {
        self.count("").await
    }

    async fn count(&self, condition: &str) -> Result<u64, StoreError> {
        self.check().await?;
        let sql = Sql::new(format!(
            "SELECT (SELECT COUNT(*) FROM chat_message {condition}) + (SELECT COUNT(*) FROM chat_thread {condition})"
        ));
        self.count_rows(&sql).await
    }

    /// Begins to put into the index what is not in it, or, with `all`, everything anew. Nothing happens before
    /// [`Reindex::next_batch`].
    pub fn reindex(&self, all: bool) -> Reindex<'_> {
        Reindex {
            migrations: self,
            all,
            table: Some(Table::Threads),
            place: None,
            window: MAX_ROWS,
            corrupt: 0,
            corrupt_rows: Vec::new(),
        }
    }
}

fn stale() -> String {
    format!("COALESCE(search_version, 0) <> {ANALYZER_VERSION}")
}

impl Reindex<'_> {
    /// Does the next few rows in one transaction, and gives their number; 0 when all is done. The store may be used
    /// meanwhile. What a batch has done stays done: stop at any time, dropping the future included, and begin again.
    ///
    /// # Errors
    /// [`StoreError::NotMigrated`], [`StoreError::Unavailable`] or [`StoreError::Backend`]; call again to try the same
    /// batch again.
    pub async fn next_batch(&mut self) -> Result<u64, StoreError> {
        self.migrations.check().await?;
        while let Some(table) = self.table {
            let db = &self.migrations.db;
            let Some((until, rows)) = db.run(|| self.look(table)).await? else {
                self.table = (table == Table::Threads).then_some(Table::Messages);
                self.place = None;
                continue;
            };
            self.window = if rows > 0 { MAX_ROWS } else { MAX_WINDOW.min(2 * self.window) };
            let mut done = Done { rows: 0, corrupt: Vec::new() };
            if rows > 0 {
                done = match table {
                    Table::Threads => db.run(|| self.try_threads(&until)).await?,
                    Table::Messages => db.run(|| self.try_messages(&until)).await?,
                };
            }
            self.place = Some(until);
            self.corrupt += done.corrupt.len() as u64;
            let room = MAX_NAMED - self.corrupt_rows.len();
            self.corrupt_rows.extend(done.corrupt.into_iter().take(room));
            // Others may have done, or deleted, what was to be done.
            if done.rows > 0 {
                return Ok(done.rows);
            }
        }
        Ok(0)
    }

    /// How many threads and messages could not be decoded, so far: they are left as they are, and count as not indexed.
    pub fn corrupt(&self) -> u64 {
        self.corrupt
    }

    /// The first hundred of them: each a [`StoreError::CorruptRow`], which names it.
    pub fn corrupt_rows(&self) -> &[StoreError] {
        &self.corrupt_rows
    }

    fn condition(&self) -> String {
        if self.all { "TRUE".to_owned() } else { stale() }
    }

    /// Goes on with the condition on the place: behind the last batch.
    fn behind(&self, table: Table, sql: Sql) -> Sql {
        match &self.place {
            Some(place) => sql.bind_list(&format!(" AND ({}) >", table.key()), place.values()),
            None => sql,
        }
    }

    /// How far the next batch goes, and how many rows it has to do. `None` behind the last row.
    async fn look(&self, table: Table) -> Result<Option<(Place, u64)>, Failure> {
        let db = &self.migrations.db;
        let key = table.key();
        // SQLite reads the length from the row's head, as PostgreSQL does, and not the text.
        let sql = Sql::new(format!("SELECT {key}, {}", self.condition()))
            .text(&format!(", CAST(octet_length({}) AS bigint)", table.text()))
            .text(&format!(" FROM {} WHERE TRUE", table.name()));
        let sql = self.behind(table, sql).text(&format!(" ORDER BY {key} LIMIT {}", self.window));
        let (mut until, mut rows, mut bytes) = (None, 0, 0);
        let behind_key = key.split(',').count();
        for row in sql.rows(db.reader()).await? {
            if row.try_get_by_index(behind_key)? {
                bytes += row.try_get_by_index::<i64>(behind_key + 1)?;
                if rows == MAX_ROWS || (rows > 0 && bytes > MAX_BYTES) {
                    break;
                }
                rows += 1;
            }
            until = Some(Place::read(table, &row)?);
        }
        Ok(until.map(|until| (until, rows)))
    }

    /// The rows of a batch, in the order of their keys, as every batch takes them. They are held until its transaction
    /// ends: what an edit writes meanwhile waits, and is not overwritten.
    fn batch_sql(&self, table: Table, columns: &str, until: &Place) -> Sql {
        let key = table.key();
        let sql = Sql::new(format!("SELECT {columns} FROM {} WHERE {}", table.name(), self.condition()));
        let sql = self.behind(table, sql).bind_list(&format!(" AND ({key}) <="), until.values());
        let lock = match self.migrations.db.dialect {
            // As an UPDATE takes it: nothing that refers to the row waits.
            Dialect::Postgres => " FOR NO KEY UPDATE",
            Dialect::Sqlite => "",
        };
        sql.text(&format!(" ORDER BY {key}{lock}"))
    }

    async fn try_threads(&self, until: &Place) -> Result<Done, Failure> {
        let db = &self.migrations.db;
        let transaction = db.begin().await?;
        let connection = transaction.connection();
        let sql = self.batch_sql(Table::Threads, "org_id, id, name, metadata", until);
        let rows = sql.rows(connection).await?;
        let (mut threads, mut corrupt) = (Vec::new(), Vec::new());
        for row in &rows {
            match Thread::read(row) {
                Ok(thread) => threads.push(thread),
                Err(error) => corrupt.push(error),
            }
        }
        for sql in write_threads(db.dialect, &threads) {
            sql.execute(connection).await?;
        }
        transaction.commit().await?;
        Ok(Done { rows: rows.len() as u64, corrupt })
    }

    async fn try_messages(&self, until: &Place) -> Result<Done, Failure> {
        let db = &self.migrations.db;
        let transaction = db.begin().await?;
        let connection = transaction.connection();
        let row_id = if db.dialect == Dialect::Sqlite { "row_id" } else { "position" };
        let owner = "(SELECT user_id FROM chat_thread AS t WHERE t.org_id = chat_message.org_id AND \
                     t.id = chat_message.chat_thread_id)";
        let columns = format!("{MESSAGE_COLUMNS}, org_id, {owner} AS user_id, {row_id}");
        let rows = self.batch_sql(Table::Messages, &columns, until).rows(connection).await?;
        let (mut messages, mut corrupt) = (Vec::new(), Vec::new());
        for row in &rows {
            match Message::read(db.dialect, row) {
                Ok(message) => messages.push(message),
                Err(error) => corrupt.push(error),
            }
        }
        for sql in write_messages(db.dialect, &messages) {
            sql.execute(connection).await?;
        }
        transaction.commit().await?;
        Ok(Done { rows: rows.len() as u64, corrupt })
    }
}

/// What filters look up of a thread.
struct Thread {
    org: String,
    id: Uuid,
    folded_name: String,
    tags: Vec<Uuid>,
}

impl Thread {
    fn read(row: &QueryResult) -> Result<Self, StoreError> {
        let decode = || {
            let metadata: Metadata = serde_json::from_str(&row::get::<String>(row, 3)?)
                // The parser's own message may quote the text.
                .map_err(|_| "the metadata is not a JSON object")?;
            let name: String = row::get(row, 2)?;
            Ok(Self {
                org: row::get(row, 0)?,
                id: row::get(row, 1)?,
                folded_name: fold_text(&name),
                tags: tags::stored_tags(&metadata),
            })
        };
        decode().map_err(|source| {
            let id =
                row::get::<Uuid>(row, 1).map_or_else(|_| "of unknown id".to_owned(), |id| id.to_string());
            StoreError::CorruptRow { entity: Entity::Thread, id, behind: None, source }
        })
    }
}

/// What the index keeps of a message, and where.
struct Message {
    org: OrgId,
    thread: Uuid,
    position: i64,
    user: String,
    /// SQLite.
    row_id: i64,
    entry: Entry,
}

impl Message {
    fn read(dialect: Dialect, row: &QueryResult) -> Result<Self, StoreError> {
        let message = row::message(dialect, row)?;
        let org = row::get(row, 8).and_then(|org: String| Ok(OrgId::new(org)?));
        let org: OrgId = row::decoded(row, org)?;
        let target = Target::whole(org.clone(), message.chat_thread_id);
        Ok(Self {
            thread: *message.chat_thread_id.as_uuid(),
            position: message.position.get(),
            user: row::decoded(row, row::get(row, 9))?,
            row_id: row::decoded(row, row::get(row, 10))?,
            entry: Entry::of(dialect, &target, &message.content, message.sender_id.as_ref()),
            org,
        })
    }
}

fn array(kind: ArrayType, values: impl Iterator<Item = Value>) -> Value {
    Value::Array(kind, Some(Box::new(values.collect())))
}

/// One statement for the names, and two for the tags, however many threads there are.
fn write_threads(dialect: Dialect, threads: &[Thread]) -> Vec<Sql> {
    if threads.is_empty() {
        return Vec::new();
    }
    let update =
        Sql::new(format!("UPDATE chat_thread SET search_version = {ANALYZER_VERSION}, folded_name ="));
    let delete = Sql::new("DELETE FROM chat_thread_tag WHERE (org_id, chat_thread_id) IN (SELECT");
    let insert = Sql::new("INSERT INTO chat_thread_tag (org_id, chat_thread_id, tag) SELECT");
    let tagged = || threads.iter().flat_map(|thread| thread.tags.iter().map(move |tag| (thread, *tag)));
    match dialect {
        Dialect::Postgres => {
            let orgs = || array(ArrayType::String, threads.iter().map(|thread| thread.org.as_str().into()));
            let ids = || array(ArrayType::Uuid, threads.iter().map(|thread| thread.id.into()));
            let names = threads.iter().map(|thread| thread.folded_name.as_str().into());
            let update = update
                .bind(" b.folded_name FROM unnest(", orgs())
                .bind(", ", ids())
                .bind(", ", array(ArrayType::String, names))
                .text(") AS b(org_id, id, folded_name) WHERE chat_thread.org_id = b.org_id AND chat_thread.id = b.id");
            let delete = delete.bind(" * FROM unnest(", orgs()).bind(", ", ids()).text("))");
            let insert = insert
                .bind(
                    " * FROM unnest(",
                    array(ArrayType::String, tagged().map(|(thread, _)| thread.org.as_str().into())),
                )
                .bind(", ", array(ArrayType::Uuid, tagged().map(|(thread, _)| thread.id.into())))
                .bind(", ", array(ArrayType::Uuid, tagged().map(|(_, tag)| tag.into())))
                .text(")");
            vec![update, delete, insert]
        }
        Dialect::Sqlite => {
            let keys: serde_json::Value = threads
                .iter()
                .map(|thread| json!([thread.org, thread.id.simple().to_string(), thread.folded_name]))
                .collect();
            let tags: serde_json::Value = tagged()
                .map(|(thread, tag)| {
                    json!([thread.org, thread.id.simple().to_string(), tag.simple().to_string()])
                })
                .collect();
            let update = update.bind(" e.value ->> 2 FROM json_each(", keys.to_string()).text(
                ") AS e WHERE chat_thread.org_id = e.value ->> 0 AND chat_thread.id = unhex(e.value ->> 1)",
            );
            let delete = delete
                .bind(" e.value ->> 0, unhex(e.value ->> 1) FROM json_each(", keys.to_string())
                .text(") AS e)");
            let insert = insert
                .bind(
                    " e.value ->> 0, unhex(e.value ->> 1), unhex(e.value ->> 2) FROM json_each(",
                    tags.to_string(),
                )
                .text(") AS e");
            vec![update, delete, insert]
        }
    }
}

fn write_messages(dialect: Dialect, messages: &[Message]) -> Vec<Sql> {
    if messages.is_empty() {
        return Vec::new();
    }
    let update = Sql::new(format!("UPDATE chat_message SET search_version = {ANALYZER_VERSION}"));
    match dialect {
        Dialect::Postgres => {
            let column = |kind, value: fn(&Message) -> Value| array(kind, messages.iter().map(value));
            let update = update
                .text(", search = b.words::tsvector || array_to_tsvector(ARRAY[b.owner])")
                .bind(" FROM unnest(", column(ArrayType::String, |message| message.org.as_str().into()))
                .bind(", ", column(ArrayType::Uuid, |message| message.thread.into()))
                .bind(", ", column(ArrayType::BigInt, |message| message.position.into()))
                .bind(
                    ", ",
                    column(ArrayType::String, |message| tsvector::owner(&message.org, &message.user).into()),
                )
                .bind(", ", column(ArrayType::String, |message| message.entry.words.as_str().into()))
                .text(") AS b(org_id, chat_thread_id, position, owner, words)")
                .text(" WHERE chat_message.org_id = b.org_id")
                .text(" AND chat_message.chat_thread_id = b.chat_thread_id")
                .text(" AND chat_message.position = b.position");
            vec![update]
        }
        Dialect::Sqlite => {
            let ids: Vec<i64> = messages.iter().map(|message| message.row_id).collect();
            let ids = json!(ids).to_string();
            let entries: serde_json::Value = messages
                .iter()
                .map(|Message { row_id, org, user, entry, .. }| {
                    json!([row_id, fts5::scope(org, user, entry), entry.words])
                })
                .collect();
            let delete =
                Sql::new("DELETE FROM chat_message_search WHERE rowid IN (SELECT value FROM json_each(")
                    .bind("", ids.as_str())
                    .text("))");
            let insert = Sql::new("INSERT INTO chat_message_search (rowid, scope, words)")
                .text(" SELECT value ->> 0, value ->> 1, value ->> 2")
                .bind(" FROM json_each(", entries.to_string())
                .text(")");
            let update = update.bind(" WHERE row_id IN (SELECT value FROM json_each(", ids).text("))");
            vec![delete, insert, update]
        }
    }
}
