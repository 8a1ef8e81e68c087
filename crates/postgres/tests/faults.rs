//! What goes wrong with servers, databases and rights, and what is said of it. Against real servers.

#[expect(dead_code, reason = "shared with the other tests, which use more of it")]
mod common;
mod faults {
    mod connections;
    mod databases;
    mod opening;
    mod rights;
}

use chatkeep_domain::StoreError;
use chatkeep_postgres::{PostgresConfig, PostgresRepository};
use chatkeep_testkit::{PgOptions, PgServer};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};

fn server() -> PgServer {
    PgServer::start(PgOptions::default()).expect("a server")
}

fn config(url: &str) -> PostgresConfig {
    PostgresConfig::from_url(&url.to_owned().into()).expect("a URL").auto_migrate(true)
}

async fn open(url: &str) -> Result<PostgresRepository, StoreError> {
    PostgresRepository::open(config(url)).await
}

/// A connection of the caller's.
async fn callers(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.expect("a connection")
}
