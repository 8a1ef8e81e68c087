//! Calls of what the inner store may decline, for decorators that add something to them.

use std::future::{Future, ready};
use std::pin::Pin;

use chatkeep_domain::{BranchRepository, ConversationRepository, Scope, SearchPage, SearchQuery, StoreError};

pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// What the inner store finds, or that it declines to search.
pub(crate) fn search_messages<'a>(
    inner: &'a dyn ConversationRepository,
    scope: &'a Scope,
    query: &'a SearchQuery,
) -> Answer<'a, SearchPage> {
    match inner.search() {
        Some(search) => search.search_messages(scope, query),
        None => Box::pin(ready(Err(StoreError::unsupported("search", inner.name())))),
    }
}

/// What the inner store's branches answer, or that it declines them.
pub(crate) fn branches<'a, T: Send + 'a>(
    inner: &'a dyn ConversationRepository,
    call: impl FnOnce(&'a dyn BranchRepository) -> Answer<'a, T>,
) -> Answer<'a, T> {
    match inner.branches() {
        Some(branches) => call(branches),
        None => Box::pin(ready(Err(StoreError::unsupported("branches", inner.name())))),
    }
}
