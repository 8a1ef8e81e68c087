//! Faults with rows that cannot be decoded.

use std::sync::Arc;

use async_trait::async_trait;
use chatkeep_domain::{
    ChatMessage, ChatThread, ConversationRepository, Cursor, Decorator, MessageQuery, Page, Scope,
    SearchOrder, SearchPage, SearchQuery, StoreError, ThreadId, ThreadQuery,
};
use serde_json::Value;

use crate::damage::{Damage, Row};
use crate::faulty::Fault;
use crate::fixture::Repo;
use crate::fixture::search::searching;

#[derive(Debug)]
pub(super) struct CorruptRows {
    inner: Repo,
    fault: Fault,
}

/// What a page is of.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    Messages,
    Threads,
    Hits,
    RankedHits,
}

/// A page of a list or of a search: how many items it has, and where the rest begins.
trait Part {
    fn part(&self) -> (usize, Option<&Cursor>);
}

impl<T> Part for Page<T> {
    fn part(&self) -> (usize, Option<&Cursor>) {
        (self.items.len(), self.next.as_ref())
    }
}

impl Part for SearchPage {
    fn part(&self) -> (usize, Option<&Cursor>) {
        (self.items.len(), self.next.as_ref())
    }
}

impl CorruptRows {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault }
    }

    /// Where it looks before it answers with the page.
    fn looks_at(&self, of: Of, page: &Result<impl Part, StoreError>, limit: usize) -> Option<Cursor> {
        let (count, next) = match page {
            Ok(page) => page.part(),
            Err(StoreError::CorruptRow { behind, .. }) if self.fault == Fault::SkipsCorruptRows => {
                return behind.clone();
            }
            Err(_) => return None,
        };
        let is_cut = count < limit;
        let looks = match self.fault {
            Fault::FailsPagesWithCorruptRows => of == Of::Messages && is_cut,
            Fault::DecodesTheNextRow => of == Of::Messages && !is_cut,
            Fault::FailsListsWithCorruptThreads => of == Of::Threads,
            Fault::FailsSearchesWithCorruptRows => of == Of::Hits,
            Fault::FailsRankingsWithCorruptRows => of == Of::RankedHits,
            _ => false,
        };
        next.filter(|_| looks).cloned()
    }
}

#[async_trait]
impl Decorator for CorruptRows {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    pass_on_appends!();

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        let page = self.inner.list_threads(scope, query).await;
        let Some(cursor) = self.looks_at(Of::Threads, &page, query.limit) else { return page };
        having_looked(page, self.inner.list_threads(scope, &query.clone().behind(cursor)).await)
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        let page = self.inner.list_messages(scope, thread, query).await;
        let Some(cursor) = self.looks_at(Of::Messages, &page, query.limit) else { return page };
        having_looked(page, self.inner.list_messages(scope, thread, &query.clone().behind(cursor)).await)
    }

    read_by_lists!();

    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        let search = searching(&self.inner);
        let of = if query.order == SearchOrder::Relevance { Of::RankedHits } else { Of::Hits };
        let page = search.search_messages(scope, query).await;
        let Some(cursor) = self.looks_at(of, &page, query.limit) else { return page };
        having_looked(page, search.search_messages(scope, &query.clone().behind(cursor)).await)
    }
}

/// The answer of a store that looked behind the page first.
fn having_looked<P>(page: Result<P, StoreError>, behind: Result<P, StoreError>) -> Result<P, StoreError> {
    match (page, behind) {
        (Err(_), behind) => behind,
        (Ok(_), Err(error @ StoreError::CorruptRow { .. })) => Err(error),
        (page, _) => page,
    }
}

/// Damage to a store that reads any JSON, because it lets numbers become others.
pub(super) struct Rounding(pub(super) Arc<dyn Damage>);

#[async_trait]
impl Damage for Rounding {
    async fn overwrite(&self, row: &Row, json: &str) {
        if serde_json::from_str::<Value>(json).is_err() {
            self.0.overwrite(row, json).await;
        }
    }
}
