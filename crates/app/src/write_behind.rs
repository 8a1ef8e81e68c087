//! Stores messages in the background, in batches, and swallows no error.

mod config;
mod queue;
mod shared;
mod task;

use std::sync::Arc;

use chatkeep_domain::{Append, MessageId, NewMessage, ThreadId};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

pub use crate::write_behind::config::WriteBehindConfig;

use crate::error::Error;
use crate::input::MessageInput;
use crate::state_manager::StateManager;
use crate::write_behind::queue::Queue;
use crate::write_behind::shared::{Closing, Shared};

/// Stores messages in the background: queues them, and appends what waits for a thread in one go.
///
/// - The order of each thread is kept. Ids are fixed when a message is queued, so that no retry stores it twice.
/// - The queue is bounded; when it is full, [`push`](WriteBehind::push) waits.
/// - A transient error is repeated by the task, with growing pauses. When that does not help, or the error is not
///   transient, the next push to the thread gets it, and so does a flush: [`Error::WriteBehind`]. What failed stays
///   first in line. It is tried again by that very push and by every [`flush`](WriteBehind::flush), until
///   [`take_failed`](WriteBehind::take_failed) hands it back. Other threads are not held up by it, unless nothing
///   else is left in a full queue.
/// - [`flush`](WriteBehind::flush) returns when everything is durable. Without it, or
///   [`close`](WriteBehind::close), what waits is lost when this is dropped, and the loss is logged with its count.
///
/// ```
/// use std::sync::Arc;
/// use chatkeep::{MemoryRepository, OrgId, Role, Scope, StateManager, UserId, WriteBehind, WriteBehindConfig};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), chatkeep::Error> {
/// let scope = Scope::user(OrgId::new("acme")?, UserId::new("ada")?);
/// let state = StateManager::new(Arc::new(MemoryRepository::new()), scope);
/// let chat = state.conversation(state.create_thread("Weather").await?.id);
///
/// let behind = WriteBehind::new(state.clone(), WriteBehindConfig::default())?;
/// behind.push(chat.thread_id(), (Role::User, "How is the weather?")).await?;
/// behind.push(chat.thread_id(), (Role::Assistant, "Rain.")).await?;
/// behind.close().await?;
/// assert_eq!(chat.get_messages().await?.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct WriteBehind {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl WriteBehind {
    /// Starts the task on the current tokio runtime.
    ///
    /// # Errors
    /// [`Error::NoRuntime`] outside of one; [`InvalidArgument`](crate::InvalidArgument) for a capacity, batch or delay
    /// of 0.
    pub fn new(state: StateManager, config: WriteBehindConfig) -> Result<Self, Error> {
        config.validate()?;
        let runtime = Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let shared = Arc::new(Shared::new(state, Queue::new(config)));
        let task = runtime.spawn(task::run(Arc::clone(&shared)));
        Ok(Self { shared, task })
    }

    /// Queues a message for a thread; waits while the queue is full. Gives the id that the
    /// message will have. One with the id of a message that waits for the same thread already is not queued: as in
    /// the store, the first stays.
    ///
    /// # Errors
    /// [`Error::WriteBehind`] when earlier messages of the thread could not be stored, or when the queue is full of
    /// other threads' that cannot be; [`Error::Closed`]; what [`Append::validate`] refuses. After an error the message is
    /// not queued.
    pub async fn push(&self, thread: ThreadId, input: impl Into<MessageInput>) -> Result<MessageId, Error> {
        let state = &self.shared.state;
        let new = input.into().into_new(state.clock().now(), state.ids())?;
        self.push_new(thread, new).await
    }

    pub(crate) async fn push_new(&self, thread: ThreadId, new: NewMessage) -> Result<MessageId, Error> {
        let id = new.id;
        // Refused here, it cannot hold up the others later.
        let mut append = Append::new([new]);
        let bytes = append.validate()?;
        let mut message = append.messages.pop();
        let since = self.shared.queue().give_ups();
        loop {
            let mut changed = std::pin::pin!(self.shared.changed.notified());
            changed.as_mut().enable();
            {
                let mut queue = self.shared.queue();
                queue.check_open()?;
                let due = queue.due(thread);
                queue.retry(thread);
                self.shared.wake.notify_one();
                if let Some(error) = due {
                    return Err(error);
                }
                if queue.holds(thread, id) {
                    return Ok(id);
                }
                if queue.has_room(bytes) {
                    queue.add(thread, message.take(), bytes);
                    return Ok(id);
                }
                let obstacle = queue.obstacle(u64::MAX, since);
                if let Some(error) = obstacle.and_then(|failed| queue.error(failed)) {
                    return Err(error);
                }
            }
            changed.await;
        }
    }

    /// Waits until everything that was queued before is durable. What failed is tried again first.
    ///
    /// # Errors
    /// [`Error::WriteBehind`] when a thread fails again; it stays queued. Where that is no transient error, all
    /// other threads have been tried as well by then. [`Error::Closed`] when the task has ended.
    pub async fn flush(&self) -> Result<(), Error> {
        let (end, since) = {
            let mut queue = self.shared.queue();
            queue.retry_all();
            (queue.end(), queue.give_ups())
        };
        self.shared.wake.notify_one();
        loop {
            let mut changed = std::pin::pin!(self.shared.changed.notified());
            changed.as_mut().enable();
            {
                let mut queue = self.shared.queue();
                if queue.is_stored(end) {
                    return Ok(());
                }
                queue.check_running()?;
                let obstacle = queue.obstacle(end, since);
                if let Some(error) = obstacle.and_then(|failed| queue.tell(failed)) {
                    return Err(error);
                }
            }
            changed.await;
        }
    }

    /// Takes no more messages, waits until everything is durable, and stops the task.
    ///
    /// # Errors
    /// As [`WriteBehind::flush`]; then it goes on as before, as it does when this call is dropped halfway.
    pub async fn close(&self) -> Result<(), Error> {
        let _closing = Closing::new(&self.shared);
        self.flush().await?;
        self.shared.queue().running = false;
        self.task.abort();
        Ok(())
    }

    /// Takes what could not be stored out of the queue, in order, and forgets the errors. What a running attempt
    /// has not finished yet is waited for. Appending it again later is safe: the ids stay.
    pub async fn take_failed(&self) -> Vec<(ThreadId, NewMessage)> {
        loop {
            let mut changed = std::pin::pin!(self.shared.changed.notified());
            changed.as_mut().enable();
            if let Some(failed) = self.shared.queue().take_failed() {
                self.shared.changed.notify_waiters();
                return failed;
            }
            changed.await;
        }
    }

    /// How many messages are not durable yet.
    pub fn unsaved(&self) -> usize {
        self.shared.queue().len()
    }
}

impl Drop for WriteBehind {
    fn drop(&mut self) {
        self.task.abort();
        let queue = self.shared.queue();
        let unsaved = queue.len();
        if unsaved > 0 {
            let threads = queue.threads();
            tracing::error!(unsaved, ?threads, "write-behind was dropped with messages that were not stored");
        }
    }
}

#[cfg(test)]
mod tests;
