//! The whole contract.

use std::sync::Arc;

use chatkeep_contract::Repo;
use chatkeep_memory::MemoryRepository;

async fn make() -> Repo {
    Arc::new(MemoryRepository::new())
}

chatkeep_contract::contract!(make);
