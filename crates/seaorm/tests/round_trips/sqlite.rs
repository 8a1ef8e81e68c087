//! Statements as SQLite's driver logs them. It does not log what begins and ends a transaction.

use chatkeep_seaorm::SeaOrmRepository;
use sea_orm::{ConnectOptions, Database};

use crate::check;
use crate::heard::{Heard, Statements};

#[tokio::test]
async fn every_operation_on_sqlite_takes_so_many_statements() {
    let heard = Heard::default();
    // For all threads: the driver has one of its own. No other connection of these tests logs.
    tracing::subscriber::set_global_default(Statements(heard.clone())).expect("no other test listens");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", path.display()));
    options.max_connections(1).sqlx_logging(true).sqlx_logging_level(tracing::log::LevelFilter::Debug);
    let connection = Database::connect(options).await.expect("the file");
    let store = SeaOrmRepository::from_connection(connection, true).await.expect("a store");
    check(&store, async || heard.take().len(), |count| count - 1, |operation| operation.sqlite).await;
}
