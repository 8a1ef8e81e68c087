#![doc = include_str!("../README.md")]

mod index;
mod listing;
mod messages;
mod search;
mod store;
mod threads;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chatkeep_domain::{ConversationRepository, MessageSearch, StoreError};

/// Conversations in memory. A clone is another handle to the same store.
#[derive(Clone)]
pub struct MemoryRepository {
    store: Arc<store::Store>,
}

impl MemoryRepository {
    /// An empty store.
    pub fn new() -> Self {
        Self { store: Arc::new(store::Store::new(true)) }
    }

    /// An empty store that keeps no index of words: writing is faster, and it declines to
    /// search.
    pub fn without_search() -> Self {
        Self { store: Arc::new(store::Store::new(false)) }
    }
}

#[async_trait]
impl ConversationRepository for MemoryRepository {
    fn search(&self) -> Option<&dyn MessageSearch> {
        self.store.is_indexed().then_some(self as _)
    }

    fn name(&self) -> &'static str {
        "memory"
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Default for MemoryRepository {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryRepository {
    /// Shows nothing of what is kept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRepository").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_what_is_kept() {
        assert_eq!(format!("{:?}", MemoryRepository::new()), "MemoryRepository { .. }");
    }
}
