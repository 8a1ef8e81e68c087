//! A database of a test's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chatkeep_domain::ConversationRepository;
use chatkeep_layers::{LayersConfig, layered};
use chatkeep_postgres::{PostgresConfig, PostgresRepository};
use chatkeep_testkit::shared_postgres;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};

use crate::common::execute;

/// A database of its own on the shared server.
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    pub(crate) raw: DatabaseConnection,
    pub(crate) name: String,
}

impl TestDatabase {
    pub(crate) async fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("seaorm_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let server = shared_postgres().expect("a server");
        let admin = raw(&server).await;
        execute(&admin, &format!("CREATE DATABASE {name}")).await;
        let (host, _) = server.rsplit_once('/').expect("a URL with a database");
        let url = format!("{host}/{name}");
        Self { raw: raw(&url).await, url, name }
    }

    pub(crate) fn config(&self) -> PostgresConfig {
        config(&self.url)
    }

    pub(crate) async fn open(&self) -> PostgresRepository {
        PostgresRepository::open(self.config()).await.expect("the server is there")
    }

    /// With its layers, as the application opens it.
    pub(crate) async fn open_layered(&self) -> Arc<dyn ConversationRepository> {
        layered(Arc::new(self.open().await), &LayersConfig::default())
    }

    pub(crate) async fn execute(&self, sql: &str) {
        execute(&self.raw, sql).await;
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let statement = Statement::from_string(self.raw.get_database_backend(), sql);
        let row = self.raw.query_one_raw(statement).await.expect("the statement runs").expect("a row");
        row.try_get_by_index(0).expect("a number")
    }
}

pub(crate) fn config(url: &str) -> PostgresConfig {
    PostgresConfig::from_url(&url.to_owned().into()).expect("a URL").auto_migrate(true)
}

/// One connection, so that sessions and transactions can be held by hand.
pub(crate) async fn raw(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url.replace("postgresql://", "postgres://"));
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.expect("the server is there")
}
