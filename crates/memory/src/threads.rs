//! Threads.

use async_trait::async_trait;
use chatkeep_domain::{
    ChatThread, NewThread, Page, Scope, ThreadId, ThreadQuery, ThreadRepository, ThreadUpdate,
};

use crate::record::Result;
use crate::store::MemoryRepository;

#[async_trait]
impl ThreadRepository for MemoryRepository {
    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread> {
        new.validate(scope)?;
        self.state().create(new)
    }

    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread> {
        let key = self.key(scope, id)?;
        Ok(self.state().get(scope, &key)?.thread.clone())
    }

    async fn update_thread(&self, scope: &Scope, id: ThreadId, update: ThreadUpdate) -> Result<ChatThread> {
        update.validate()?;
        let key = self.key(scope, id)?;
        self.state().change(scope, &key, |record, _| {
            update.apply(&mut record.thread);
            Ok(record.thread.clone())
        })
    }

    async fn delete_thread(&self, scope: &Scope, id: ThreadId) -> Result<u64> {
        let key = self.key(scope, id)?;
        let mut state = self.state();
        let gone =
            state.change(scope, &key, |record, index| Ok(record.clear(record.thread.updated_at, index)))?;
        state.remove(&key);
        drop(state);
        Ok(gone.len() as u64)
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>> {
        let behind = query.validate()?;
        let Some(owner) = scope.narrow(query.org_id.as_ref(), query.user_id.as_ref()) else {
            return Ok(Page::empty());
        };
        let mut state = self.state();
        state.sort_lists();
        let threads = state.list(&owner, behind.as_ref());
        let rows = threads.filter(|thread| query.matches(thread)).cloned().map(Ok);
        Page::cut(rows, query.limit, |last| query.cursor_behind(&last.into()))
    }
}
