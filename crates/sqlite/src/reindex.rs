//! Fills the index again, in batches.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chatkeep_domain::search::{ANALYZER_VERSION, fold_text};
use chatkeep_domain::{Codec, Entity, Reindex, StoreError, metadata_from_json};
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior};

use crate::error::{Result, STORE};
use crate::index;
use crate::maintenance::Maintenance;
use crate::row::uuid;
use crate::schema;
use crate::threads;
use crate::upkeep::Entry;

/// How many rows one transaction takes: as long as it runs, nobody else writes.
const ROWS: usize = 200;

/// After how many bytes of contents it takes no more.
const BYTES: usize = 8 * 1_024 * 1_024;

/// How long others may write between two transactions, at the most; else as long as one took. Who waits for the lock looks for it
/// every tenth of a second only, and would hardly ever find it free.
const PAUSE: Duration = Duration::from_millis(100);

/// The most corrupt rows that are remembered.
const MAX_NAMED: usize = 100;

const THREADS: &str = "SELECT key, id, name, metadata FROM chat_thread WHERE key > ?1 ORDER BY key";

const FOLD: &str = "UPDATE chat_thread SET folded_name = ?2 WHERE key = ?1 AND folded_name <> ?2";

const MESSAGES: &str = "
    SELECT m.key, m.org, m.thread, m.chat_thread_id, m.id, m.sender_id, m.content, t.user_id, o.org_id
    FROM chat_message m JOIN chat_thread t ON t.key = m.thread JOIN chat_org o ON o.key = m.org
    WHERE m.key > ?1 AND (?2 OR m.pending = 1) ORDER BY m.key";

const PENDING: &str = "UPDATE chat_message SET pending = 1 WHERE key = ?1";

const ANALYZER: &str = "SELECT version FROM chat_analyzer";

const NOTE_ANALYZER: &str = "UPDATE chat_analyzer SET version = ?1";

/// Threads first, then messages.
#[derive(Debug)]
pub(crate) struct SqliteReindex<'a> {
    database: &'a Maintenance,
    codec: Arc<dyn Codec>,
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
    rows: usize,
    last: i64,
    is_last: bool,
    corrupt: Vec<StoreError>,
}

impl<'a> SqliteReindex<'a> {
    pub(crate) fn new(database: &'a Maintenance, codec: Arc<dyn Codec>, all: bool) -> Self {
        Self { database, codec, all, next: Next::Begin, corrupt: 0, corrupt_rows: Vec::new() }
    }

    fn note(&mut self, corrupt: Vec<StoreError>) {
        self.corrupt += corrupt.len() as u64;
        let room = MAX_NAMED.saturating_sub(self.corrupt_rows.len());
        self.corrupt_rows.extend(corrupt.into_iter().take(room));
    }
}

#[async_trait]
impl Reindex for SqliteReindex<'_> {
    async fn next_batch(&mut self) -> Result<u64, StoreError> {
        loop {
            match self.next {
                Next::Begin => {
                    let errors = self.database.errors.clone();
                    let check = move |connection: &mut Connection| schema::check(connection, &errors);
                    let missing = self.database.run(check).await?;
                    if missing > 0 {
                        return Err(StoreError::not_migrated(STORE, missing));
                    }
                    self.all |= self.database.run(|connection| is_of_another_analyzer(connection)).await?;
                    self.next = if self.all { Next::Threads(0) } else { Next::Messages(0) };
                }
                Next::Threads(behind) => {
                    let work = move |connection: &mut Connection| threads(connection, behind);
                    let batch = self.database.run(move |connection| with_pause(connection, work)).await?;
                    self.note(batch.corrupt);
                    self.next = if batch.is_last { Next::Messages(0) } else { Next::Threads(batch.last) };
                    if batch.rows > 0 {
                        return Ok(batch.rows as u64);
                    }
                }
                Next::Messages(behind) => {
                    let (all, codec) = (self.all, Arc::clone(&self.codec));
                    let work = move |connection: &mut Connection| messages(connection, &codec, behind, all);
                    let batch = self.database.run(move |connection| with_pause(connection, &work)).await?;
                    self.note(batch.corrupt);
                    self.next = if batch.is_last { Next::Nothing } else { Next::Messages(batch.last) };
                    if batch.rows > 0 {
                        return Ok(batch.rows as u64);
                    }
                }
                Next::Nothing => return Ok(0),
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

/// Does a batch, and leaves the lock to others for a while.
fn with_pause(connection: &mut Connection, work: impl Fn(&mut Connection) -> Result<Batch>) -> Result<Batch> {
    let begun = Instant::now();
    let batch = work(connection)?;
    if !batch.is_last {
        thread::sleep(begun.elapsed().min(PAUSE));
    }
    Ok(batch)
}

fn threads(connection: &mut Connection, behind: i64) -> Result<Batch> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut batch = Batch { rows: 0, last: behind, is_last: true, corrupt: Vec::new() };
    {
        let mut statement = transaction.prepare_cached(THREADS)?;
        let mut rows = statement.query([behind])?;
        while let Some(row) = rows.next()? {
            if batch.rows == ROWS {
                batch.is_last = false;
                break;
            }
            batch.last = row.get(0)?;
            batch.rows += 1;
            batch.corrupt.extend(look_up(&transaction, row)?);
        }
    }
    transaction.commit()?;
    Ok(batch)
}

/// What filters look up of a thread. Gives why its metadata cannot be read, if so.
fn look_up(connection: &Connection, row: &Row<'_>) -> Result<Option<StoreError>> {
    let key = row.get(0)?;
    connection.prepare_cached(FOLD)?.execute((key, fold_text(row.get_ref(2)?.as_str()?)))?;
    match metadata_from_json(row.get_ref(3)?.as_str()?) {
        Ok(metadata) => threads::replace_tags(connection, key, &metadata).map(|()| None),
        Err(error) => {
            Ok(Some(StoreError::corrupt_row(Entity::Thread, uuid(row, 1).unwrap_or_default(), error)))
        }
    }
}

fn messages(connection: &mut Connection, codec: &Arc<dyn Codec>, behind: i64, all: bool) -> Result<Batch> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut batch = Batch { rows: 0, last: behind, is_last: true, corrupt: Vec::new() };
    {
        let mut statement = transaction.prepare_cached(MESSAGES)?;
        let mut rows = statement.query((behind, all))?;
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            if batch.rows == ROWS || bytes > BYTES {
                batch.is_last = false;
                break;
            }
            bytes += row.get_ref(6)?.as_bytes().map_or(0, <[u8]>::len);
            let entry = Entry::read(row, &**codec)?;
            batch.last = entry.key;
            batch.rows += 1;
            index::delete(&transaction, entry.key)?;
            if entry.document.is_none() {
                let id = uuid(row, 4).unwrap_or_default();
                batch.corrupt.push(StoreError::corrupt_row(Entity::Message, id, "it cannot be opened"));
                // It may match any search.
                transaction.prepare_cached(PENDING)?.execute([entry.key])?;
                continue;
            }
            entry.write(&transaction)?;
        }
    }
    if batch.is_last && all {
        transaction.execute(NOTE_ANALYZER, [ANALYZER_VERSION])?;
    }
    transaction.commit()?;
    Ok(batch)
}
