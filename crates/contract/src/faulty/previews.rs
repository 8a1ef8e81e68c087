//! Faults of previews.

use async_trait::async_trait;
use chatkeep_domain::{
    ChatThread, ConversationRepository, Decorator, MessageQuery, Page, Scope, StoreError, ThreadPreview,
    ThreadQuery,
};

use crate::faulty::Fault;
use crate::fixture::Repo;

#[derive(Debug)]
pub(super) struct Previews {
    inner: Repo,
    fault: Fault,
}

impl Previews {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault }
    }

    /// The list with what can be decoded of each preview.
    async fn list_decoded(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        let mut plain = query.clone();
        plain.with_preview = false;
        let mut page = self.inner.list_threads(scope, &plain).await?;
        for thread in page.items.iter_mut().filter(|_| query.with_preview) {
            let last = self.inner.list_messages(scope, thread.id, &MessageQuery::newest(1)).await;
            let last = last.ok().and_then(|page| page.items.into_iter().next());
            thread.preview = Some(Box::new(ThreadPreview::new(last, 0)));
        }
        Ok(page)
    }
}

#[async_trait]
impl Decorator for Previews {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    pass_on_appends!();

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        if self.fault == Fault::HidesCorruptPreviews {
            return self.list_decoded(scope, query).await;
        }
        let mut page = self.inner.list_threads(scope, query).await?;
        for thread in &mut page.items {
            let (id, head) = (thread.id, thread.head);
            let Some(preview) = &mut thread.preview else { continue };
            match self.fault {
                Fault::ShowsTheLatest => {
                    let all = self.inner.list_messages(scope, id, &MessageQuery::first(1_000)).await?;
                    preview.last_message = all.items.into_iter().max_by_key(|message| message.created_at);
                }
                Fault::CountsToTheHead => preview.message_count = head.get().unsigned_abs(),
                Fault::ShowsTheFirstPageAlone if query.cursor.is_some() => {
                    preview.last_message = None;
                }
                _ => {}
            }
        }
        Ok(page)
    }
}
