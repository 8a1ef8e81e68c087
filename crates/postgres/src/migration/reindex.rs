//! Fills the index again, in batches.

mod rows;

use async_trait::async_trait;
use chatkeep_domain::search::ANALYZER_VERSION;
use chatkeep_domain::{BoxError, Reindex, StoreError};
use sea_orm::{QueryResult, TransactionSession as _, Value};
use uuid::Uuid;

use super::PostgresMigrations;
use crate::connection::Connections;
use crate::error::{Failure, reads, writes};
use crate::patience::patiently;
use crate::row;
use crate::sql::Sql;

/// How many rows one transaction takes at the most: as long as it runs, nobody else edits them.
const MAX_ROWS: u64 = 200;

/// How many bytes one transaction takes at the most, unless a single row has more.
const MAX_BYTES: i64 = 8 * 1_024 * 1_024;

/// How many rows one statement looks at, at the most, for those that are to be done. Where nearly all are done, it takes
/// no longer than a call may.
const MAX_WINDOW: u64 = 10_000;

/// The most corrupt rows that are remembered.
const MAX_NAMED: usize = 100;

/// Batch after batch.
#[derive(Debug)]
pub(super) struct Batches<'a, C> {
    migrations: &'a PostgresMigrations<C>,
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
            Self::Messages => "org_id, chat_thread_id, branch, position",
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
    /// The branch and the position of a message.
    message: Option<(i32, i64)>,
}

impl Place {
    fn read(table: Table, row: &QueryResult) -> Result<Self, BoxError> {
        let message = match table {
            Table::Threads => None,
            Table::Messages => Some((row::value(row, 2)?, row::value(row, 3)?)),
        };
        Ok(Self { org: row::value(row, 0)?, thread: row::value(row, 1)?, message })
    }

    fn values(&self) -> impl Iterator<Item = Value> {
        let thread: [Value; 2] = [self.org.as_str().into(), self.thread.into()];
        let message = self.message.map(|(branch, position)| [Value::from(branch), Value::from(position)]);
        thread.into_iter().chain(message.into_iter().flatten())
    }
}

/// What a batch did.
struct Done {
    rows: u64,
    corrupt: Vec<StoreError>,
}

impl<C: Connections> PostgresMigrations<C> {
    pub(super) async fn count(&self, condition: &str) -> Result<u64, StoreError> {
        self.check().await?;
        let sql = Sql::new(format!(
            "SELECT (SELECT COUNT(*) FROM chat_message {condition}) + (SELECT COUNT(*) FROM chat_thread {condition})"
        ));
        self.count_rows(sql).await
    }
}

pub(super) fn stale() -> String {
    format!("COALESCE(search_version, 0) <> {ANALYZER_VERSION}")
}

#[async_trait]
impl<C: Connections> Reindex for Batches<'_, C> {
    async fn next_batch(&mut self) -> Result<u64, StoreError> {
        self.migrations.check().await?;
        while let Some(table) = self.table {
            let found = patiently(|| reads(self.look(table))).await?;
            let Some((until, rows)) = found else {
                self.table = (table == Table::Threads).then_some(Table::Messages);
                self.place = None;
                continue;
            };
            self.window = if rows > 0 { MAX_ROWS } else { MAX_WINDOW.min(2 * self.window) };
            let mut done = Done { rows: 0, corrupt: Vec::new() };
            if rows > 0 {
                done = match table {
                    Table::Threads => patiently(|| writes(self.try_threads(&until))).await?,
                    Table::Messages => patiently(|| writes(self.try_messages(&until))).await?,
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

    fn corrupt(&self) -> u64 {
        self.corrupt
    }

    fn corrupt_rows(&self) -> &[StoreError] {
        &self.corrupt_rows
    }
}

impl<'a, C: Connections> Batches<'a, C> {
    pub(super) fn new(migrations: &'a PostgresMigrations<C>, all: bool) -> Self {
        Self {
            migrations,
            all,
            table: Some(Table::Threads),
            place: None,
            window: MAX_ROWS,
            corrupt: 0,
            corrupt_rows: Vec::new(),
        }
    }

    fn condition(&self) -> String {
        if self.all { "TRUE".to_owned() } else { stale() }
    }

    /// Goes on with the condition on the place: behind the last batch.
    fn behind(&self, table: Table, sql: Sql) -> Sql {
        match &self.place {
            Some(place) => sql.bind_tuple(&format!(" AND ({}) >", table.key()), place.values()),
            None => sql,
        }
    }

    /// How far the next batch goes, and how many rows it has to do. `None` behind the last row.
    async fn look(&self, table: Table) -> Result<Option<(Place, u64)>, Failure> {
        let key = table.key();
        // The length is read from the row's head, and not from the text.
        let sql = Sql::new(format!("SELECT {key}, {}", self.condition()))
            .text(&format!(", CAST(octet_length({}) AS bigint)", table.text()))
            .text(&format!(" FROM {} WHERE TRUE", table.name()));
        let sql = self.behind(table, sql).text(&format!(" ORDER BY {key} LIMIT {}", self.window));
        let (mut until, mut rows, mut bytes) = (None, 0, 0);
        let behind_key = key.split(',').count();
        for row in sql.rows(&self.migrations.connections).await? {
            if row::value(&row, behind_key)? {
                bytes += row::value::<i64>(&row, behind_key + 1)?;
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
        let sql = self.behind(table, sql).bind_tuple(&format!(" AND ({key}) <="), until.values());
        // The lock is as an UPDATE takes it: nothing that refers to the row waits.
        sql.text(&format!(" ORDER BY {key} FOR NO KEY UPDATE"))
    }

    async fn try_threads(&self, until: &Place) -> Result<Done, Failure> {
        let transaction = self.migrations.connections.begin().await?;
        let sql = self.batch_sql(Table::Threads, "org_id, id, name, metadata", until);
        let rows = sql.rows(&transaction).await?;
        let (mut threads, mut corrupt) = (Vec::new(), Vec::new());
        for row in &rows {
            match rows::Thread::read(row) {
                Ok(thread) => threads.push(thread),
                Err(error) => corrupt.push(error),
            }
        }
        for sql in rows::write_threads(&threads) {
            sql.execute(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(Done { rows: rows.len() as u64, corrupt })
    }

    async fn try_messages(&self, until: &Place) -> Result<Done, Failure> {
        let transaction = self.migrations.connections.begin().await?;
        let columns = "id, chat_thread_id, position, sender_id, sender_role, content, created_at, updated_at, external_id, revision, branch, org_id, \
                       (SELECT user_id FROM chat_thread AS t WHERE t.org_id = chat_message.org_id AND \
                        t.id = chat_message.chat_thread_id) AS user_id";
        let rows = self.batch_sql(Table::Messages, columns, until).rows(&transaction).await?;
        let (mut messages, mut corrupt) = (Vec::new(), Vec::new());
        for row in &rows {
            match rows::Message::read(row, &*self.migrations.codec) {
                Ok(message) => messages.push(message),
                Err(error) => corrupt.push(error),
            }
        }
        if !messages.is_empty() {
            rows::write_messages(&messages).execute(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(Done { rows: rows.len() as u64, corrupt })
    }
}
