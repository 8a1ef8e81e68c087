//! Calls are repeated after transient errors, within a deadline.

mod call;
mod each;
mod past;
mod pauses;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chatkeep_domain::{
    Append, Appended, Branch, BranchId, BranchRename, ChatMessage, ChatThread, ConversationRepository,
    Decorator, Fork, MessageEdit, MessageId, MessageQuery, MessageRevision, MessageStream, NewBranch,
    NewThread, Page, Position, Removal, Scope, SearchPage, SearchQuery, StoreError, ThreadAppend, ThreadId,
    ThreadQuery, ThreadUpdate, Version,
};

use self::call::Limits;
use self::past::Kind;
use crate::inner::{branches, search_messages};

/// How many deadlines a call may take that goes over a whole thread, however long: by default ten minutes.
const LONG: u32 = 20;

/// A store whose calls are repeated after transient errors, and bounded by a deadline as a whole.
///
/// A call is repeated after [`StoreError::Unavailable`] that says [`Again::Soon`](chatkeep_domain::Again::Soon), and after
/// nothing else. The first pause is a millisecond or two; each is about twice as long as the one before, up to half a
/// second. There is no limit but the deadline. What may go over a whole long thread, which is a clear, a fork, and the deletion
/// or truncation of a branch, may take twenty deadlines; what fails at once is repeated within one.
///
/// # What the caller is told
///
/// - A call that succeeds at last gives what its last attempt gave. So a
///   [`clear_messages`](chatkeep_domain::MessageRepository::clear_messages) that was repeated counts what its last attempt
///   removed.
/// - When the deadline passes: `Unavailable`, again soon, with the last error as its source. A read is not done; of a write
///   the outcome is unknown where an attempt was under way, or where that of an earlier one was.
/// - A call that failed for good gets its error. But after an attempt of unknown outcome the error may be that attempt's
///   own work: a delete whose answer was lost finds nothing the second time. Then the answer is `Unavailable`, outcome
///   unknown, not again, with the error as its source. This is so for updates, deletes and clears, and for the names,
///   truncations and deletions of branches. Appends, edits, new threads, new branches and forks are recognized by the store
///   when they come again: what it finds wrong with one of those (not found, another
///   head, an id that is taken) is passed on.
///
/// # Appends that are sent together
///
/// Of an [`append_each`](chatkeep_domain::MessageRepository::append_each) only the appends that failed transiently are sent
/// again, in their order; what the others were answered stands. Appends to one thread keep their order by that, since a
/// store writes none behind one that it answered by `Unavailable`: those are transient failures too, and go again with it.
///
/// # Streams
///
/// A [stream](chatkeep_domain::MessageRepository::stream_messages) of messages goes on after a transient error behind the last
/// message that it gave. The deadline bounds each wait for the next message, and not the stream as a whole.
///
/// # Runtime
///
/// Time is tokio's: its runtime needs its timer (`enable_time`). Outside of a tokio runtime nothing is repeated and nothing is
/// bounded: the first answer is given as it is. `close` is passed on in any case.
#[derive(Debug)]
pub struct Retry {
    store: Arc<dyn ConversationRepository>,
    deadline: Duration,
}

impl Retry {
    /// Puts it in front of a store: each call takes this long at the most.
    pub fn new(store: Arc<dyn ConversationRepository>, deadline: Duration) -> Self {
        Self { store, deadline }
    }

    async fn call<T, Fut>(&self, kind: Kind, attempt: impl FnMut() -> Fut) -> Result<T, StoreError>
    where
        Fut: Future<Output = Result<T, StoreError>>,
    {
        let limits = Limits { repeated: self.deadline, whole: self.deadline };
        call::call(self.store.name(), limits, kind, attempt).await
    }

    /// A call that may go over a whole thread.
    async fn long<T, Fut>(&self, kind: Kind, attempt: impl FnMut() -> Fut) -> Result<T, StoreError>
    where
        Fut: Future<Output = Result<T, StoreError>>,
    {
        let limits = Limits { repeated: self.deadline, whole: self.deadline.saturating_mul(LONG) };
        call::call(self.store.name(), limits, kind, attempt).await
    }
}

#[async_trait]
impl Decorator for Retry {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.store
    }

    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread, StoreError> {
        self.call(Kind::Recognized, || self.store.create_thread(scope, new.clone())).await
    }

    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError> {
        self.call(Kind::Read, || self.store.get_thread(scope, id)).await
    }

    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        self.call(Kind::Blind, || self.store.update_thread(scope, id, update.clone())).await
    }

    async fn delete_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        expect_version: Option<Version>,
    ) -> Result<u64, StoreError> {
        self.call(Kind::Blind, || self.store.delete_thread(scope, id, expect_version)).await
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        self.call(Kind::Read, || self.store.list_threads(scope, query)).await
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Result<Appended, StoreError> {
        self.call(Kind::Recognized, || self.store.append(scope, thread, append.clone())).await
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>> {
        each::append_each(&*self.store, self.deadline, appends).await
    }

    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        self.call(Kind::Read, || self.store.get_message(scope, thread, id)).await
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        self.call(Kind::Read, || self.store.list_messages(scope, thread, query)).await
    }

    async fn list_messages_unless(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
        version: Version,
    ) -> Result<Option<Page<ChatMessage>>, StoreError> {
        self.call(Kind::Read, || self.store.list_messages_unless(scope, thread, query, version)).await
    }

    fn stream_messages<'a>(
        &'a self,
        scope: &'a Scope,
        thread: ThreadId,
        query: MessageQuery,
    ) -> MessageStream<'a> {
        stream::stream_messages(&*self.store, self.deadline, (scope, thread, query))
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        self.call(Kind::Recognized, || self.store.edit_message(scope, thread, id, edit.clone())).await
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        self.call(Kind::Read, || self.store.list_revisions(scope, thread, id)).await
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        removal: Removal,
    ) -> Result<(), StoreError> {
        self.call(Kind::Blind, || self.store.delete_message(scope, thread, id, removal)).await
    }

    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        self.long(Kind::Blind, || self.store.clear_messages(scope, thread, removal)).await
    }

    async fn create_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        new: NewBranch,
    ) -> Result<Branch, StoreError> {
        let attempt = || branches(&*self.store, |store| store.create_branch(scope, thread, new.clone()));
        self.call(Kind::Recognized, attempt).await
    }

    async fn list_branches(&self, scope: &Scope, thread: ThreadId) -> Result<Vec<Branch>, StoreError> {
        self.call(Kind::Read, || branches(&*self.store, |store| store.list_branches(scope, thread))).await
    }

    async fn rename_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        rename: BranchRename,
    ) -> Result<Branch, StoreError> {
        let attempt =
            || branches(&*self.store, |store| store.rename_branch(scope, thread, branch, rename.clone()));
        self.call(Kind::Blind, attempt).await
    }

    async fn delete_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        let attempt = || branches(&*self.store, |store| store.delete_branch(scope, thread, branch, removal));
        self.long(Kind::Blind, attempt).await
    }

    async fn truncate_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        after: Position,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        let attempt =
            || branches(&*self.store, |store| store.truncate_branch(scope, thread, branch, after, removal));
        self.long(Kind::Blind, attempt).await
    }

    async fn fork_thread(
        &self,
        scope: &Scope,
        thread: ThreadId,
        fork: Fork,
    ) -> Result<ChatThread, StoreError> {
        let attempt = || branches(&*self.store, |store| store.fork_thread(scope, thread, fork.clone()));
        self.long(Kind::Recognized, attempt).await
    }

    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        self.call(Kind::Read, || search_messages(&*self.store, scope, query)).await
    }
}
