use async_trait::async_trait;
use chatkeep_domain::{
    ChatThread, NewThread, Page, Scope, StoreError, ThreadId, ThreadQuery, ThreadRepository, ThreadUpdate,
};

use crate::MemoryRepository;

#[async_trait]
impl ThreadRepository for MemoryRepository {
    #[tracing::instrument(name = "db.thread.create", skip_all, fields(thread_id = %new.id))]
    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread, StoreError> {
        new.validate(scope)?;
        self.store.create(new)
    }

    #[tracing::instrument(name = "db.thread.get", skip_all, fields(thread_id = %id))]
    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError> {
        self.store.with(scope, id, |record| Ok(ChatThread::clone(&record.thread)))
    }

    #[tracing::instrument(name = "db.thread.update", skip_all, fields(thread_id = %id))]
    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        update.validate()?;
        self.store.with(scope, id, |record| {
            update.apply(record.change());
            Ok(ChatThread::clone(&record.thread))
        })
    }

    #[tracing::instrument(name = "db.thread.delete", skip_all, fields(thread_id = %id))]
    async fn delete_thread(&self, scope: &Scope, id: ThreadId) -> Result<u64, StoreError> {
        Ok(self.store.delete(scope, id)? as u64)
    }

    #[tracing::instrument(name = "db.thread.list", skip_all)]
    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        let behind = query.validate()?;
        let Some(owner) = scope.narrow(query.org_id.as_ref(), query.user_id.as_ref()) else {
            return Ok(Page::empty());
        };
        // One more tells that there is more.
        let threads =
            self.store.list(&owner, query.limit + 1, behind.as_ref(), |thread| query.matches(thread));
        Page::cut(threads.into_iter().map(Ok), query.limit, |last| query.cursor_behind(&last.into()))
    }
}
