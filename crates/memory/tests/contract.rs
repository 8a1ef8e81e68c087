//! The whole contract: with search, without, and with contents that are sealed.

#[expect(dead_code, reason = "the contract loses no content")]
mod toy;

use std::process::ExitCode;
use std::sync::Arc;

use chatkeep_contract::{Capability, Repo, Suite};
use chatkeep_memory::MemoryRepository;

use crate::toy::Toy;

async fn memory() -> Repo {
    Arc::new(MemoryRepository::new())
}

async fn without_search() -> Repo {
    Arc::new(MemoryRepository::without_search())
}

async fn sealed() -> Repo {
    Arc::new(MemoryRepository::with_codec(Arc::new(Toy::default())))
}

fn main() -> ExitCode {
    chatkeep_contract::main([
        Suite::new("memory", memory),
        Suite::new("memory_without_search", without_search).declining(&[Capability::Search]),
        Suite::new("memory_sealed", sealed),
    ])
}
