//! What the unit tests share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatMessage, ChatThread, MessageEdit, MessageId, MessageQuery, MessageRepository,
    MessageRevision, NewThread, OrgId, Page, Scope, StoreError, ThreadId, ThreadQuery, ThreadRepository,
    ThreadUpdate, Timestamp, UserId,
};
use chatkeep_memory::MemoryRepository;
use tokio::sync::Semaphore;

use crate::StateManager;

pub(crate) fn scope() -> Scope {
    Scope::user(OrgId::new("acme").unwrap(), UserId::new("ada").unwrap())
}

pub(crate) fn text(message: &chatkeep_domain::Message) -> &str {
    message.content.as_text().unwrap()
}

/// A store in memory whose appends fail or wait when a test says so.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: MemoryRepository,
    /// Fails before writing.
    pub(crate) down: AtomicBool,
    /// Fails after writing: the outcome is unknown to the caller.
    pub(crate) loses_answers: AtomicBool,
    /// Fails in a way that no repetition mends.
    pub(crate) broken: AtomicBool,
    pub(crate) appends: AtomicUsize,
    /// An append takes one permit.
    pub(crate) gate: Semaphore,
}

impl Faulty {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryRepository::new(),
            down: AtomicBool::new(false),
            loses_answers: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            appends: AtomicUsize::new(0),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        })
    }

    pub(crate) fn state(self: &Arc<Self>) -> StateManager {
        StateManager::new(Arc::clone(self) as _, scope())
    }

    pub(crate) fn set(flag: &AtomicBool, on: bool) {
        flag.store(on, Ordering::SeqCst);
    }

    fn check(flag: &AtomicBool) -> Result<(), StoreError> {
        if flag.load(Ordering::SeqCst) {
            return Err(unavailable());
        }
        Ok(())
    }
}

pub(crate) fn unavailable() -> StoreError {
    StoreError::Unavailable { store: "faulty", reason: "the test says so", source: "down".into() }
}

#[async_trait]
impl ThreadRepository for Faulty {
    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread, StoreError> {
        self.inner.create_thread(scope, new).await
    }
    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError> {
        self.inner.get_thread(scope, id).await
    }
    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        self.inner.update_thread(scope, id, update).await
    }
    async fn delete_thread(&self, scope: &Scope, id: ThreadId) -> Result<u64, StoreError> {
        self.inner.delete_thread(scope, id).await
    }
    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        self.inner.list_threads(scope, query).await
    }
}

#[async_trait]
impl MessageRepository for Faulty {
    async fn append(
        &self,
        scope: &Scope,
        thread: ThreadId,
        append: Append,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        self.appends.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        Self::check(&self.down)?;
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreError::Backend { store: "faulty", source: "the disk is full".into() });
        }
        let stored = self.inner.append(scope, thread, append).await?;
        Self::check(&self.loses_answers)?;
        Ok(stored)
    }
    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        self.inner.get_message(scope, thread, id).await
    }
    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        self.inner.list_messages(scope, thread, query).await
    }
    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        self.inner.edit_message(scope, thread, id, edit).await
    }
    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        self.inner.list_revisions(scope, thread, id).await
    }
    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.inner.delete_message(scope, thread, id, at).await
    }
    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.inner.clear_messages(scope, thread, at).await
    }
}
