//! Filters on lists of messages, applied loosely.

use chatkeep_domain::{
    ChatMessage, ConversationRepository, MessageQuery, MetadataFilter, Page, Scope, StoreError, ThreadId,
};

use super::{Fault, Faulty};

impl<R: ConversationRepository> Faulty<R> {
    pub(super) async fn list_loosely(
        &self,
        scope: &Scope,
        thread: ThreadId,
        mut query: MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        query.validate(thread)?;
        let filters = std::mem::take(&mut query.metadata);
        let mut page = self.inner.list_messages(scope, thread, &query).await?;
        let matches = |filter: &MetadataFilter, message: &ChatMessage| {
            let Some(metadata) = message.content.metadata() else { return false };
            let whole = filter.value().as_i64().filter(|_| self.has(Fault::MixesNumbers));
            let float = whole.and_then(|whole| i32::try_from(whole).ok()).map(f64::from);
            let float = float.and_then(|float| MetadataFilter::new(filter.path(), float).ok());
            filter.matches(metadata) || float.is_some_and(|float| float.matches(metadata))
        };
        page.items.retain(|message| filters.iter().all(|filter| matches(filter, message)));
        Ok(page)
    }
}
