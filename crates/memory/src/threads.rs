//! Threads.

use async_trait::async_trait;
use chatkeep_domain::{
    ChatThread, Expected, NewThread, Page, Removal, Scope, StoreError, ThreadId, ThreadPreview, ThreadQuery,
    ThreadRepository, ThreadUpdate, Version,
};

use crate::record::{Record, Result};
use crate::store::MemoryRepository;

#[async_trait]
impl ThreadRepository for MemoryRepository {
    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread> {
        new.validate(scope)?;
        self.state().create(new, !self.is_without_search)
    }

    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread> {
        let org = self.org_of(scope, id)?;
        Ok(self.state().get(scope, &org, id)?.thread.clone())
    }

    async fn update_thread(&self, scope: &Scope, id: ThreadId, update: ThreadUpdate) -> Result<ChatThread> {
        update.validate()?;
        let org = self.org_of(scope, id)?;
        self.state().change(scope, &org, id, |record, _| {
            record.update(update)?;
            Ok(record.thread.clone())
        })
    }

    async fn delete_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        expect_version: Option<Version>,
    ) -> Result<u64> {
        let org = self.org_of(scope, id)?;
        let mut state = self.state();
        let gone = state.change(scope, &org, id, |record, index| {
            StoreError::unless_expected(Expected::Version, expect_version, record.thread.version)?;
            record.clear(Removal::new(record.thread.updated_at), index)
        })?;
        state.remove(&org, id);
        // What takes long to drop is dropped when the lock is free.
        drop(state);
        Ok(gone.len() as u64)
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>> {
        let behind = query.validate()?;
        let Some(owner) = scope.narrow(query.org_id.as_ref(), query.user_id.as_ref()) else {
            return Ok(Page::empty());
        };
        let mut state = self.state();
        let found = state.list(&owner, behind.as_ref()).filter(|record| query.matches(&record.thread));
        let listed = |record: &Record| {
            let mut thread = record.thread.clone();
            if query.with_preview {
                let shown = self.preview(record);
                let place = || query.cursor_behind(&(&thread).into());
                thread.preview = Some(Box::new(shown.map_err(|error| error.going_on(place()))?));
            }
            Ok(thread)
        };
        Page::cut(found.map(listed), query.limit, |last| query.cursor_behind(&last.into()))
    }
}

impl MemoryRepository {
    fn preview(&self, record: &Record) -> Result<ThreadPreview> {
        let mut preview = record.preview();
        let open = |last| self.open_message(&record.thread.org_id, last);
        preview.last_message = preview.last_message.map(open).transpose()?;
        Ok(preview)
    }
}
