//! Places: who has one writes, and who leaves one hands it on.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use chatkeep_domain::{
    Again, Append, ConversationRepository, Outcome, Scope, StoreError, ThreadAppend, ThreadId,
};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use crate::coalescing::queue::{Answer, Queue, Waiting};

pub(super) struct Shared {
    store: Arc<dyn ConversationRepository>,
    queue: Mutex<Queue>,
    /// Nothing is under way, and nothing waits.
    idle: Notify,
}

/// What an append does that arrives.
pub(super) enum Entry {
    /// It is written by its caller; in a place, unless nothing is held back.
    Now(Append, Option<Place>),
    /// It is in the queue.
    Later(oneshot::Receiver<Answer>),
}

impl Shared {
    pub(super) fn new(store: Arc<dyn ConversationRepository>) -> Self {
        Self { store, queue: Mutex::new(Queue::new()), idle: Notify::new() }
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(self: &Arc<Self>, scope: &Scope, thread: ThreadId, append: Append) -> Entry {
        let mut queue = self.queue();
        if queue.is_closed() {
            return Entry::Now(append, None);
        }
        if queue.enter(thread) {
            drop(queue);
            let place = Place { shared: Arc::clone(self), threads: vec![thread] };
            return Entry::Now(append, Some(place));
        }
        let Ok(runtime) = Handle::try_current() else {
            return Entry::Now(append, None);
        };
        let append = ThreadAppend::new(scope.clone(), thread, append);
        let (answer, answered) = oneshot::channel();
        queue.wait(Waiting { append, answer, runtime });
        Entry::Later(answered)
    }

    /// Holds nothing back any more, and waits for what is held.
    pub(super) async fn close(&self) {
        self.queue().close();
        loop {
            let mut idle = pin!(self.idle.notified());
            idle.as_mut().enable();
            if self.queue().is_idle() {
                return;
            }
            idle.await;
        }
    }

    /// Gives the free places to those that wait. Nobody else does so meanwhile: a place that is left on the way, by a
    /// task that a runtime refuses, comes back to this loop and not to one inside it.
    fn hand_on(self: &Arc<Self>) {
        while let Some(group) = self.next_group() {
            let threads = group.iter().map(|waiting| waiting.append.thread).collect();
            let place = Place { shared: Arc::clone(self), threads };
            // That of the caller who leaves may be at its end.
            let runtime = group[0].runtime.clone();
            runtime.spawn(place.write(group));
        }
    }

    fn next_group(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.queue();
        let group = queue.next_group();
        if queue.is_idle() {
            self.idle.notify_waiters();
        }
        group
    }
}

/// One of the places in which appends are written. It is handed on when it is dropped: at the end, or when the caller
/// gives up, or in a panic.
pub(super) struct Place {
    shared: Arc<Shared>,
    threads: Vec<ThreadId>,
}

impl Place {
    /// Writes a group and gives each caller its answer. A caller that gets none is told by its channel.
    async fn write(self, group: Vec<Waiting>) {
        let (appends, mut callers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|waiting| (waiting.append, waiting.answer)).unzip();
        tracing::debug!(appends = appends.len(), "appends that waited go together");
        let written = write_to(&*self.shared.store, appends);
        let Some(answers) = while_wanted(&mut callers, written).await else { return };
        if answers.len() != callers.len() {
            // Whose they are is not known, and nobody may get what is another's.
            tracing::error!(
                appends = callers.len(),
                answers = answers.len(),
                "append_each gave a wrong number of answers"
            );
            return;
        }
        for (caller, answer) in callers.into_iter().zip(answers) {
            // A caller that gave up meanwhile needs none.
            let _ = caller.send(answer);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queue = self.shared.queue();
        let is_to_hand_on = queue.leave(&self.threads);
        let is_idle = queue.is_idle();
        drop(queue);
        if is_idle {
            self.shared.idle.notify_waiters();
        }
        if is_to_hand_on {
            self.shared.hand_on();
        }
    }
}

async fn write_to(store: &dyn ConversationRepository, mut appends: Vec<ThreadAppend>) -> Vec<Answer> {
    match appends.pop() {
        Some(ThreadAppend { scope, thread, append, .. }) if appends.is_empty() => {
            vec![store.append(&scope, thread, append).await]
        }
        last => {
            appends.extend(last);
            store.append_each(appends).await
        }
    }
}

/// What the writing gives; nothing if all callers gave up before.
async fn while_wanted<T>(
    callers: &mut [oneshot::Sender<Answer>],
    writing: impl Future<Output = T>,
) -> Option<T> {
    let mut writing = pin!(writing);
    let mut given_up = pin!(async {
        for caller in callers {
            caller.closed().await;
        }
    });
    poll_fn(|context| match writing.as_mut().poll(context) {
        Poll::Ready(answers) => Poll::Ready(Some(answers)),
        Poll::Pending => given_up.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// What a caller is told whose append ended without an answer.
pub(super) fn unanswered(store: &'static str, error: oneshot::error::RecvError) -> StoreError {
    let reason = "the write ended without an answer; calling again with the same ids is safe";
    StoreError::unavailable(store, Outcome::Unknown, Again::Soon, reason, error)
}
