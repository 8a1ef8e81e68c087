use std::sync::Arc;

use chatkeep_domain::{Append, MessageRepository as _, Migrations as _, PlainCodec, StoreError};
use chatkeep_domain::{ConversationRepository as _, ConversationRepositoryExt as _};
use chatkeep_postgres::{PostgresMigrations, PostgresRepository};

use crate::common::{create_thread, everything_shown, message, scope, thread_id, three_messages};
use crate::{callers, config, open, server};

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_database_that_cannot_hold_every_text_is_refused() {
    let server = server();
    for encoding in ["LATIN1", "SQL_ASCII", "EUC_JP"] {
        let make = format!("CREATE DATABASE {encoding} TEMPLATE template0 ENCODING '{encoding}'");
        server.psql(&make).expect("a database");
        let url = server.url_of(&encoding.to_lowercase());
        let codec = || Arc::new(PlainCodec);
        let connection = callers(&url).await;
        let errors = [
            open(&url).await.unwrap_err(),
            PostgresRepository::open(config(&url).auto_migrate(false)).await.unwrap_err(),
            PostgresRepository::open(config(&url).statement_cache_size(0)).await.unwrap_err(),
            PostgresMigrations::open(config(&url)).await.unwrap_err(),
            PostgresRepository::from_connection(connection.clone(), true, codec()).await.unwrap_err(),
            PostgresMigrations::from_connection(connection, codec()).unwrap().up(None).await.unwrap_err(),
        ];
        for error in errors {
            let shown = everything_shown(&error);
            assert!(matches!(error, StoreError::Backend { .. }), "{shown}");
            assert!(shown.contains(&format!("must be UTF8, and is {encoding}")), "{shown}");
            assert!(shown.contains("CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"), "{shown}");
        }
        let tables = server
            .psql_in(&encoding.to_lowercase(), "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'chat%'");
        assert_eq!(tables.expect("a count"), "0");
    }
    // As the error says.
    server.psql("CREATE DATABASE good ENCODING 'UTF8' TEMPLATE template0").expect("a database");
    let store = open(&server.url_of("good")).await.expect("the store opens");
    create_thread(&store).await.expect("a thread");
    store.append(&scope(), thread_id(), Append::new([message(1, "😀")])).await.expect("it is written");
    assert_eq!(store.last_messages(&scope(), thread_id(), 1).await.expect("a page")[0].content, "😀".into());
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn what_is_in_the_way_of_a_migration_is_named() {
    let server = server();
    for (number, (made, named)) in [
        ("CREATE TABLE chat_message (id int)", "\"chat_message\" already exists"),
        ("CREATE VIEW chat_thread_tag AS SELECT 1", "\"chat_thread_tag\" already exists"),
        ("CREATE SEQUENCE chat_thread_recent", "\"chat_thread_recent\" already exists"),
        ("CREATE TYPE chat_thread AS ENUM ()", "\"chat_thread\" already exists"),
        ("CREATE TABLE other (id int); CREATE INDEX chat_message_id ON other (id)", "\"chat_message_id\""),
        (
            "CREATE FUNCTION chatkeep_clean_search() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "chatkeep_clean_search",
        ),
        ("CREATE TABLE chatkeep_migration (id int)", "\"version\" does not exist"),
        ("CREATE SEQUENCE chatkeep_migration", "\"version\" does not exist"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("d{number}");
        let url = server.create_database(&name, None).expect("a database");
        server.psql_in(&name, made).expect("it is made");
        let error = open(&url).await.unwrap_err();
        let shown = everything_shown(&error);
        assert!(matches!(error, StoreError::Backend { .. }) && shown.contains(named), "{made}: {shown}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn opening_looks_at_no_message() {
    let server = server();
    let store = open(&server.url()).await.expect("the store opens");
    three_messages(&store).await;
    store.close().await.expect("it closes");
    server
        .psql(
            "INSERT INTO chat_message (chat_thread_id, id, position, created_at, updated_at, org_id, sender_role, content)
             SELECT chat_thread_id, gen_random_uuid(), n, created_at, updated_at, org_id, sender_role, content
             FROM chat_message, generate_series(10, 5000) n WHERE position = 1;
             ANALYZE",
        )
        .expect("messages");
    // A session reports what it did when it ends at the latest.
    let ended = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    let scans = || {
        while server.psql(ended).expect("a count") != "0" {}
        let sums =
            "SELECT sum(seq_scan), sum(seq_tup_read), sum(idx_scan), sum(n_tup_upd) FROM pg_stat_user_tables
                    WHERE relname LIKE 'chat\\_%'";
        server.psql(sums).expect("sums")
    };
    let before = scans();
    for _ in 0..3 {
        let store = open(&server.url()).await.expect("it opens again");
        store.close().await.expect("it closes");
        let migrations = PostgresMigrations::open(config(&server.url())).await.expect("a connection");
        assert!(migrations.up(None).await.expect("nothing is to be done").is_empty());
    }
    assert_eq!(scans(), before);
}
