//! The ports: `append` and `close` here, everything else passed on.

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatMessage, ChatThread, MessageEdit, MessageId, MessageQuery, MessageRepository,
    MessageRevision, MessageSearch, NewThread, Page, Scope, SearchPage, SearchQuery, StoreError,
    ThreadAppend, ThreadId, ThreadQuery, ThreadRepository, ThreadUpdate, Timestamp,
};

use crate::Coalescing;
use crate::place::{Entry, unanswered};

#[async_trait]
impl ThreadRepository for Coalescing {
    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread, StoreError> {
        self.repository.create_thread(scope, new).await
    }

    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError> {
        self.repository.get_thread(scope, id).await
    }

    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        self.repository.update_thread(scope, id, update).await
    }

    async fn delete_thread(&self, scope: &Scope, id: ThreadId) -> Result<u64, StoreError> {
        self.repository.delete_thread(scope, id).await
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        self.repository.list_threads(scope, query).await
    }

    /// The calls under way, which `close` lets end, are those that wait here too.
    async fn close(&self) -> Result<(), StoreError> {
        self.shared.close().await;
        self.repository.close().await
    }
}

#[async_trait]
impl MessageRepository for Coalescing {
    async fn append(
        &self,
        scope: &Scope,
        thread: ThreadId,
        append: Append,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        match self.shared.enter(scope, thread, append) {
            Entry::Now(append, _place) => self.repository.append(scope, thread, append).await,
            Entry::Later(answered) => answered.await.unwrap_or_else(|error| Err(unanswered(error))),
        }
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Vec<ChatMessage>, StoreError>> {
        self.repository.append_each(appends).await
    }

    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        self.repository.get_message(scope, thread, id).await
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        self.repository.list_messages(scope, thread, query).await
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        self.repository.edit_message(scope, thread, id, edit).await
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        self.repository.list_revisions(scope, thread, id).await
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.repository.delete_message(scope, thread, id, at).await
    }

    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.repository.clear_messages(scope, thread, at).await
    }
}

#[async_trait]
impl MessageSearch for Coalescing {
    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        self.repository.search_messages(scope, query).await
    }
}
