//! The contract of a store without search: all but what is about search.

use std::sync::Arc;

use chatkeep_contract::Repo;
use chatkeep_memory::MemoryRepository;

async fn make() -> Repo {
    Arc::new(MemoryRepository::without_search())
}

chatkeep_contract::contract!(without search: make);
