//! The whole contract, with search and without.

use std::process::ExitCode;
use std::sync::Arc;

use chatkeep_contract::{Capability, Repo, Suite};
use chatkeep_memory::MemoryRepository;

async fn memory() -> Repo {
    Arc::new(MemoryRepository::new())
}

async fn without_search() -> Repo {
    Arc::new(MemoryRepository::without_search())
}

fn main() -> ExitCode {
    chatkeep_contract::main([
        Suite::new("memory", memory),
        Suite::new("memory_without_search", without_search).declining(&[Capability::Search]),
    ])
}
