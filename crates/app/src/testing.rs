//! What the unit tests share.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatMessage, ChatThread, Cursor, Entity, MessageEdit, MessageId, MessageQuery, MessageRepository,
    MessageRevision, MessageSearch, NewThread, OrgId, Page, Scope, SearchPage, SearchQuery, StoreError,
    ThreadId, ThreadQuery, ThreadRepository, ThreadUpdate, Timestamp, UserId,
};
use chatkeep_memory::MemoryRepository;
use tokio::sync::Semaphore;

use crate::conversation::Conversation;
use crate::state_manager::StateManager;

pub(crate) fn scope() -> Scope {
    Scope::user(OrgId::new("acme").unwrap(), UserId::new("ada").unwrap())
}

pub(crate) fn text(message: &chatkeep_domain::Message) -> &str {
    message.content.as_text().unwrap()
}

/// Whether a list may give this page.
pub(crate) type CheckPage = fn(&MessageQuery, &Page<ChatMessage>) -> Result<(), StoreError>;

/// A store in memory that counts, and that fails or waits when a test says so.
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
    /// What lists of messages were asked for, in order.
    pub(crate) lists: Mutex<Vec<MessageQuery>>,
    /// Lists under way.
    pub(crate) listing: AtomicUsize,
    /// Messages that lists gave.
    pub(crate) listed: AtomicUsize,
    /// A list takes one permit.
    pub(crate) list_gate: Semaphore,
    pub(crate) check_page: Mutex<CheckPage>,
    /// The positions of messages that cannot be decoded.
    pub(crate) corrupt: Mutex<Vec<i64>>,
}

struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
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
            lists: Mutex::default(),
            listing: AtomicUsize::new(0),
            listed: AtomicUsize::new(0),
            list_gate: Semaphore::new(Semaphore::MAX_PERMITS),
            check_page: Mutex::new(|_, _| Ok(())),
            corrupt: Mutex::default(),
        })
    }

    pub(crate) fn state(self: &Arc<Self>) -> StateManager {
        StateManager::new(Arc::clone(self) as _, scope())
    }

    /// A new conversation of [`state`](Self::state).
    pub(crate) async fn conversation(self: &Arc<Self>) -> Conversation {
        let state = self.state();
        state.conversation(state.create_thread("x").await.unwrap().id)
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
        self.lists.lock().unwrap().push(query.clone());
        self.listing.fetch_add(1, Ordering::SeqCst);
        let _under_way = UnderWay(&self.listing);
        self.list_gate.acquire().await.unwrap().forget();
        let page = self.inner.list_messages(scope, thread, query).await?;
        let check = *self.check_page.lock().unwrap();
        check(query, &page)?;
        let behind = |last: &ChatMessage| Cursor::after_message(thread, query.order, last.position);
        let rows = page.items.into_iter().map(|message| {
            if self.corrupt.lock().unwrap().contains(&message.position.get()) {
                let (entity, id) = (Entity::Message, message.id.to_string());
                let behind = Some(behind(&message));
                return Err(StoreError::CorruptRow { entity, id, behind, source: "no JSON".into() });
            }
            Ok(message)
        });
        let cut = Page::cut(rows, query.limit, behind)?;
        self.listed.fetch_add(cut.items.len(), Ordering::SeqCst);
        Ok(Page { items: cut.items, next: cut.next.or(page.next) })
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

#[async_trait]
impl MessageSearch for Faulty {
    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        self.inner.search_messages(scope, query).await
    }
}
