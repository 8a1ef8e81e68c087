//! Streams whose rows come from the socket as they are asked for.

use std::sync::Arc;
use std::time::Duration;

use chatkeep_domain::{
    MessageQuery, MessageRepository as _, MessageStream, PlainCodec, Scope, ThreadRepository as _,
    next_message,
};
use chatkeep_postgres::{Connections, PostgresRepository};
use sea_orm::{ConnectOptions, Database};

use crate::common::{create_thread, scope, thread_id};
use crate::postgres::database::TestDatabase;

/// More than a statement of a stream asks for.
const MESSAGES: i64 = 12_000;

/// Less than all that is on its way to a reader who stopped.
const READ: i64 = 150;

/// A thread of messages that fill the sockets' buffers long before its end.
async fn long_thread() -> TestDatabase {
    let database = TestDatabase::new().await;
    create_thread(&database.open().await).await.unwrap();
    database
        .execute(&format!(
            "INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_role, content, created_at,
                                       updated_at)
             SELECT org_id, id, n, lpad(to_hex(n), 32, '0')::uuid, 'user',
                    '{{\"type\":\"text\",\"text\":\"' || repeat('x', 2000) || '\"}}', created_at, created_at
             FROM chat_thread, generate_series(1, {MESSAGES}) n"
        ))
        .await;
    database
}

/// With one connection of the store's own.
async fn over_one(database: &TestDatabase) -> PostgresRepository {
    PostgresRepository::open(database.config().pool_size(1).max_overflow(0)).await.unwrap()
}

fn begun<'a, C: Connections>(store: &'a PostgresRepository<C>, scope: &'a Scope) -> MessageStream<'a> {
    store.stream_messages(scope, thread_id(), MessageQuery::first(100))
}

/// Takes the messages with these positions, which come next.
async fn read(stream: &mut MessageStream<'_>, positions: std::ops::RangeInclusive<i64>) {
    for position in positions {
        assert_eq!(next_message(stream).await.unwrap().unwrap().position.get(), position);
    }
}

async fn needs_the_connection<C: Connections>(store: &PostgresRepository<C>) {
    store.get_thread(&scope(), thread_id()).await.expect("the connection is free in time");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_slow_reader_loses_the_connection_and_goes_on() {
    async fn check<C: Connections>(store: PostgresRepository<C>) {
        let scope = scope();
        let mut stream = begun(&store, &scope);
        read(&mut stream, 1..=READ).await;
        // It waits no longer than the acquire timeout, which is longer than a stream may hold on.
        needs_the_connection(&store).await;
        read(&mut stream, READ + 1..=MESSAGES).await;
        assert!(next_message(&mut stream).await.is_none());
    }
    let database = long_thread().await;
    check(over_one(&database).await).await;
    let mut options = ConnectOptions::new(database.url.replace("postgresql://", "postgres://"));
    options.max_connections(1).acquire_timeout(Duration::from_secs(10)).sqlx_logging(false);
    let connection = Database::connect(options).await.unwrap();
    check(PostgresRepository::from_connection(connection, false, Arc::new(PlainCodec)).await.unwrap()).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_stream_that_is_dropped_frees_its_connection_at_once() {
    let database = long_thread().await;
    let config = database.config().pool_size(1).max_overflow(0).acquire_timeout(Duration::from_secs(3));
    let store = PostgresRepository::open(config).await.unwrap();
    let scope = scope();
    for _ in 0..3 {
        let mut stream = begun(&store, &scope);
        read(&mut stream, 1..=READ).await;
        drop(stream);
        needs_the_connection(&store).await;
    }
    // What was closed is closed at the server, too, though it had more to send.
    let sessions = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND state = 'active' AND pid <> pg_backend_pid()",
        database.name
    );
    while database.number(&sessions).await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn the_time_of_a_slow_reader_is_no_error_of_a_statement() {
    let database = long_thread().await;
    let config = database.config().statement_timeout(Some(Duration::from_millis(500)));
    let store = PostgresRepository::open(config).await.unwrap();
    let scope = scope();
    let mut stream = begun(&store, &scope);
    read(&mut stream, 1..=READ).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    read(&mut stream, READ + 1..=MESSAGES).await;
    assert!(next_message(&mut stream).await.is_none());
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_thread_that_is_deleted_ends_its_stream() {
    let database = long_thread().await;
    let store = database.open().await;
    let scope = scope();
    let mut stream = begun(&store, &scope);
    read(&mut stream, 1..=50).await;
    store.delete_thread(&scope, thread_id(), None).await.unwrap();
    let mut last = 50;
    let error = loop {
        match next_message(&mut stream).await.expect("an error comes before the end") {
            Ok(message) => {
                assert_eq!(message.position.get(), last + 1);
                last += 1;
            }
            Err(error) => break error,
        }
    };
    assert!(error.is_not_found() && last < MESSAGES, "{last}: {error:?}");
}
