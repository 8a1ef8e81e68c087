//! What the callers and the task have in common.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::state_manager::StateManager;
use crate::write_behind::queue::Queue;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) state: StateManager,
    queue: Mutex<Queue>,
    /// There may be something to do for the task.
    pub(super) wake: Notify,
    /// The queue changed: waiting callers look again.
    pub(super) changed: Notify,
}

impl Shared {
    pub(super) fn new(state: StateManager, queue: Queue) -> Self {
        Self { state, queue: Mutex::new(queue), wake: Notify::new(), changed: Notify::new() }
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the queue closed as long as somebody closes it.
pub(super) struct Closing<'a>(&'a Shared);

impl<'a> Closing<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        shared.queue().closing += 1;
        shared.changed.notify_waiters();
        Self(shared)
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.queue().closing -= 1;
    }
}
