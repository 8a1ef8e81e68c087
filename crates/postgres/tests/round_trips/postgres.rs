//! Statements as PostgreSQL counts them itself, and round trips as they pass.

use std::sync::Arc;

use chatkeep_domain::{Append, MessageRepository};
use chatkeep_postgres::{PostgresConfig, PostgresRepository};
use chatkeep_testkit::{PgOptions, PgServer};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};

use crate::check;
use crate::common::{execute, message, scope, thread_id};
use crate::wire::{Sent, Wire};

const LIBRARY: &str = "pg_stat_statements";

/// A server that counts statements, with a database for the store beside the one from which it is asked.
async fn server() -> (PgServer, DatabaseConnection) {
    let options = PgOptions::default().set("shared_preload_libraries", LIBRARY);
    let options =
        options.set("pg_stat_statements.track", "top").set("pg_stat_statements.track_utility", "on");
    let server = PgServer::start(options).unwrap_or_else(|error| {
        panic!(
            "no server with {LIBRARY}, which is in PostgreSQL's contrib package: is that installed? {error:#}"
        )
    });
    let mut options = ConnectOptions::new(server.url().replace("postgresql://", "postgres://"));
    options.max_connections(1).sqlx_logging(false);
    let admin = Database::connect(options).await.expect("the server is there");
    execute(&admin, &format!("CREATE EXTENSION {LIBRARY}")).await;
    execute(&admin, "CREATE DATABASE chat").await;
    (server, admin)
}

/// A store with one connection, through the proxy.
async fn store(server: &PgServer) -> (PostgresRepository, Arc<Wire>) {
    let (wire, url) = Wire::tap(server, "chat").await;
    let config = PostgresConfig::from_url(&url.into()).expect("a URL");
    let config = config.auto_migrate(true).pool_size(1).max_overflow(0);
    (PostgresRepository::open(config).await.expect("the server is there"), wire)
}

/// The statements in the store's database since this was last asked. Those that failed are not among them.
async fn statements(admin: &DatabaseConnection) -> i64 {
    let counted = format!(
        "SELECT COALESCE(SUM(calls), 0)::bigint FROM {LIBRARY} JOIN pg_database d ON d.oid = dbid
         WHERE datname = 'chat'"
    );
    let counted = Statement::from_string(admin.get_database_backend(), counted);
    let row = admin.query_one_raw(counted).await.expect("the extension is there").expect("a row");
    execute(admin, &format!("SELECT {LIBRARY}_reset()")).await;
    row.try_get_by_index(0).expect("a number")
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn every_operation_on_postgres_takes_so_many_statements_and_round_trips() {
    let (server, admin) = server().await;
    let (store, wire) = store(&server).await;
    let count = async || (statements(&admin).await, wire.take());
    let without_read = |(statements, sent): (i64, Sent)| (statements - 1, sent.round_trips - 1);
    check(&store, count, without_read, |operation| operation.takes).await;

    // Appends behind one another: nothing is prepared again, and no connection is pinged before or behind its use.
    let mut sent = Vec::new();
    for attempt in 0..3 {
        wire.take();
        for number in 0..10 {
            let batch = (0..100).map(|index| message(1_000 * (attempt + 1) + number * 100 + index, "x"));
            store.append(&scope(), thread_id(), Append::new(batch)).await.unwrap();
        }
        sent.push(wire.take());
    }
    assert!(sent.contains(&Sent { parses: 0, binds: 10, round_trips: 10 }), "{sent:?}");
}
