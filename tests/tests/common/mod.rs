//! The stores that the suites of the search compare.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chatkeep_contract::Repo;
use chatkeep_domain::Timestamp;
use chatkeep_memory::MemoryRepository;
use chatkeep_postgres::{PostgresConfig, PostgresRepository};
use chatkeep_sqlite::{SqliteConfig, SqliteRepository};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database};

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

/// A database of its own on the shared server: the operator would see what other tests keep there.
pub(crate) async fn postgres() -> Repo {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("search_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let server = chatkeep_testkit::shared_postgres().expect("a server");
    let mut options = ConnectOptions::new(server.replace("postgresql://", "postgres://"));
    options.max_connections(1).sqlx_logging(false);
    let admin = Database::connect(options).await.expect("the server is there");
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
    let (host, _) = server.rsplit_once('/').expect("a URL with a database");
    let config = PostgresConfig::from_url(&format!("{host}/{name}").into()).expect("a URL");
    Arc::new(PostgresRepository::open(config.auto_migrate(true)).await.expect("a database"))
}
