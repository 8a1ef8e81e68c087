//! The whole contract, around memory and SQLite.

use std::sync::Arc;

use chatkeep_coalescing::Coalescing;
use chatkeep_contract::Repo;
use chatkeep_memory::MemoryRepository;
use chatkeep_seaorm::{SeaOrmRepository, SqliteConfig};

mod memory {
    use super::{Arc, Coalescing, MemoryRepository, Repo};

    async fn make() -> Repo {
        Arc::new(Coalescing::new(Arc::new(MemoryRepository::new())))
    }

    chatkeep_contract::contract!(make);
}

mod memory_one_by_one {
    use super::{Arc, Coalescing, MemoryRepository, Repo};

    async fn make() -> Repo {
        Arc::new(Coalescing::new(Arc::new(MemoryRepository::new())).max_in_flight(1).max_group_len(3))
    }

    chatkeep_contract::contract!(make);
}

mod sqlite {
    use super::{Arc, Coalescing, Repo, SeaOrmRepository, SqliteConfig};

    async fn make() -> Repo {
        let store = SeaOrmRepository::sqlite(SqliteConfig::in_memory()).await.expect("a database in memory");
        Arc::new(Coalescing::new(Arc::new(store)).max_in_flight(1))
    }

    chatkeep_contract::contract!(make);
}
