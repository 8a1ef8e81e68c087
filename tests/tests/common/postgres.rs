//! A database of the test's own on the shared server.

use std::sync::atomic::{AtomicU32, Ordering};

use chatkeep_postgres::PostgresConfig;
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database};

/// A database that nobody else looks into: the operator would see what other tests keep there. The first who opens it makes
/// the tables.
pub(crate) async fn config() -> PostgresConfig {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("tests_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let server = chatkeep_testkit::shared_postgres().expect("a server");
    let mut options = ConnectOptions::new(server.replace("postgresql://", "postgres://"));
    options.max_connections(1).sqlx_logging(false);
    let admin = Database::connect(options).await.expect("the server is there");
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
    let (host, _) = server.rsplit_once('/').expect("a URL with a database");
    let config = PostgresConfig::from_url(&format!("{host}/{name}").into()).expect("a URL");
    config.auto_migrate(true)
}
