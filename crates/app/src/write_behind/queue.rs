//! What waits to be stored, and what failed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use chatkeep_domain::{BranchId, MessageId, NewMessage, StoreError, ThreadId};
use tokio::time::Instant;

use crate::error::Error;
use crate::write_behind::config::WriteBehindConfig;

const FIRST_DELAY: Duration = Duration::from_millis(50);

/// A batch stays well below what one append may hold.
const MAX_BATCH_BYTES: usize = 64 * 1_024 * 1_024;

/// A branch of a thread: what has an order, and what fails as one.
pub(super) type BranchKey = (ThreadId, BranchId);

/// A message that write-behind could not store.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FailedMessage {
    /// Where it was to be stored.
    pub thread: ThreadId,
    /// The branch of the thread.
    pub branch: BranchId,
    /// The message, with its id.
    pub message: NewMessage,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    key: BranchKey,
    message: NewMessage,
    bytes: usize,
}

#[derive(Debug)]
struct Failure {
    error: Arc<StoreError>,
    attempts: u32,
    pauses: ExponentialBackoff,
    /// `None`: it waits for a caller.
    next_try: Option<Instant>,
    /// The next push to the branch is to get the error.
    due: bool,
    /// Which of the queue's [`give_ups`](Queue::give_ups) the latest was.
    given_up: Option<u64>,
}

/// What the task does next.
pub(super) enum Work {
    Append { key: BranchKey, messages: Vec<NewMessage>, last: u64 },
    WaitUntil(Instant),
    Wait,
}

#[derive(Debug)]
pub(super) struct Queue {
    config: WriteBehindConfig,
    entries: VecDeque<Entry>,
    bytes: usize,
    next: u64,
    failures: BTreeMap<BranchKey, Failure>,
    /// How often an error became the callers'.
    give_ups: u64,
    /// The branch that is being appended to.
    running_for: Option<BranchKey>,
    /// How many callers are closing it: it is open for none.
    pub(super) closing: usize,
    pub(super) running: bool,
}

impl Queue {
    pub(super) fn new(config: WriteBehindConfig) -> Self {
        Self {
            config,
            entries: VecDeque::new(),
            bytes: 0,
            next: 0,
            failures: BTreeMap::new(),
            give_ups: 0,
            running_for: None,
            closing: 0,
            running: true,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The number that the next message gets.
    pub(super) fn end(&self) -> u64 {
        self.next
    }

    /// What was given up so far, for [`obstacle`](Queue::obstacle) to tell what came later.
    pub(super) fn give_ups(&self) -> u64 {
        self.give_ups
    }

    pub(super) fn threads(&self) -> BTreeSet<String> {
        self.entries.iter().map(|entry| entry.key.0.to_string()).collect()
    }

    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.entries.is_empty()
            || self.entries.len() < self.config.capacity && self.bytes + bytes <= self.config.max_bytes
    }

    /// Whether the message waits already, or is being stored.
    pub(super) fn holds(&self, key: BranchKey, id: MessageId) -> bool {
        self.entries.iter().any(|entry| entry.key == key && entry.message.id == id)
    }

    pub(super) fn add(&mut self, key: BranchKey, message: Option<NewMessage>, bytes: usize) {
        let Some(message) = message else { return };
        self.entries.push_back(Entry { number: self.next, key, message, bytes });
        self.next += 1;
        self.bytes += bytes;
    }

    pub(super) fn is_stored(&self, end: u64) -> bool {
        self.entries.front().is_none_or(|entry| entry.number >= end)
    }

    pub(super) fn check_open(&self) -> Result<(), Error> {
        if self.closing == 0 { self.check_running() } else { Err(self.closed()) }
    }

    pub(super) fn check_running(&self) -> Result<(), Error> {
        if self.running { Ok(()) } else { Err(self.closed()) }
    }

    fn closed(&self) -> Error {
        Error::Closed { unsaved: self.len() }
    }

    /// The error that a push to this branch is to get, once.
    pub(super) fn due(&mut self, key: BranchKey) -> Option<Error> {
        self.failures.get(&key).filter(|failure| failure.due)?;
        self.tell(key)
    }

    /// What keeps the messages before `end` from being stored: a branch that was given up after `since`, or that
    /// waits for a caller. `None` while more of them may yet be stored: a lasting failure says nothing of the other
    /// branches, which are waited for; a transient one does.
    pub(super) fn obstacle(&self, end: u64, since: u64) -> Option<BranchKey> {
        if self.failures.is_empty() {
            return None;
        }
        let keys: BTreeSet<BranchKey> =
            self.entries.iter().take_while(|entry| entry.number < end).map(|entry| entry.key).collect();
        let mut hope = false;
        let mut lasting = None;
        for key in keys {
            let failure = self.failures.get(&key);
            match failure.filter(|failure| failure.next_try.is_none() || failure.given_up > Some(since)) {
                Some(failure) if failure.error.is_transient() => return Some(key),
                Some(_) => lasting = lasting.or(Some(key)),
                None => hope = true,
            }
        }
        lasting.filter(|_| !hope)
    }

    /// The branch's error.
    pub(super) fn error(&self, key: BranchKey) -> Option<Error> {
        let unsaved = self.entries.iter().filter(|entry| entry.key == key).count();
        let source = Arc::clone(&self.failures.get(&key)?.error);
        Some(Error::WriteBehind { thread: key.0, branch: key.1, unsaved, source })
    }

    /// The branch's error; the next push to it need not get it again.
    pub(super) fn tell(&mut self, key: BranchKey) -> Option<Error> {
        self.failures.get_mut(&key)?.due = false;
        self.error(key)
    }

    /// Tries the branch again if it waits for a caller.
    pub(super) fn retry(&mut self, key: BranchKey) {
        if let Some(failure) = self.failures.get_mut(&key) {
            failure.next_try.get_or_insert_with(Instant::now);
        }
    }

    /// Tries again everything that failed, without a pause. The attempts count on: however many callers ask, there
    /// is an end to each one's waiting.
    pub(super) fn retry_all(&mut self) {
        let now = Instant::now();
        for failure in self.failures.values_mut() {
            failure.next_try = Some(now);
            failure.pauses = pauses(&self.config);
        }
    }

    /// The oldest messages of the first branch that may be tried.
    pub(super) fn next_work(&mut self) -> Work {
        let now = Instant::now();
        let may_try = |key: &BranchKey| match self.failures.get(key) {
            Some(failure) => failure.next_try.is_some_and(|at| at <= now),
            None => true,
        };
        let Some(key) = self.entries.iter().map(|entry| entry.key).find(may_try) else {
            let next = self.failures.values().filter_map(|failure| failure.next_try).min();
            return next.map_or(Work::Wait, Work::WaitUntil);
        };
        let (mut messages, mut bytes, mut last) = (Vec::new(), 0, 0);
        let batch = self.entries.iter().filter(|entry| entry.key == key);
        for entry in batch.take(self.config.max_batch) {
            bytes += entry.bytes;
            if bytes > MAX_BATCH_BYTES && !messages.is_empty() {
                break;
            }
            messages.push(entry.message.clone());
            last = entry.number;
        }
        self.running_for = Some(key);
        Work::Append { key, messages, last }
    }

    /// The messages of the branch up to `last` are durable.
    pub(super) fn succeeded(&mut self, key: BranchKey, last: u64) {
        self.running_for = None;
        self.failures.remove(&key);
        self.remove(|entry| entry.key == key && entry.number <= last);
    }

    pub(super) fn failed(&mut self, key: BranchKey, error: StoreError) {
        self.running_for = None;
        let config = self.config;
        let transient = error.is_transient();
        let error = Arc::new(error);
        let failure = self.failures.entry(key).or_insert_with(|| Failure {
            error: Arc::clone(&error),
            attempts: 0,
            pauses: pauses(&config),
            next_try: None,
            due: false,
            given_up: None,
        });
        failure.error = error;
        failure.attempts = failure.attempts.saturating_add(1);
        if !transient || failure.attempts > config.retries {
            self.give_ups += 1;
            (failure.due, failure.given_up) = (true, Some(self.give_ups));
            failure.attempts = 0;
        }
        let pause = failure.pauses.next().unwrap_or(config.max_delay);
        failure.next_try = transient.then(|| Instant::now() + pause);
    }

    /// The messages of the branches that were given up; `None` while one of them is being tried.
    pub(super) fn take_failed(&mut self) -> Option<Vec<FailedMessage>> {
        let failed: BTreeSet<BranchKey> = self
            .failures
            .iter()
            .filter(|(_, failure)| failure.given_up.is_some())
            .map(|(key, _)| *key)
            .collect();
        if self.running && self.running_for.is_some_and(|key| failed.contains(&key)) {
            return None;
        }
        self.failures.retain(|key, _| !failed.contains(key));
        let taken = self.remove(|entry| failed.contains(&entry.key));
        let unsaved =
            |Entry { key: (thread, branch), message, .. }| FailedMessage { thread, branch, message };
        Some(taken.into_iter().map(unsaved).collect())
    }

    fn remove(&mut self, which: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let (removed, kept): (Vec<_>, Vec<_>) = self.entries.drain(..).partition(which);
        self.entries = kept.into();
        self.bytes -= removed.iter().map(|entry| entry.bytes).sum::<usize>();
        removed
    }
}

fn pauses(config: &WriteBehindConfig) -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_DELAY.min(config.max_delay))
        .with_max_delay(config.max_delay)
        .without_max_times()
        .build()
}
