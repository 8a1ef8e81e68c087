//! Who writes: a call that is alone does it itself, a thread does it for several at a time.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chatkeep_domain::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;
use tokio::task::{block_in_place, yield_now};

use crate::blocking::may_block;
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

/// Of so many calls that seem to be alone one looks for others.
const LOOKS_AROUND: usize = 16;

/// A group is complete when no call came for so long. Without that, 16 callers make groups of eight: 3.6 times the appends of one caller
/// of plain SQLite, and 4.4 times with it.
const GATHERS: Duration = Duration::from_micros(30);

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

/// Commits calls.
///
/// Several that wait are one group, which costs one wait for the disk. A thread does that. A call that is alone is done where it is
/// called: to hand it over, and its answer back, takes as long as half of an append.
#[derive(Debug)]
pub(crate) struct Writer {
    calls: Mutex<Option<Calls>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    work: Arc<Mutex<Option<Work>>>,
    under_way: AtomicUsize,
    /// The last call that looked for others found some.
    had_company: AtomicBool,
    /// How many calls seemed to be alone.
    alone: AtomicUsize,
    lock_timeout: Duration,
    errors: Errors,
}

/// `None` only wakes the thread.
type Calls = Sender<Option<Box<dyn Call>>>;

/// Counts a call among those that are under way.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
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
        let checkpoints = config.path.as_deref().map(Checkpoints::of);
        let work = Work {
            connection,
            upkeep,
            checkpoints,
            identity,
            timeout,
            committed: Instant::now(),
            is_asleep: false,
            errors: errors.clone(),
        };
        let work = Arc::new(Mutex::new(Some(work)));
        let of_thread = Arc::clone(&work);
        let thread = thread::Builder::new()
            .name("chatkeep-sqlite".to_owned())
            .spawn(move || run(&of_thread, &waiting))?;
        Ok(Self {
            calls: Mutex::new(Some(calls)),
            thread: Mutex::new(Some(thread)),
            work,
            under_way: AtomicUsize::new(0),
            had_company: AtomicBool::new(false),
            alone: AtomicUsize::new(0),
            lock_timeout,
            errors,
        })
    }

    /// Does this in a transaction that others may share; answers once it is committed. A call that fails leaves nothing behind. One
    /// whose caller has gone before its turn is not done.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _under_way = UnderWay::enter(&self.under_way);
        let (answer, answered) = oneshot::channel();
        let until = Instant::now() + self.lock_timeout;
        let call = Waiting { until, work, done: None, answer, errors: self.errors.clone() };
        let is_alone = self.is_alone().await;
        self.submit(Box::new(call), is_alone)?;
        answered.await.unwrap_or_else(|_| Err(self.closed()))
    }

    fn closed(&self) -> StoreError {
        self.errors.backend("the store was closed")
    }

    /// Whether no other call is under way, and this one may be done here. To see whether its task makes others at the same time, as
    /// with `join_all`, the task has to go on first. That takes a third of what an append takes without the disk: where no others came
    /// the last time, only some calls look.
    async fn is_alone(&self) -> bool {
        let is_alone = || self.under_way.load(Ordering::Relaxed) == 1 && may_block();
        let looks = || {
            self.had_company.load(Ordering::Relaxed)
                || self.alone.fetch_add(1, Ordering::Relaxed).is_multiple_of(LOOKS_AROUND)
        };
        if is_alone() && looks() {
            yield_now().await;
            self.had_company.store(!is_alone(), Ordering::Relaxed);
        }
        is_alone()
    }

    fn submit(&self, call: Box<dyn Call>, is_alone: bool) -> Result<(), StoreError> {
        let calls = locked(&self.calls).clone().ok_or_else(|| self.closed())?;
        let left = if is_alone { block_in_place(|| self.commit_alone(call, &calls)) } else { Some(call) };
        if left.is_some() {
            calls.send(left).map_err(|_| self.closed())?;
        }
        Ok(())
    }

    /// Gives the call back where somebody else is at work.
    fn commit_alone(&self, call: Box<dyn Call>, calls: &Calls) -> Option<Box<dyn Call>> {
        let Ok(mut work) = self.work.try_lock() else { return Some(call) };
        let Some(work) = &mut *work else { return Some(call) };
        work.commit(vec![call]);
        if work.upkeep.is_due() && mem::take(&mut work.is_asleep) {
            // The thread has ended where this fails.
            let _ = calls.send(None);
        }
        None
    }

    /// Later calls fail; gives the thread, which ends when the calls before have.
    pub(crate) fn close(&self) -> Option<JoinHandle<()>> {
        drop(locked(&self.calls).take());
        locked(&self.thread).take()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the thread does: groups of calls, and between them what can wait.
fn run(work: &Mutex<Option<Work>>, waiting: &Receiver<Option<Box<dyn Call>>>) {
    let (mut upkept, mut patience, mut had_several) = (Instant::now(), IDLE, false);
    loop {
        let is_due = {
            // Who panicked while it wrote has left a transaction behind: then nothing is written any more.
            let Ok(mut work) = work.lock() else { break };
            let Some(work) = &mut *work else { break };
            work.is_asleep = !work.upkeep.is_due();
            !work.is_asleep
        };
        let first = if is_due {
            waiting.recv_timeout(patience)
        } else {
            waiting.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        let Ok(mut work) = work.lock() else { break };
        let Some(work) = &mut *work else { break };
        let is_busy = match first {
            Ok(Some(first)) => {
                let group = gather(first, waiting, had_several);
                had_several = group.len() > 1;
                work.commit(group);
                true
            }
            Ok(None) => continue,
            Err(RecvTimeoutError::Timeout) => work.committed.elapsed() < work.idle(),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        if is_busy && upkept.elapsed() < UPKEEP_EVERY {
            continue;
        }
        patience = if work.do_some_upkeep() { work.idle() } else { AFTER_FAILURE };
        upkept = Instant::now();
    }
    let work = locked(work).take();
    if let Some(work) = work {
        work.close();
    }
}

/// The calls that are there. Where the last group had several, those too that come one soon after the other: who was answered then has
/// the next one.
fn gather(
    first: Box<dyn Call>,
    waiting: &Receiver<Option<Box<dyn Call>>>,
    had_several: bool,
) -> Vec<Box<dyn Call>> {
    let (mut group, mut last) = (vec![first], Instant::now());
    loop {
        let before = group.len();
        group.extend(waiting.try_iter().flatten().take(GROUP - before));
        if group.len() > before {
            last = Instant::now();
        }
        if !had_several || group.len() == GROUP || last.elapsed() > GATHERS {
            return group;
        }
        thread::yield_now();
    }
}

#[derive(Debug)]
struct Work {
    connection: Bounded,
    upkeep: Upkeep,
    checkpoints: Option<Checkpoints>,
    identity: Option<Identity>,
    timeout: Duration,
    /// When calls were committed last.
    committed: Instant,
    /// The thread waits for a call, and for nothing else.
    is_asleep: bool,
    errors: Errors,
}

impl Work {
    /// How long nothing was committed when the thread does what can wait.
    fn idle(&self) -> Duration {
        if self.identity.is_some() { IDLE } else { Duration::ZERO }
    }

    /// Does a little of what can wait; gives whether that went well.
    fn do_some_upkeep(&mut self) -> bool {
        self.connection.wait_at_most(UPKEEP_WAITS);
        let is_done = self.is_ours().is_ok() && self.upkeep.step(self.connection.within(self.timeout));
        if is_done {
            self.note_commit();
        }
        is_done
    }

    fn close(mut self) {
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
