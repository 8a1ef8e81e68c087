//! What the unit tests share.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chatkeep_domain::{
    Again, Append, Appended, ChatMessage, ConversationRepository, Decorator, Entity, MessageQuery,
    MessageStream, OrgId, Outcome, Page, Scope, StoreError, ThreadAppend, ThreadId, UserId, Version,
    stream_by_pages,
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
    StoreError::unavailable("faulty", Outcome::Unknown, Again::Soon, "the test says so", "down")
}

#[async_trait]
impl Decorator for Faulty {
    fn inner(&self) -> &dyn ConversationRepository {
        &self.inner
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Result<Appended, StoreError> {
        self.appends.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        Self::check(&self.down)?;
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreError::backend("faulty", "the disk is full"));
        }
        let stored = self.inner().append(scope, thread, append).await?;
        Self::check(&self.loses_answers)?;
        Ok(stored)
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>> {
        let mut answers = Vec::new();
        for ThreadAppend { scope, thread, append, .. } in appends {
            answers.push(Decorator::append(self, &scope, thread, append).await);
        }
        answers
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
        let page = self.inner().list_messages(scope, thread, query).await?;
        let check = *self.check_page.lock().unwrap();
        check(query, &page)?;
        let behind = |last: &ChatMessage| query.cursor_behind(thread, last.position);
        let rows = page.items.into_iter().map(|message| {
            if self.corrupt.lock().unwrap().contains(&message.position.get()) {
                let corrupt = StoreError::corrupt_row(Entity::Message, message.id, "no JSON");
                return Err(corrupt.going_on(behind(&message)));
            }
            Ok(message)
        });
        let mut cut = Page::cut(rows, query.limit, behind)?;
        self.listed.fetch_add(cut.items.len(), Ordering::SeqCst);
        (cut.next, cut.version) = (cut.next.or(page.next), page.version);
        Ok(cut)
    }

    async fn list_messages_unless(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
        version: Version,
    ) -> Result<Option<Page<ChatMessage>>, StoreError> {
        let page = self.list_messages(scope, thread, query).await?;
        Ok(Some(page).filter(|page| page.version != Some(version)))
    }

    fn stream_messages<'a>(
        &'a self,
        scope: &'a Scope,
        thread: ThreadId,
        query: MessageQuery,
    ) -> MessageStream<'a> {
        stream_by_pages(self, scope, thread, query)
    }
}
