//! The one thread that writes.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chatkeep_domain::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::checkpoint::Checkpoints;
use crate::config::SqliteConfig;
use crate::connection::Bounded;
use crate::error::{Errors, Result, shared};
use crate::identity::Identity;
use crate::upkeep::Upkeep;

/// How many calls are committed together at most.
const GROUP: usize = 128;

/// After how long without a call the thread does what can wait. In memory it does not wait for a disk then, and begins at once.
const IDLE: Duration = Duration::from_millis(2);

/// How long that waits for the lock of another process.
const UPKEEP_WAITS: Duration = Duration::from_millis(100);

/// After how long it tries again what has failed, such as on a full disk.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How often it does a little of that while calls keep coming.
const UPKEEP_EVERY: Duration = Duration::from_millis(100);

/// A call that waits for its turn.
trait Call: Send {
    /// How long it may wait for its turn.
    fn until(&self) -> Instant;

    /// Does it, or does it again where all was rolled back. After an error nothing of what it wrote is to stay.
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError>;

    /// Tells the caller, once it is known whether the group was committed.
    fn report(self: Box<Self>, committed: &Result<(), StoreError>);
}

struct Waiting<T, F> {
    until: Instant,
    work: F,
    done: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
    errors: Errors,
}

impl<T: Send, F: FnMut(&Connection) -> Result<T> + Send> Call for Waiting<T, F> {
    fn until(&self) -> Instant {
        self.until
    }

    fn run(&mut self, connection: &Connection) -> Result<(), StoreError> {
        // One whose caller has gone is not begun.
        if self.answer.is_closed() {
            return Ok(());
        }
        let done = (self.work)(connection).map_err(|failure| self.errors.from(failure));
        self.done.insert(done).as_ref().map(drop).map_err(shared)
    }

    fn report(self: Box<Self>, committed: &Result<(), StoreError>) {
        let answer = match (self.done, committed) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(shared(error)),
            (Some(Ok(done)), Ok(())) => Ok(done),
            (None, Ok(())) => return,
        };
        // Who does not wait any more does not need the answer.
        let _ = self.answer.send(answer);
    }
}

/// Hands calls to the thread, in the order in which they come.
#[derive(Debug)]
pub(crate) struct Writer {
    calls: Mutex<Option<Sender<Box<dyn Call>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    lock_timeout: Duration,
    errors: Errors,
}

impl Writer {
    pub(crate) fn start(
        connection: Bounded,
        upkeep: Upkeep,
        identity: Option<Identity>,
        config: &SqliteConfig,
        errors: Errors,
    ) -> std::io::Result<Self> {
        let (calls, waiting) = channel();
        let SqliteConfig { lock_timeout, timeout, .. } = *config;
        let checkpoints = config.path.as_deref().map(Checkpoints::start);
        let work = Work { connection, upkeep, checkpoints, identity, timeout, errors: errors.clone() };
        let thread =
            thread::Builder::new().name("chatkeep-sqlite".to_owned()).spawn(move || work.run(&waiting))?;
        Ok(Self { calls: Mutex::new(Some(calls)), thread: Mutex::new(Some(thread)), lock_timeout, errors })
    }

    /// Does this on the thread, in a transaction that others may share; answers once it is committed. A call that fails
    /// leaves nothing behind. One whose caller has gone before its turn is not done.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let until = Instant::now() + self.lock_timeout;
        let call = Waiting { until, work, done: None, answer, errors: self.errors.clone() };
        let sent = self
            .calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|calls| calls.send(Box::new(call)));
        if !matches!(sent, Some(Ok(()))) {
            return Err(self.errors.backend("the store was closed"));
        }
        answered.await.unwrap_or_else(|_| Err(self.errors.backend("the store was closed")))
    }

    /// Later calls fail; gives the thread, which ends when the calls before have.
    pub(crate) fn close(&self) -> Option<JoinHandle<()>> {
        drop(self.calls.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

struct Work {
    connection: Bounded,
    upkeep: Upkeep,
    checkpoints: Option<Checkpoints>,
    identity: Option<Identity>,
    timeout: Duration,
    errors: Errors,
}

impl Work {
    fn run(mut self, waiting: &Receiver<Box<dyn Call>>) {
        let idle = if self.identity.is_some() { IDLE } else { Duration::ZERO };
        let (mut upkept, mut patience) = (Instant::now(), idle);
        loop {
            let first = if self.upkeep.is_due() {
                waiting.recv_timeout(patience)
            } else {
                waiting.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match first {
                Ok(first) => {
                    self.commit(std::iter::once(first).chain(waiting.try_iter().take(GROUP - 1)).collect());
                    if upkept.elapsed() < UPKEEP_EVERY {
                        continue;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.connection.wait_at_most(UPKEEP_WAITS);
            let is_done = self.is_ours().is_ok() && self.upkeep.step(self.connection.within(self.timeout));
            if is_done {
                self.note_commit();
            }
            (upkept, patience) = (Instant::now(), if is_done { idle } else { AFTER_FAILURE });
        }
        drop(self.checkpoints.take());
        if self.is_ours().is_err() {
            // Closing would write the log into a file that is not the one at the path any more, and delete the log there.
            let _ = self
                .connection
                .unbounded()
                .set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
    }

    /// Does the calls of a group in one transaction, and tells each.
    fn commit(&mut self, mut group: Vec<Box<dyn Call>>) {
        let committed = self.write(&mut group);
        for call in group {
            call.report(&committed);
        }
    }

    /// One that fails after it has written something is rare. Then the group begins anew, with a savepoint for each: as long as there
    /// is none, an append takes a quarter less.
    fn write(&mut self, group: &mut Vec<Box<dyn Call>>) -> Result<(), StoreError> {
        self.is_ours().map_err(|what| self.errors.backend(what))?;
        self.begin(group)?;
        let mut written = Ok(());
        if !self.run_all(group) {
            self.roll_back();
            self.begin(group)?;
            written = group.iter_mut().try_for_each(|call| self.run_apart(call.as_mut()));
        }
        if let Err(error) = written.and_then(|()| self.keep_up()).and_then(|()| self.commit_now()) {
            self.roll_back();
            return Err(error);
        }
        self.note_commit();
        self.is_ours().map_err(|what| self.errors.unknown(what))
    }

    fn note_commit(&mut self) {
        self.checkpoints.iter_mut().for_each(Checkpoints::note_commit);
    }

    /// Runs the calls. `false`: one has failed and left something behind, or has ended the transaction.
    fn run_all(&self, group: &mut [Box<dyn Call>]) -> bool {
        self.upkeep.begin_group();
        group.iter_mut().all(|call| {
            let connection = self.connection.within(self.timeout);
            let changes = connection.total_changes();
            call.run(connection).is_ok()
                || connection.total_changes() == changes && !connection.is_autocommit()
        })
    }

    fn roll_back(&self) {
        // Fails where SQLite has rolled back by itself.
        let _ = self.connection.unbounded().execute_batch("ROLLBACK");
    }

    /// Waits for the lock, for each call until its time is over.
    fn begin(&mut self, group: &mut Vec<Box<dyn Call>>) -> Result<(), StoreError> {
        loop {
            let until = group.first().map_or_else(Instant::now, |call| call.until());
            self.connection.wait_at_most(until.saturating_duration_since(Instant::now()));
            let begun = self.execute("BEGIN IMMEDIATE");
            if !begun.as_ref().is_err_and(StoreError::is_transient) || group.is_empty() {
                return begun;
            }
            for late in group.extract_if(.., |call| call.until() <= Instant::now()) {
                late.report(&begun);
            }
        }
    }

    fn run_apart(&self, call: &mut dyn Call) -> Result<(), StoreError> {
        let connection = self.connection.within(self.timeout);
        self.execute("SAVEPOINT call")?;
        if let Err(error) = call.run(connection) {
            if connection.is_autocommit() {
                // A full disk, for example, ends the whole transaction.
                return Err(error);
            }
            self.execute("ROLLBACK TO call")?;
        }
        self.execute("RELEASE call")
    }

    /// Where much is pending. What fails here is done later, unless it ends the whole transaction.
    fn keep_up(&mut self) -> Result<(), StoreError> {
        if !self.upkeep.is_long() {
            return Ok(());
        }
        self.execute("SAVEPOINT upkeep")?;
        let kept = self.upkeep.keep_up(self.connection.unbounded());
        if let Err(failure) = kept {
            if self.connection.unbounded().is_autocommit() {
                return Err(self.errors.from(failure));
            }
            self.execute("ROLLBACK TO upkeep")?;
        }
        self.execute("RELEASE upkeep")
    }

    fn commit_now(&self) -> Result<(), StoreError> {
        let done =
            self.connection.unbounded().prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        done.map(drop).map_err(|error| self.errors.of_commit(&error))
    }

    fn execute(&self, statement: &str) -> Result<(), StoreError> {
        let done = self
            .connection
            .within(self.timeout)
            .prepare_cached(statement)
            .and_then(|mut done| done.execute([]));
        done.map(drop).map_err(|error| self.errors.of_sqlite(&error))
    }

    /// Whether the file at the path is still the one that is open.
    fn is_ours(&self) -> Result<(), &'static str> {
        self.identity.as_ref().map_or(Ok(()), Identity::check)
    }
}
