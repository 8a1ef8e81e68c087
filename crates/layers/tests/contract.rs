//! The whole contract, around memory and SQLite.

use std::process::ExitCode;
use std::sync::Arc;

use chatkeep_coalescing::Coalescing;
use chatkeep_contract::{Fixture, Repo, Suite};
use chatkeep_memory::MemoryRepository;
use chatkeep_seaorm::{SeaOrmRepository, SqliteConfig};

async fn memory() -> Repo {
    Arc::new(Coalescing::new(Arc::new(MemoryRepository::new())))
}

/// Two decorators around one store: what one of them groups says nothing to the other.
async fn memory_one_by_one() -> Fixture {
    let store = Arc::new(MemoryRepository::new());
    let handle = || Arc::new(Coalescing::new(store.clone()).max_in_flight(1).max_group_len(3));
    Fixture::new(handle()).with_other(handle())
}

async fn sqlite() -> Repo {
    let store = SeaOrmRepository::sqlite(SqliteConfig::in_memory()).await.expect("a database in memory");
    Arc::new(Coalescing::new(Arc::new(store)).max_in_flight(1))
}

fn main() -> ExitCode {
    chatkeep_contract::main([
        Suite::new("memory", memory),
        Suite::new("memory_one_by_one", memory_one_by_one),
        Suite::new("sqlite", sqlite),
    ])
}
