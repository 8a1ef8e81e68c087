//! Fills the index again, in batches.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use chatkeep_domain::search::{ANALYZER_VERSION, fold_text};
use chatkeep_domain::{BoxError, Codec, Entity, Reindex, StoreError, metadata_from_json};
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior};

use crate::connection::rest;
use crate::error::{Answer, Result};
use crate::index;
use crate::maintenance::SqliteMigrations;
use crate::row::uuid;
use crate::schema;
use crate::threads;
use crate::upkeep;

/// How many rows one transaction takes: as long as it runs, nobody else writes.
const ROWS: u64 = 200;

/// After how many bytes of contents it takes no more.
const BYTES: usize = 8 * 1_024 * 1_024;

/// The most corrupt rows that are remembered.
const MAX_NAMED: usize = 100;

/// None unless everything is done anew.
const THREADS: &str = "SELECT key, id, metadata, name FROM chat_thread WHERE ?2 AND key > ?1 ORDER BY key";

const FOLD: &str = "UPDATE chat_thread SET folded_name = ?2 WHERE key = ?1 AND folded_name <> ?2";

/// With the columns that `upkeep.rs` reads.
const MESSAGES: &str = "
    SELECT m.key, m.id, m.content, m.org, m.thread, m.chat_thread_id, m.sender_id, t.user_id, o.org_id
    FROM chat_message m JOIN chat_thread t ON t.key = m.thread JOIN chat_org o ON o.key = m.org
    WHERE m.key > ?1 AND (?2 OR m.pending = 1) ORDER BY m.key";

const PENDING: &str = "UPDATE chat_message SET pending = 1 WHERE key = ?1";

const ANALYZER: &str = "SELECT version FROM chat_analyzer";

const NOTE_ANALYZER: &str = "UPDATE chat_analyzer SET version = ?1";

/// Threads first, then messages.
#[derive(Debug)]
pub(crate) struct SqliteReindex<'a> {
    database: &'a SqliteMigrations,
    all: bool,
    next: Next,
    corrupt: u64,
    corrupt_rows: Vec<StoreError>,
}

/// What comes next, and the last key that was done.
#[derive(Debug, Clone, Copy)]
enum Next {
    Begin,
    Threads(i64),
    Messages(i64),
    Nothing,
}

/// What became of a batch.
struct Batch {
    rows: u64,
    next: Next,
    corrupt: Vec<StoreError>,
}

impl<'a> SqliteReindex<'a> {
    pub(crate) fn new(database: &'a SqliteMigrations, all: bool) -> Self {
        Self { database, all, next: Next::Begin, corrupt: 0, corrupt_rows: Vec::new() }
    }
}

#[async_trait]
impl Reindex for SqliteReindex<'_> {
    async fn next_batch(&mut self) -> Answer<u64> {
        if matches!(self.next, Next::Begin) {
            let begin = |connection: &mut Connection, errors: &_| {
                schema::check_all(connection, errors)?;
                is_of_another_analyzer(connection)
            };
            self.all |= self.database.run(begin).await?;
            self.next = Next::Threads(0);
        }
        loop {
            let (next, all, codec) = (self.next, self.all, Arc::clone(&self.database.codec));
            let batch = self.database.run(move |connection, _| batch(connection, next, all, &*codec)).await?;
            self.next = batch.next;
            self.corrupt += batch.corrupt.len() as u64;
            let room = MAX_NAMED.saturating_sub(self.corrupt_rows.len());
            self.corrupt_rows.extend(batch.corrupt.into_iter().take(room));
            if batch.rows > 0 || matches!(self.next, Next::Nothing) {
                return Ok(batch.rows);
            }
        }
    }

    fn corrupt(&self) -> u64 {
        self.corrupt
    }

    fn corrupt_rows(&self) -> &[StoreError] {
        &self.corrupt_rows
    }
}

/// Whether another version's analyzer made the words.
pub(crate) fn is_of_another_analyzer(connection: &Connection) -> Result<bool> {
    let version = connection.query_row(ANALYZER, [], |row| row.get(0)).optional()?;
    Ok(version != Some(i64::from(ANALYZER_VERSION)))
}

/// Does a batch in one transaction, and leaves the lock to others for a while.
fn batch(connection: &mut Connection, next: Next, all: bool, codec: &dyn Codec) -> Result<Batch> {
    let (begun, mut batch) = (Instant::now(), Batch { rows: 0, next: Next::Nothing, corrupt: Vec::new() });
    let (sql, behind) = match next {
        Next::Threads(behind) => (THREADS, behind),
        Next::Messages(behind) => (MESSAGES, behind),
        Next::Begin | Next::Nothing => return Ok(batch),
    };
    let (mut last, mut bytes, mut is_last) = (behind, 0, true);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut statement = transaction.prepare_cached(sql)?;
        let mut rows = statement.query((behind, all))?;
        while let Some(row) = rows.next()? {
            if batch.rows == ROWS || bytes > BYTES {
                is_last = false;
                break;
            }
            last = row.get(0)?;
            batch.rows += 1;
            bytes += row.get_ref(2)?.as_bytes().map_or(0, <[u8]>::len);
            batch.corrupt.extend(match next {
                Next::Threads(_) => look_up(&transaction, row)?,
                _ => take_in(&transaction, row, codec)?,
            });
        }
    }
    batch.next = match next {
        Next::Threads(_) if is_last => Next::Messages(0),
        Next::Threads(_) => Next::Threads(last),
        _ if is_last => Next::Nothing,
        _ => Next::Messages(last),
    };
    if matches!(batch.next, Next::Nothing) && all {
        transaction.execute(NOTE_ANALYZER, [ANALYZER_VERSION])?;
    }
    transaction.commit()?;
    if !is_last {
        rest(begun);
    }
    Ok(batch)
}

/// What filters look up of a thread. Gives why its metadata cannot be read, if so.
fn look_up(connection: &Connection, row: &Row<'_>) -> Result<Option<StoreError>> {
    let key = row.get(0)?;
    connection.prepare_cached(FOLD)?.execute((key, fold_text(row.get_ref(3)?.as_str()?)))?;
    match metadata_from_json(row.get_ref(2)?.as_str()?) {
        Ok(metadata) => threads::replace_tags(connection, key, &metadata).map(|()| None),
        Err(error) => Ok(Some(corrupt(Entity::Thread, row, error))),
    }
}

/// The words of a message. Gives an error for one that cannot be opened: it may match any search.
fn take_in(connection: &Connection, row: &Row<'_>, codec: &dyn Codec) -> Result<Option<StoreError>> {
    let key = row.get(0)?;
    index::delete(connection, key)?;
    if upkeep::take_in(connection, row, codec)? {
        return Ok(None);
    }
    connection.prepare_cached(PENDING)?.execute([key])?;
    Ok(Some(corrupt(Entity::Message, row, "it cannot be opened")))
}

fn corrupt(entity: Entity, row: &Row<'_>, error: impl Into<BoxError>) -> StoreError {
    StoreError::corrupt_row(entity, uuid(row, 1).unwrap_or_default(), error)
}
