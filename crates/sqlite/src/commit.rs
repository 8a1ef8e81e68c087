//! The connection that writes: calls as one transaction, and between them a little of what can wait.

use std::time::{Duration, Instant};

use chatkeep_domain::StoreError;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::checkpoint::Checkpoints;
use crate::connection::Bounded;
use crate::error::Errors;
use crate::identity::Identity;
use crate::upkeep::Upkeep;

/// After how long without a call the thread does what can wait. In memory it does not wait for a disk then, and begins at once.
pub(crate) const IDLE: Duration = Duration::from_millis(2);

/// How long that waits for the lock of another process.
const UPKEEP_WAITS: Duration = Duration::from_millis(100);

/// A call that waits for its turn.
pub(crate) trait Call: Send {
    /// How long it may wait for its turn.
    fn until(&self) -> Instant;

    /// Does it, or does it again where all was rolled back. After an error nothing of what it wrote is to stay.
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError>;

    /// Tells the caller, once it is known whether the group was committed.
    fn report(self: Box<Self>, committed: &Result<(), StoreError>);
}

/// What writes a database, one group of calls after the other.
#[derive(Debug)]
pub(crate) struct Committer {
    pub(crate) connection: Bounded,
    pub(crate) upkeep: Upkeep,
    pub(crate) checkpoints: Option<Checkpoints>,
    pub(crate) identity: Option<Identity>,
    pub(crate) timeout: Duration,
    /// When calls were committed last.
    pub(crate) committed: Instant,
    /// The thread waits for a call, and for nothing else.
    pub(crate) is_asleep: bool,
    pub(crate) errors: Errors,
}

impl Committer {
    /// How long nothing was committed when the thread does what can wait.
    pub(crate) fn idle(&self) -> Duration {
        if self.identity.is_some() { IDLE } else { Duration::ZERO }
    }

    /// Does a little of what can wait; gives whether that went well.
    pub(crate) fn do_some_upkeep(&mut self) -> bool {
        self.connection.wait_at_most(UPKEEP_WAITS);
        let is_done = self.is_ours().is_ok() && self.upkeep.step(self.connection.within(self.timeout));
        if is_done {
            self.note_commit();
        }
        is_done
    }

    pub(crate) fn close(mut self) {
        drop(self.checkpoints.take());
        if self.is_ours().is_err() {
            // Closing would write the log into a file that is not the one at the path any more, and delete the log there.
            let _ =
                self.connection.unbounded().set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
    }

    /// Does the calls of a group in one transaction, and tells each.
    pub(crate) fn commit(&mut self, mut group: Vec<Box<dyn Call>>) {
        let committed = self.write(&mut group);
        self.committed = Instant::now();
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
