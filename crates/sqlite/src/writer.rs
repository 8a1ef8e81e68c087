//! The one thread that writes.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chatkeep_domain::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::connection::Bounded;
use crate::error::{Errors, Result};
use crate::identity::Identity;
use crate::upkeep::Upkeep;

/// How many calls are committed together at most.
const GROUP: usize = 128;

/// After how long without a call the thread does what can wait. In memory it does not wait for a disk then, and begins at once.
const IDLE: Duration = Duration::from_millis(2);

/// After how long it tries again what has failed, such as on a full disk.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How often it does a little of that while calls keep coming.
const UPKEEP_EVERY: Duration = Duration::from_millis(100);

/// Why a group was not committed.
pub(crate) enum Lost {
    Sqlite(rusqlite::Error),
    /// Only the commit itself failed.
    Commit(rusqlite::Error),
    Other(&'static str),
}

impl From<rusqlite::Error> for Lost {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// A call that waits for its turn.
trait Call: Send {
    /// Does it. Gives whether what it wrote is to stay.
    fn run(&mut self, connection: &Connection) -> bool;

    /// Tells the caller, once it is known whether the group was committed.
    fn report(self: Box<Self>, committed: &Result<(), Lost>);
}

struct Waiting<T, F> {
    work: Option<F>,
    done: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
    errors: Errors,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T> + Send> Call for Waiting<T, F> {
    fn run(&mut self, connection: &Connection) -> bool {
        // One whose caller has gone is not begun.
        let Some(work) = self.work.take().filter(|_| !self.answer.is_closed()) else { return true };
        let done = work(connection).map_err(|failure| self.errors.from(failure));
        self.done.insert(done).is_ok()
    }

    fn report(self: Box<Self>, committed: &Result<(), Lost>) {
        let committed = committed.as_ref().map_err(|lost| match lost {
            Lost::Sqlite(error) => self.errors.of_sqlite(error),
            Lost::Commit(error) => self.errors.of_commit(error),
            Lost::Other(what) => self.errors.backend(what),
        });
        let answer = match (self.done, committed) {
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
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
    errors: Errors,
}

impl Writer {
    pub(crate) fn start(
        connection: Bounded,
        upkeep: Upkeep,
        identity: Option<Identity>,
        timeout: Duration,
        errors: Errors,
    ) -> std::io::Result<Self> {
        let (calls, waiting) = channel();
        let work = Work { connection, upkeep, identity, timeout };
        let thread =
            thread::Builder::new().name("chatkeep-sqlite".to_owned()).spawn(move || work.run(&waiting))?;
        Ok(Self { calls: Mutex::new(Some(calls)), thread: Mutex::new(Some(thread)), errors })
    }

    /// Does this on the thread, in a transaction that others may share; answers once it is committed. A call that fails
    /// leaves nothing behind. One whose caller has gone before its turn is not done.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let call = Waiting { work: Some(work), done: None, answer, errors: self.errors.clone() };
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
    identity: Option<Identity>,
    timeout: Duration,
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
            let is_done = self.is_ours().is_ok() && self.upkeep.step(self.connection.within(self.timeout));
            (upkept, patience) = (Instant::now(), if is_done { idle } else { AFTER_FAILURE });
        }
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

    fn write(&mut self, group: &mut [Box<dyn Call>]) -> Result<(), Lost> {
        self.is_ours()?;
        execute(self.connection.within(self.timeout), "BEGIN IMMEDIATE")?;
        let written = match group {
            [call] => {
                if !call.run(self.connection.within(self.timeout)) {
                    return self.roll_back();
                }
                Ok(())
            }
            group => group.iter_mut().try_for_each(|call| self.write_one_of_several(call.as_mut())),
        };
        let connection = self.connection.unbounded();
        if connection.is_autocommit() {
            // A full disk, for example, ends the whole transaction.
            return written
                .and(Err(Lost::Other("another call that was to be committed with this one failed")));
        }
        if written.is_ok() && self.upkeep.is_long() {
            // What fails here is done later.
            let _ = execute(connection, "SAVEPOINT upkeep");
            let back = self.upkeep.keep_up(connection).map_or("ROLLBACK TO upkeep", |()| "RELEASE upkeep");
            let _ = execute(connection, back);
        }
        if let Err(lost) = written.and_then(|()| commit(connection)) {
            self.roll_back()?;
            return Err(lost);
        }
        self.is_ours()
    }

    fn write_one_of_several(&self, call: &mut dyn Call) -> Result<(), Lost> {
        let connection = self.connection.within(self.timeout);
        execute(connection, "SAVEPOINT call")?;
        if !call.run(connection) {
            execute(connection, "ROLLBACK TO call")?;
        }
        execute(connection, "RELEASE call")
    }

    fn roll_back(&self) -> Result<(), Lost> {
        let connection = self.connection.unbounded();
        if connection.is_autocommit() { Ok(()) } else { execute(connection, "ROLLBACK") }
    }

    /// Whether the file at the path is still the one that is open.
    fn is_ours(&self) -> Result<(), Lost> {
        self.identity.as_ref().map_or(Ok(()), |identity| identity.check().map_err(Lost::Other))
    }
}

fn commit(connection: &Connection) -> Result<(), Lost> {
    let done = connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
    done.map(drop).map_err(Lost::Commit)
}

fn execute(connection: &Connection, statement: &str) -> Result<(), Lost> {
    connection.prepare_cached(statement)?.execute([])?;
    Ok(())
}
