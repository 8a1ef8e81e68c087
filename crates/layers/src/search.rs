//! A search of the inner store, for decorators that add something to it.

use std::future::{Future, ready};
use std::pin::Pin;

use chatkeep_domain::{ConversationRepository, Scope, SearchPage, SearchQuery, StoreError};

type Answer<'a> = Pin<Box<dyn Future<Output = Result<SearchPage, StoreError>> + Send + 'a>>;

/// What the inner store finds, or that it declines to search.
pub(crate) fn search_messages<'a>(
    inner: &'a dyn ConversationRepository,
    scope: &'a Scope,
    query: &'a SearchQuery,
) -> Answer<'a> {
    match inner.search() {
        Some(search) => search.search_messages(scope, query),
        None => Box::pin(ready(Err(StoreError::unsupported("search", inner.name())))),
    }
}
