//! A database of a test's own.

use std::sync::atomic::{AtomicU32, Ordering};

use chatkeep_domain::Migrations as _;
use chatkeep_domain::{Append, MessageRepository, MessageSearch, Metadata, NewMessage, SearchQuery};
use chatkeep_postgres::{PostgresConfig, PostgresMigrations, PostgresRepository};
use chatkeep_testkit::shared_postgres;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};

use crate::common::{execute, scope, thread_id};

/// Makes of each case, a function of a [`Store`], a test.
macro_rules! on_postgres {
    ($($case:ident),+ $(,)?) => {
        mod postgres {
            $(#[tokio::test]
            #[ignore = "needs PostgreSQL: run `cargo xtask test`"]
            async fn $case() {
                super::$case(crate::fixture::Store::new().await).await;
            })+
        }
    };
}
pub(crate) use on_postgres;

/// An empty database, with a connection for what somebody else does to it.
pub(crate) struct Store {
    pub(crate) url: String,
    pub(crate) raw: DatabaseConnection,
}

impl Store {
    pub(crate) async fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("search_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let server = shared_postgres().expect("a server").replace("postgresql://", "postgres://");
        execute(&connect(&server).await, &format!("CREATE DATABASE {name}")).await;
        let (host, _) = server.rsplit_once('/').expect("a URL with a database");
        let url = format!("{host}/{name}");
        Self { raw: connect(&url).await, url }
    }

    pub(crate) async fn migrations(&self) -> PostgresMigrations {
        PostgresMigrations::open(postgres_config(&self.url)).await.expect("the database is there")
    }

    pub(crate) async fn open(&self) -> PostgresRepository {
        PostgresRepository::open(postgres_config(&self.url)).await.expect("the database is there")
    }

    /// A large database does not stay for as long as the server.
    pub(crate) async fn remove(self) {
        let server = shared_postgres().expect("a server").replace("postgresql://", "postgres://");
        let (_, name) = self.url.rsplit_once('/').expect("a URL with a database");
        execute(&connect(&server).await, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }

    pub(crate) async fn execute(&self, sql: &str) {
        execute(&self.raw, sql).await;
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let statement = Statement::from_string(self.raw.get_database_backend(), sql);
        let row = self.raw.query_one_raw(statement).await.expect("the statement runs").expect("a row");
        row.try_get_by_index(0).expect("a number")
    }

    /// How many messages the index has.
    pub(crate) async fn indexed(&self) -> i64 {
        self.number("SELECT COUNT(search) FROM chat_message").await
    }
}

pub(crate) fn postgres_config(url: &str) -> PostgresConfig {
    PostgresConfig::from_url(&url.to_owned().into()).expect("a URL").auto_migrate(true)
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.expect("the database is there")
}

/// The positions of the test's messages that a search finds, the oldest first.
pub(crate) async fn found(repository: &PostgresRepository, query: SearchQuery) -> Vec<i64> {
    let page = repository.search_messages(&scope(), &query.limit(1_000)).await.expect("the search runs");
    let mut positions: Vec<_> = page.items.iter().map(|hit| hit.message.position.get()).collect();
    positions.sort_unstable();
    positions
}

pub(crate) async fn append(
    repository: &PostgresRepository,
    messages: impl IntoIterator<Item = NewMessage>,
) -> Vec<i64> {
    let stored = repository.append(&scope(), thread_id(), Append::new(messages)).await.expect("it is stored");
    stored.messages.iter().map(|message| message.position.get()).collect()
}

pub(crate) fn metadata(value: serde_json::Value) -> Metadata {
    serde_json::from_value(value).expect("an object")
}

/// Indexes what is missing, or everything, and gives how many rows were done, and how many of them are corrupt.
pub(crate) async fn reindex(store: &Store, all: bool) -> (u64, u64) {
    let migrations = store.migrations().await;
    let mut reindex = migrations.reindex(all);
    let mut done = 0;
    loop {
        match reindex.next_batch().await.expect("a batch") {
            0 => return (done, reindex.corrupt()),
            rows => done += rows,
        }
    }
}
