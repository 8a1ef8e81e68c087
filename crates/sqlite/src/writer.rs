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
use crate::commit::{Call, Committer, IDLE};
use crate::config::SqliteConfig;
use crate::connection::{Bounded, REST};
use crate::error::{Errors, Result, shared};
use crate::identity::Identity;
use crate::upkeep::Upkeep;

/// How many calls are committed together at most.
const GROUP: usize = 128;

/// After how long it tries again what has failed, such as on a full disk.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How often it does a little of that while calls keep coming.
const UPKEEP_EVERY: Duration = Duration::from_millis(100);

/// Of so many calls that seem to be alone one looks for others.
const LOOKS_AROUND: usize = 16;

/// A group is complete when no call came for so long. Without that, 16 callers make groups of eight: 3.6 times the appends of one caller
/// of plain SQLite, and 4.4 times with it.
const GATHERS: Duration = Duration::from_micros(30);

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
/// called: to hand it over, and its answer back, takes half as long as an append that waits for no disk.
#[derive(Debug)]
pub(crate) struct Writer {
    calls: Mutex<Option<Calls>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    work: Arc<Mutex<Option<Committer>>>,
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
        let work = Committer {
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

    /// Has the thread look for what can wait.
    pub(crate) fn wake(&self) {
        if let Some(calls) = &*locked(&self.calls) {
            // The thread has ended where this fails.
            let _ = calls.send(None);
        }
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
fn run(work: &Mutex<Option<Committer>>, waiting: &Receiver<Option<Box<dyn Call>>>) {
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
            Ok(None) => true,
            Err(RecvTimeoutError::Timeout) => work.committed.elapsed() < work.idle(),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        if is_busy && upkept.elapsed() < UPKEEP_EVERY {
            continue;
        }
        let begun = Instant::now();
        patience = if work.do_some_upkeep() { work.idle() } else { AFTER_FAILURE };
        upkept = Instant::now();
        if work.upkeep.deletes() {
            // Other processes look for the lock every tenth of a second only: a long deletion leaves it to them in between.
            patience = patience.max(begun.elapsed().min(REST));
        }
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
