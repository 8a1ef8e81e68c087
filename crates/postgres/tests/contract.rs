//! The whole contract, on every way to reach the server.

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use chatkeep_contract::damage::{Damage, Row};
use chatkeep_contract::{Fixture, Suite};
use chatkeep_domain::PlainCodec;
use chatkeep_postgres::{PostgresConfig, PostgresRepository};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection};

/// Damages rows over a connection of its own to the database at this URL.
struct Raw(String);

#[async_trait]
impl Damage for Raw {
    async fn overwrite(&self, row: &Row, json: &str) {
        let database: DatabaseConnection = Database::connect(&self.0).await.expect("a database");
        let key = |org, thread| format!("org_id = '{org}' AND chat_thread_id = '{thread}'");
        let sql = match row {
            Row::Thread(org, thread) => {
                format!(
                    "UPDATE chat_thread SET metadata = '{json}' WHERE org_id = '{org}' AND id = '{thread}'"
                )
            }
            Row::Message(org, thread, id) => {
                let key = key(org, thread);
                format!("UPDATE chat_message SET content = '{json}' WHERE {key} AND id = '{id}'")
            }
            Row::Revisions(org, thread, id) => {
                let key = key(org, thread);
                format!(
                    "UPDATE chat_message_revision SET content = '{json}' WHERE {key} AND message_id = '{id}'"
                )
            }
            other => panic!("no such row: {other:?}"),
        };
        let done = database.execute_unprepared(&sql).await.expect("the row is written");
        database.close().await.expect("the connection is closed");
        assert!(done.rows_affected() > 0, "{row:?} is not there");
    }
}

/// The cases that the ways behind the first run, unless all are asked for: what differs there is how statements are run.
const SOME: &[&str] = &["messages::append", "messages::append_each", "messages::reads", "search"];

/// Set by `cargo xtask soak`: every way runs all cases.
const EVERY_WAY: &str = "CHATKEEP_EVERY_WAY";

fn url() -> String {
    chatkeep_testkit::shared_postgres().expect("a server")
}

/// The cases bring organizations of their own, and share the database.
async fn pooled(statement_cache_size: usize) -> Fixture {
    let config = PostgresConfig::from_url(&url().into()).expect("a URL");
    let config = config.statement_cache_size(statement_cache_size);
    let repo = PostgresRepository::open(config.clone().auto_migrate(true)).await.expect("a database");
    let other = PostgresRepository::open(config).await.expect("a database");
    Fixture::new(Arc::new(repo)).with_other(Arc::new(other)).with_damage(Raw(url()))
}

async fn over_connections_of_the_caller() -> Fixture {
    let open = async || {
        let mut options = ConnectOptions::new(url());
        options.max_connections(4).sqlx_logging(false);
        let connection = Database::connect(options).await.expect("a database");
        PostgresRepository::from_connection(connection, true, Arc::new(PlainCodec)).await.expect("a database")
    };
    Fixture::new(Arc::new(open().await)).with_other(Arc::new(open().await)).with_damage(Raw(url()))
}

fn main() -> ExitCode {
    let has_server = std::env::var_os(chatkeep_testkit::SHARED_POSTGRES).is_some();
    let folders = if std::env::var_os(EVERY_WAY).is_some() { &[] } else { SOME };
    let suites = [
        Suite::new("postgres_prepared", async || pooled(100).await),
        Suite::new("postgres_as_behind_a_pooler", async || pooled(0).await).only(folders),
        Suite::new("postgres_over_a_connection", over_connections_of_the_caller).only(folders),
    ];
    chatkeep_contract::main(suites.map(|suite| {
        let suite = suite.with_damage();
        suite.ignored_unless(has_server, "needs PostgreSQL: run `cargo xtask test`")
    }))
}
