//! A database of the test's own on the shared server.

use std::sync::atomic::{AtomicU32, Ordering};

use chatkeep_postgres::PostgresConfig;
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection};

/// The shared server, as its operator.
pub(crate) async fn server() -> DatabaseConnection {
    let mut options = ConnectOptions::new(url().replace("postgresql://", "postgres://"));
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.expect("the server is there")
}

fn url() -> String {
    chatkeep_testkit::shared_postgres().expect("a server")
}

/// A database that nobody else looks into: the operator would see what other tests keep there. The first who opens it makes
/// the tables.
pub(crate) async fn config() -> PostgresConfig {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("tests_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    server().await.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
    let server = url();
    let (host, _) = server.rsplit_once('/').expect("a URL with a database");
    let config = PostgresConfig::from_url(&format!("{host}/{name}").into()).expect("a URL");
    config.auto_migrate(true)
}
