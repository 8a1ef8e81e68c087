//! Faults of lists of messages.

use async_trait::async_trait;
use chatkeep_domain::{
    ChatMessage, ConversationRepository, Decorator, MessageQuery, MetadataFilter, Page, Scope, StoreError,
    ThreadId,
};
use chrono::TimeDelta;

use crate::faulty::{Fault, count_cursor, counted};
use crate::fixture::Repo;

#[derive(Debug)]
pub(super) struct Lists {
    inner: Repo,
    fault: Fault,
}

impl Lists {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault }
    }

    async fn list_by_count(
        &self,
        scope: &Scope,
        thread: ThreadId,
        mut query: MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        if let Some(count) = counted(query.cursor.as_ref()) {
            (query.cursor, query.offset) = (None, count as u64);
        }
        let mut page = self.inner.list_messages(scope, thread, &query).await?;
        let before = usize::try_from(query.offset).unwrap_or(usize::MAX);
        page.next = page.next.map(|_| count_cursor(before.saturating_add(page.items.len())));
        Ok(page)
    }

    /// Applies the filters on metadata to the page that was read without them.
    async fn list_loosely(
        &self,
        scope: &Scope,
        thread: ThreadId,
        mut query: MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        query.validate(thread)?;
        let filters = std::mem::take(&mut query.filter.metadata);
        let mut page = self.inner.list_messages(scope, thread, &query).await?;
        page.items.retain(|message| filters.iter().all(|filter| self.matches(filter, message)));
        Ok(page)
    }

    fn matches(&self, filter: &MetadataFilter, message: &ChatMessage) -> bool {
        let Some(metadata) = message.content.metadata() else { return false };
        let whole = filter.value().as_i64().filter(|_| self.fault == Fault::MixesNumbers);
        let float = whole.and_then(|whole| i32::try_from(whole).ok()).map(f64::from);
        let float = float.and_then(|float| MetadataFilter::new(filter.path(), float).ok());
        filter.matches(metadata) || float.is_some_and(|float| float.matches(metadata))
    }
}

#[async_trait]
impl Decorator for Lists {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    pass_on_appends!();

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        let mut query = query.clone();
        match self.fault {
            Fault::IncludesTheEnd => {
                let until = query.filter.created.until;
                query.filter.created.until = until.map(|until| until + TimeDelta::microseconds(1));
            }
            Fault::CountsInCursors => return self.list_by_count(scope, thread, query).await,
            Fault::MixesNumbers | Fault::LimitsListsBeforeFilters => {
                return self.list_loosely(scope, thread, query).await;
            }
            Fault::AcceptsAnyCursor if query.validate(thread).is_err_and(|error| error.field == "cursor") => {
                query.cursor = None;
            }
            _ => {}
        }
        let listed = self.inner.list_messages(scope, thread, &query).await;
        if self.fault == Fault::ListsAbsentThreads && listed.as_ref().is_err_and(StoreError::is_not_found) {
            return Ok(Page::empty());
        }
        let mut page = listed?;
        match self.fault {
            Fault::SortsByTime => page.items.sort_by_key(|message| message.created_at),
            Fault::HidesUnknownTypes => {
                let known = ["text", "tool_call", "tool_result", "image", "file", "parts"];
                page.items.retain(|message| known.contains(&message.content.kind()));
            }
            _ => {}
        }
        Ok(page)
    }

    read_by_lists!();
}
