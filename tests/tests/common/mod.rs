//! The stores that the suites compare.

pub(crate) mod postgres;

use std::sync::Arc;

use chatkeep_contract::Repo;
use chatkeep_domain::Timestamp;
use chatkeep_memory::MemoryRepository;
use chatkeep_postgres::PostgresRepository;
use chatkeep_sqlite::{SqliteConfig, SqliteRepository};

/// A moment, in microseconds after a fixed one.
pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(1_900_000_000_000_000 + micros).expect("a time within range")
}

pub(crate) fn memory() -> Repo {
    Arc::new(MemoryRepository::new())
}

pub(crate) async fn sqlite() -> Repo {
    Arc::new(SqliteRepository::open(SqliteConfig::in_memory()).await.expect("a database in memory"))
}

pub(crate) async fn postgres() -> Repo {
    Arc::new(PostgresRepository::open(postgres::config().await).await.expect("a database"))
}
