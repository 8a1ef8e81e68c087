//! Stores messages in the background, in batches, and swallows no error.

mod config;
mod queue;
mod shared;
mod task;

use std::sync::Arc;

use chatkeep_domain::{Append, BranchId, MessageId, NewMessage, ThreadId};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

pub use crate::write_behind::config::WriteBehindConfig;
pub use crate::write_behind::queue::FailedMessage;

use crate::error::Error;
use crate::input::MessageInput;
use crate::state_manager::StateManager;
use crate::write_behind::queue::{BranchKey, Queue};
use crate::write_behind::shared::{Closing, Shared};

/// Stores messages in the background: queues them, and appends all messages that wait for a branch of a thread in one go.
///
/// - The order of each branch is kept. Ids are fixed when a message is queued, so that no retry stores it twice.
/// - The queue is bounded; when it is full, [`push`](WriteBehind::push) waits.
/// - After a transient error the task tries again, with growing pauses. If that does not help, or the error is not
///   transient, the next push to the branch returns [`Error::WriteBehind`], and so does a flush. The messages that
///   failed stay first in line. That push and every [`flush`](WriteBehind::flush) try them again, until
///   [`take_failed`](WriteBehind::take_failed) hands them back. Other threads and branches do not wait for them, unless the queue
///   is full of messages that cannot be stored.
/// - [`flush`](WriteBehind::flush) returns when everything is durable. Call it, or [`close`](WriteBehind::close),
///   before you drop a `WriteBehind`: messages that still wait are lost then, and only their number is logged.
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

    /// Queues a message for the main branch of a thread; waits while the queue is full. Gives the id that the message will have. A
    /// message whose id already waits for the same branch is not queued: as in the store, the first one stays.
    ///
    /// # Errors
    /// [`Error::WriteBehind`] when earlier messages of the branch could not be stored, or when the queue is full of
    /// messages of other branches that cannot be stored; [`Error::Closed`]; what [`Append::validate`] refuses. After
    /// an error the message is not queued.
    pub async fn push(&self, thread: ThreadId, input: impl Into<MessageInput>) -> Result<MessageId, Error> {
        self.push_to_branch(thread, BranchId::MAIN, input).await
    }

    /// The same for another branch.
    ///
    /// # Errors
    /// As [`WriteBehind::push`].
    pub async fn push_to_branch(
        &self,
        thread: ThreadId,
        branch: BranchId,
        input: impl Into<MessageInput>,
    ) -> Result<MessageId, Error> {
        let state = &self.shared.state;
        let new = input.into().into_new(state.clock().now(), state.ids())?;
        self.push_new((thread, branch), new).await
    }

    pub(crate) async fn push_new(&self, key: BranchKey, new: NewMessage) -> Result<MessageId, Error> {
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
                let due = queue.due(key);
                queue.retry(key);
                self.shared.wake.notify_one();
                if let Some(error) = due {
                    return Err(error);
                }
                if queue.holds(key, id) {
                    return Ok(id);
                }
                if queue.has_room(bytes) {
                    queue.add(key, message.take(), bytes);
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

    /// Waits until everything that was queued before is durable. Messages that failed are tried again first.
    ///
    /// # Errors
    /// [`Error::WriteBehind`] when the messages of a thread fail again; they stay queued. Unless the error is
    /// transient, all other branches have been tried by then. [`Error::Closed`] when the task has ended.
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
    /// As [`WriteBehind::flush`]. After an error, or if this call is dropped halfway, the queue goes on as before.
    pub async fn close(&self) -> Result<(), Error> {
        let _closing = Closing::new(&self.shared);
        self.flush().await?;
        self.shared.queue().running = false;
        self.task.abort();
        Ok(())
    }

    /// Takes the messages that could not be stored out of the queue, in order, and forgets their errors. Waits for an
    /// attempt that is under way. Appending the messages later is safe, because they keep their ids.
    pub async fn take_failed(&self) -> Vec<FailedMessage> {
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
