//! Appends that wait together go to the store together.

mod place;
mod queue;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chatkeep_domain::{
    Append, Appended, ConversationRepository, Decorator, Scope, StoreError, ThreadAppend, ThreadId,
};

use self::place::{Entry, Shared, unanswered};
pub use self::queue::{DEFAULT_MAX_GROUP_LEN, DEFAULT_MAX_IN_FLIGHT, MAX_GROUP_MESSAGES};

/// A store in which appends that wait together are written together.
///
/// An append that finds a free place and no other append to its thread under way is written at once. The others wait,
/// until one of those under way has ended; then those that wait go in one
/// [`append_each`](chatkeep_domain::MessageRepository::append_each), on a task of the tokio runtime of the first of
/// them. One by itself goes in an [`append`](chatkeep_domain::MessageRepository::append).
///
/// - Each caller gets its own answer. An error of the store is that of the append that it belongs to.
/// - The appends to one thread are written in the order in which they arrive, and never two at the same time.
/// - When the store panics, answers too little, or its runtime is shut down, the appends that went with it are
///   answered by [`StoreError::Unavailable`]: whether they are stored is not known, and calling again with the same ids
///   is safe.
/// - A caller that gives up while it waits takes its append with it; while it is being written the outcome is unknown.
///   Either way the others go on. A group whose callers have all given up is given up too: so what bounds the callers, such
///   as [`Retry`](crate::Retry) in front, bounds the groups.
/// - An append that is written by its caller holds its place, and its thread, until its future ends or is dropped, as it
///   would hold a connection of a pool. So do not leave one that was polled lying while you wait for another.
/// - What waits is an append for each caller, and nowhere else: bounding the callers bounds the memory.
/// - A caller outside a tokio runtime does not wait: its append is passed on at once, and so is that of every caller
///   once [`close`](ConversationRepository::close) was called.
///
/// Everything else is passed on, `append_each` too: its appends go together already. They count for no place.
/// `close` first waits for the appends that it holds.
pub struct Coalescing {
    store: Arc<dyn ConversationRepository>,
    shared: Arc<Shared>,
}

impl Coalescing {
    /// Puts it in front of a store.
    pub fn new(store: Arc<dyn ConversationRepository>) -> Self {
        let shared = Arc::new(Shared::new(Arc::clone(&store)));
        Self { store, shared }
    }

    /// How many groups, or appends by themselves, are being written at the same time: [`DEFAULT_MAX_IN_FLIGHT`] unless
    /// told otherwise. A store with one writer, such as SQLite, gains nothing from more than 1. 0 is taken for 1.
    #[must_use]
    pub fn max_in_flight(self, count: usize) -> Self {
        self.shared.queue().max_in_flight = count.max(1);
        self
    }

    /// How many appends go together at most: [`DEFAULT_MAX_GROUP_LEN`] unless told otherwise. They have
    /// [`MAX_GROUP_MESSAGES`] at most. 0 is taken for 1, with which nothing goes together.
    #[must_use]
    pub fn max_group_len(self, count: usize) -> Self {
        self.shared.queue().max_group_len = count.max(1);
        self
    }
}

impl fmt::Debug for Coalescing {
    /// Shows how many appends there are, and nothing of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (in_flight, waiting) = self.shared.queue().len();
        f.debug_struct("Coalescing")
            .field("in_flight", &in_flight)
            .field("waiting", &waiting)
            .field("store", &self.store)
            .finish()
    }
}

#[async_trait]
impl Decorator for Coalescing {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.store
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Result<Appended, StoreError> {
        match self.shared.enter(scope, thread, append) {
            Entry::Now(append, _place) => self.store.append(scope, thread, append).await,
            Entry::Later(answered) => {
                answered.await.unwrap_or_else(|error| Err(unanswered(self.store.name(), error)))
            }
        }
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>> {
        self.store.append_each(appends).await
    }

    /// The calls under way, which `close` lets end, are those that wait here too.
    async fn close(&self) -> Result<(), StoreError> {
        self.shared.close().await;
        self.store.close().await
    }
}
