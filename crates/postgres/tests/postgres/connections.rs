//! Connections that break, are refused, or are others than our own.

use std::sync::Arc;
use std::time::Duration;

use chatkeep_domain::{
    Append, ConversationRepository as _, ConversationRepositoryExt as _, MessageRepository as _, PlainCodec,
    Position, StoreError,
};
use chatkeep_postgres::PostgresRepository;
use chatkeep_testkit::{PgBouncer, PgOptions, PgServer, PoolMode};
use sea_orm::Database;

use crate::common::{create_thread, everything_shown, message, scope, thread_id, three_messages};
use crate::postgres::database::{TestDatabase, config};

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn dead_connections_are_replaced_and_the_call_is_repeated() {
    let database = TestDatabase::new().await;
    let repository = database.open_layered().await;
    three_messages(&*repository).await;
    let reads = (0..8).map(|_| {
        let repository = repository.clone();
        tokio::spawn(async move { repository.last_messages(&scope(), thread_id(), 1).await })
    });
    for read in reads.collect::<Vec<_>>() {
        read.await.unwrap().unwrap();
    }
    database
        .execute(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = '{}' AND pid <> pg_backend_pid()",
            database.name
        ))
        .await;
    let stored = repository.append(&scope(), thread_id(), Append::new([message(4, "four")])).await.unwrap();
    assert_eq!(stored.messages[0].position, Position::new(4).unwrap());
    assert_eq!(repository.delete_thread(&scope(), thread_id(), None).await.unwrap(), 4);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn too_many_connections_is_transient() {
    let database = TestDatabase::new().await;
    create_thread(&database.open().await).await.unwrap();
    let role = format!("few_{}", database.name);
    database.execute(&format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 1")).await;
    database
        .execute(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"))
        .await;
    let (_, address) = database.url.rsplit_once('@').expect("a URL with a user");
    let url = format!("postgres://{role}@{address}");
    let config = config(&url).pool_size(1).max_overflow(0);
    let first = PostgresRepository::open(config.clone()).await.unwrap();
    let short = config.clone().acquire_timeout(Duration::from_millis(300));
    let error = PostgresRepository::open(short).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("too many connections"), "{error:?}");
    first.close().await.unwrap();
    PostgresRepository::open(config).await.unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn sessions_that_the_server_ended_are_replaced() {
    let database = TestDatabase::new().await;
    three_messages(&database.open().await).await;
    database.execute(&format!("ALTER DATABASE {} SET idle_session_timeout = '50ms'", database.name)).await;
    let repository = database.open_layered().await;
    for number in 0..5 {
        repository.last_messages(&scope(), thread_id(), 1).await.unwrap();
        // Until the server has ended every session that is idle.
        let idle = format!(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid()",
            database.name
        );
        while database.number(&idle).await > 0 {
            tokio::task::yield_now().await;
        }
        repository.append(&scope(), thread_id(), Append::new([message(100 + number, "x")])).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_callers_own_connection_serves() {
    let database = TestDatabase::new().await;
    let connection = Database::connect(database.url.replace("postgresql://", "postgres://")).await.unwrap();
    three_messages(
        &PostgresRepository::from_connection(connection, true, Arc::new(PlainCodec)).await.unwrap(),
    )
    .await;
    assert_eq!(database.number("SELECT COUNT(*) FROM chat_message").await, 3);
}

#[tokio::test]
#[ignore = "needs PostgreSQL and PgBouncer: run `cargo xtask test`"]
async fn a_pooler_in_transaction_mode_serves_with_the_statement_cache_off() {
    let server = PgServer::start(PgOptions::default()).expect("a server");
    PostgresRepository::open(config(&server.url())).await.unwrap();
    let pooler = PgBouncer::start(&server, PoolMode::Transaction).expect("a pooler");
    let url = pooler.url("postgres");
    let repository = PostgresRepository::open(config(&url).statement_cache_size(0)).await.unwrap();
    create_thread(&repository).await.unwrap();
    let writers = (0..8_u128).map(|writer| {
        let repository = repository.clone();
        tokio::spawn(async move {
            for number in 0..20 {
                let append = Append::new([message(100 * (writer + 1) + number, "x")]);
                repository.append(&scope(), thread_id(), append).await?;
                repository.last_messages(&scope(), thread_id(), 5).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(repository.last_messages(&scope(), thread_id(), 1_000).await.unwrap().len(), 160);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_wrong_password_is_refused_and_not_shown() {
    let server = PgServer::start(PgOptions::default().password("the-right-one")).expect("a server");
    PostgresRepository::open(config(&server.url())).await.unwrap();
    let config = config(&server.url().replace("the-right-one", "the-wrong-one"));
    assert!(!format!("{config:?} {config:#?}").contains("wrong"));
    let error = PostgresRepository::open(config).await.unwrap_err();
    assert!(matches!(error, StoreError::Backend { .. }), "{error:?}");
    let shown = everything_shown(&error);
    assert!(shown.contains("password authentication failed") && !shown.contains("the-wrong-one"), "{shown}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://ada@{}/chat", silent.local_addr().unwrap());
    let opening = PostgresRepository::open(config(&url).acquire_timeout(Duration::from_millis(100)));
    let error =
        tokio::time::timeout(Duration::from_mins(1), opening).await.expect("it gives up").unwrap_err();
    assert!(error.is_transient(), "{error:?}");
}
