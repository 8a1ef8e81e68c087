//! What the writer's thread does a little of at a time: pending messages into the index, and messages of deleted threads out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chatkeep_domain::search::SearchDocument;
use chatkeep_domain::{BoxError, Codec, ContentKey, OrgId};
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::error::{Failure, Result};
use crate::index::{self, Owner};
use crate::row::uuid;
use crate::stored;

/// How many pending messages are taken in at a time, and how many bytes of them.
const BATCH: usize = 64;
const BATCH_BYTES: usize = 64 * 1_024;

/// How long the thread goes on with it before it looks for calls: a commit for each few messages would wait for the disk more than it
/// works.
const STEP: Duration = Duration::from_millis(8);

/// How many may be pending before appends take some in.
const MAX_PENDING: u64 = 1_000;
const MAX_PENDING_BYTES: u64 = 256 * 1_024;

/// How many messages of a deleted thread go at a time.
const DELETED: usize = 200;

const PENDING: &str = "
    SELECT m.key, m.id, m.content, m.org, m.thread, m.chat_thread_id, m.sender_id, t.user_id, o.org_id
    FROM chat_message m JOIN chat_thread t ON t.key = m.thread JOIN chat_org o ON o.key = m.org
    WHERE m.pending = 1 AND (m.org, m.thread, m.key) > (?1, ?2, ?3)
    ORDER BY m.org, m.thread, m.key LIMIT ?4";

const TAKEN_IN: &str = "UPDATE chat_message SET pending = NULL WHERE key = ?1";

/// The thread is nobody's from now on, and its id is free.
const GIVE_UP_THREAD: &str = "UPDATE chat_thread SET org = 0, id = randomblob(16) WHERE key = ?1";

const DELETED_THREAD: &str = "SELECT key FROM chat_thread WHERE org = 0 LIMIT 1";

/// What there is to do.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// Messages that are not in the index; at least 1 until it is known that there are none.
    pending: AtomicU64,
    /// Those of them that came with the group of calls that is being written.
    added: AtomicU64,
    pending_bytes: AtomicU64,
    /// There may be messages of deleted threads to take out, or merging to switch on.
    deletes: AtomicBool,
    /// Calls under way that take many messages out of the index, one after the other.
    removals: AtomicU64,
}

impl Backlog {
    /// A message that is not in the index.
    pub(crate) fn note_pending(&self, bytes: usize) {
        self.pending.fetch_add(1, Ordering::Relaxed);
        self.added.fetch_add(1, Ordering::Relaxed);
        self.pending_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Deletes a thread, for whoever asks for it: its messages go a few at a time.
    pub(crate) fn give_up_thread(&self, connection: &Connection, thread: i64) -> Result<()> {
        connection.prepare_cached(GIVE_UP_THREAD)?.execute([thread])?;
        self.note_deletion();
        Ok(())
    }

    /// There may be messages of deleted threads, or merging may be off.
    pub(crate) fn note_deletion(&self) {
        self.deletes.store(true, Ordering::SeqCst);
    }

    /// A call takes many messages out: upkeep leaves merging off until it ends.
    pub(crate) fn begin_removal(&self) {
        self.removals.fetch_add(1, Ordering::SeqCst);
    }

    /// Merging is to be on again.
    pub(crate) fn end_removal(&self) {
        self.removals.fetch_sub(1, Ordering::SeqCst);
        self.note_deletion();
    }
}

#[derive(Debug)]
pub(crate) struct Upkeep {
    backlog: Arc<Backlog>,
    codec: Arc<dyn Codec>,
    /// Behind which pending message the next ones are looked for.
    behind: (i64, i64, i64),
    /// How many were taken in since they were last looked for from the first one on.
    taken_in: u64,
}

impl Upkeep {
    pub(crate) fn new(backlog: Arc<Backlog>, codec: Arc<dyn Codec>) -> Self {
        // What an earlier process left.
        backlog.note_pending(0);
        backlog.note_deletion();
        Self { backlog, codec, behind: (0, 0, 0), taken_in: 0 }
    }

    pub(crate) fn is_due(&self) -> bool {
        let counts = &self.backlog;
        counts.pending.load(Ordering::Relaxed) > 0 || counts.deletes.load(Ordering::SeqCst)
    }

    /// Messages of deleted threads are still to go.
    pub(crate) fn deletes(&self) -> bool {
        self.backlog.deletes.load(Ordering::SeqCst)
    }

    /// A group of calls begins.
    pub(crate) fn begin_group(&self) {
        self.backlog.added.store(0, Ordering::Relaxed);
    }

    /// So many are pending that an append is to take some in.
    pub(crate) fn is_long(&self) -> bool {
        let Backlog { pending, pending_bytes, .. } = &*self.backlog;
        pending.load(Ordering::Relaxed) > MAX_PENDING
            || pending_bytes.load(Ordering::Relaxed) > MAX_PENDING_BYTES
    }

    /// A little of it, in a transaction of its own; gives whether it was done. What fails can be tried again later: nothing depends
    /// on it.
    pub(crate) fn step(&mut self, connection: &Connection) -> bool {
        let begun = Instant::now();
        let done = connection.execute_batch("BEGIN IMMEDIATE").map_err(Failure::from).and_then(|()| {
            while self.take_some_in(connection)? > 0 && begun.elapsed() < STEP {}
            self.delete_some(connection)?;
            Ok(connection.execute_batch("COMMIT")?)
        });
        if done.is_err() {
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
            self.backlog.note_deletion();
        }
        done.is_ok()
    }

    /// Takes in as many pending messages as the group has added, and some more.
    pub(crate) fn keep_up(&mut self, connection: &Connection) -> Result<()> {
        let mut added = self.backlog.added.swap(0, Ordering::Relaxed);
        loop {
            let taken = self.take_some_in(connection)?;
            added = added.saturating_sub(taken);
            if taken == 0 || added == 0 {
                return Ok(());
            }
        }
    }

    /// Takes some of the pending messages into the index; gives how many it looked at. One that cannot be opened stays pending,
    /// and so a candidate of every search.
    fn take_some_in(&mut self, connection: &Connection) -> Result<u64> {
        let counts = Arc::clone(&self.backlog);
        if counts.pending.load(Ordering::Relaxed) == 0 {
            return Ok(0);
        }
        let (mut count, mut bytes) = (0, 0);
        let mut statement = connection.prepare_cached(PENDING)?;
        let (org, thread, key) = self.behind;
        let mut rows = statement.query((org, thread, key, BATCH))?;
        while bytes < BATCH_BYTES
            && let Some(row) = rows.next()?
        {
            self.taken_in += u64::from(take_in(connection, row, &*self.codec)?);
            self.behind = (row.get(3)?, row.get(4)?, row.get(0)?);
            count += 1;
            bytes += row.get_ref(2)?.as_bytes()?.len();
        }
        if count < BATCH && bytes < BATCH_BYTES {
            // The last ones in their order. Others may have come ahead of them meanwhile, unless nothing was taken in.
            self.behind = (0, 0, 0);
            if std::mem::take(&mut self.taken_in) == 0 {
                counts.pending.store(0, Ordering::Relaxed);
                counts.pending_bytes.store(0, Ordering::Relaxed);
            }
        } else {
            subtract(&counts.pending, count as u64);
            subtract(&counts.pending_bytes, bytes as u64);
        }
        Ok(count as u64)
    }

    fn delete_some(&self, connection: &Connection) -> Result<()> {
        let counts = &self.backlog;
        if !counts.deletes.load(Ordering::SeqCst) {
            return Ok(());
        }
        let thread = connection.prepare_cached(DELETED_THREAD)?.query_row([], |row| row.get(0)).optional()?;
        let Some(thread): Option<i64> = thread else {
            // A removal that ends after this notes it again.
            counts.deletes.store(false, Ordering::SeqCst);
            return match counts.removals.load(Ordering::SeqCst) {
                0 => index::set_merging(connection, true),
                _ => Ok(()),
            };
        };
        index::set_merging(connection, false)?;
        if stored::delete_some(connection, thread, DELETED)? < DELETED {
            connection.prepare_cached("DELETE FROM chat_thread WHERE key = ?1")?.execute([thread])?;
        }
        Ok(())
    }
}

/// There may be more than were noted: those of an earlier process.
fn subtract(count: &AtomicU64, taken: u64) {
    let _ = count
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| Some(count.saturating_sub(taken).max(1)));
}

/// Puts a message into the index, where it is not, from a row with the columns of [`PENDING`]. Gives whether it is there now: one that
/// cannot be opened stays pending.
pub(crate) fn take_in(connection: &Connection, row: &Row<'_>, codec: &dyn Codec) -> Result<bool> {
    let open = || -> Result<SearchDocument, BoxError> {
        let org = OrgId::new(row.get_ref(8)?.as_str()?)?;
        let place = ContentKey::new(&org, uuid(row, 5)?.into(), uuid(row, 1)?.into());
        Ok(codec.document(&codec.open(row.get_ref(2)?.as_str()?, &place)?).unwrap_or_default())
    };
    let Ok(document) = open() else { return Ok(false) };
    let owner = Owner {
        org: row.get(3)?,
        thread: row.get(4)?,
        sender: row.get_ref(6)?.as_str_or_null()?,
        user: row.get_ref(7)?.as_str()?,
    };
    let key = row.get(0)?;
    index::insert(connection, key, owner, &document)?;
    connection.prepare_cached(TAKEN_IN)?.execute([key])?;
    Ok(true)
}
