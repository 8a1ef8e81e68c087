//! What is under way, what waits, and who is next.

use std::collections::{HashSet, VecDeque};
use std::mem;

use chatkeep_domain::{Appended, StoreError, ThreadAppend, ThreadId};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// How many groups, or appends by themselves, are being written at the same time, unless told otherwise.
pub const DEFAULT_MAX_IN_FLIGHT: usize = 2;

/// How many appends go together, unless told otherwise.
pub const DEFAULT_MAX_GROUP_LEN: usize = 128;

/// How many messages the appends of a group have together. An append that has more goes by itself.
pub const MAX_GROUP_MESSAGES: usize = 1_000;

pub(super) type Answer = Result<Appended, StoreError>;

/// An append whose caller waits.
pub(super) struct Waiting {
    pub(super) append: ThreadAppend,
    pub(super) answer: oneshot::Sender<Answer>,
    /// The caller's: it lives as long as the caller can wait.
    pub(super) runtime: Handle,
}

pub(super) struct Queue {
    pub(super) max_in_flight: usize,
    pub(super) max_group_len: usize,
    in_flight: usize,
    /// The threads of what is under way.
    writing: HashSet<ThreadId>,
    waiting: VecDeque<Waiting>,
    /// Somebody is at [`Queue::next_group`], and goes on until there is none.
    is_handed_on: bool,
    /// Nothing waits any more.
    is_closed: bool,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            max_in_flight: DEFAULT_MAX_IN_FLIGHT,
            max_group_len: DEFAULT_MAX_GROUP_LEN,
            in_flight: 0,
            writing: HashSet::new(),
            waiting: VecDeque::new(),
            is_handed_on: false,
            is_closed: false,
        }
    }

    /// How many are under way, and how many wait.
    pub(super) fn len(&self) -> (usize, usize) {
        (self.in_flight, self.waiting.len())
    }

    pub(super) fn is_idle(&self) -> bool {
        self.len() == (0, 0)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub(super) fn close(&mut self) {
        self.is_closed = true;
    }

    /// Takes a place for an append to this thread, where one is free and nothing to the thread is before it.
    pub(super) fn enter(&mut self, thread: ThreadId) -> bool {
        // Who hands on may be about to take what waits for this thread.
        let is_free = self.in_flight < self.max_in_flight && !self.is_handed_on;
        if is_free && self.writing.insert(thread) {
            self.in_flight += 1;
            return true;
        }
        false
    }

    pub(super) fn wait(&mut self, waiting: Waiting) {
        self.waiting.push_back(waiting);
    }

    /// Gives up a place. True when the caller is to hand on, until there is no next group.
    pub(super) fn leave(&mut self, threads: &[ThreadId]) -> bool {
        self.in_flight -= 1;
        for thread in threads {
            self.writing.remove(thread);
        }
        !self.waiting.is_empty() && !mem::replace(&mut self.is_handed_on, true)
    }

    /// Takes a place for those that are next in line, but for those whose thread is being written to. `None` when
    /// there is no place or nobody, and then nobody hands on any more.
    pub(super) fn next_group(&mut self) -> Option<Vec<Waiting>> {
        let group = if self.in_flight < self.max_in_flight { self.take_group() } else { Vec::new() };
        if group.is_empty() {
            self.is_handed_on = false;
            return None;
        }
        self.in_flight += 1;
        self.writing.extend(group.iter().map(|waiting| waiting.append.thread));
        Some(group)
    }

    fn take_group(&mut self) -> Vec<Waiting> {
        let (mut group, mut passed_over, mut messages) = (Vec::new(), Vec::new(), 0);
        while group.len() < self.max_group_len
            && let Some(next) = self.waiting.pop_front()
        {
            if next.answer.is_closed() {
                continue;
            }
            if self.writing.contains(&next.append.thread) {
                passed_over.push(next);
                continue;
            }
            messages += next.append.append.messages.len();
            if messages > MAX_GROUP_MESSAGES && !group.is_empty() {
                // Those behind it wait too: one of them may be to the same thread.
                passed_over.push(next);
                break;
            }
            group.push(next);
        }
        for waiting in passed_over.into_iter().rev() {
            self.waiting.push_front(waiting);
        }
        group
    }
}
