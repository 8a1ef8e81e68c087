use std::sync::Arc;

use chatkeep_domain::{
    Append, MessageRepository as _, Migrations as _, PlainCodec, StoreError, ThreadRepository as _,
};
use chatkeep_postgres::{PostgresMigrations, PostgresRepository};

use crate::common::{create_thread, everything_shown, message, scope, thread_id};
use crate::{callers, config, open, server};

fn assert_says(error: &StoreError, said: &str) {
    let shown = everything_shown(error);
    assert!(matches!(error, StoreError::Backend { .. }) && shown.contains(said), "{said}: {shown}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_schema_that_the_role_may_not_use_is_named() {
    let server = server();
    let small = server.url().replace("postgres@", "small@");
    server
        .psql("CREATE ROLE small LOGIN; CREATE SCHEMA other; GRANT USAGE ON SCHEMA other TO small")
        .expect("a role");
    for (encoded, quoted, path) in [
        ("app", "app", "other, app"),
        ("App", "\"App\"", "\"$user\", \"App\", public"),
        ("a%20%22b%22%22", "\"a \"\"b\"\"\"\"\"", "\"x, y\", \"a \"\"b\"\"\"\"\""),
        ("small", "small", "\"$user\", public"),
    ] {
        let store = open(&format!("{}?schema={encoded}", server.url())).await.expect("the store opens");
        create_thread(&store).await.expect("a thread");
        let grant = format!("GRANT USAGE ON SCHEMA {quoted} TO small");
        // By the URL, and by the role's own path.
        let url = format!("{small}?schema={encoded}");
        let config = config(&url).auto_migrate(false);
        assert_says(&PostgresRepository::open(config.clone()).await.unwrap_err(), &grant);
        assert_says(&PostgresRepository::open(config.statement_cache_size(0)).await.unwrap_err(), &grant);
        assert_says(&open(&url).await.unwrap_err(), &grant);
        server.psql(&format!("ALTER ROLE small SET search_path = {path}")).expect("a path");
        let migrations = PostgresMigrations::open(crate::config(&small)).await.expect("a connection");
        assert_says(&migrations.status().await.unwrap_err(), &grant);
        assert_says(&migrations.up(None).await.unwrap_err(), &grant);
        assert_says(&migrations.down(1).await.unwrap_err(), &grant);
        let connection = callers(&small).await;
        let own = PostgresRepository::from_connection(connection, false, Arc::new(PlainCodec)).await;
        assert_says(&own.unwrap_err(), &grant);

        // As the error says.
        server.psql(&grant).expect("the right");
        assert_says(&open(&small).await.unwrap_err(), "permission denied for table chatkeep_migration");
        server.psql(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA {quoted} TO small")).expect("the right");
        let store = open(&small).await.expect("it may read");
        store.get_thread(&scope(), thread_id()).await.expect("it reads");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_schema_that_the_role_may_use_no_more_is_named() {
    let server = server();
    let store = open(&format!("{}?schema=app", server.url())).await.expect("the store opens");
    create_thread(&store).await.expect("a thread");
    let grant = "GRANT USAGE ON SCHEMA app TO small";
    let tables = "GRANT ALL ON ALL TABLES IN SCHEMA app TO small";
    server.psql(&format!("CREATE ROLE small LOGIN; {grant}; {tables}")).expect("a role");
    let url = format!("{}?schema=app", server.url().replace("postgres@", "small@"));
    // One connection: what failed has given it back.
    let config = config(&url).auto_migrate(false).pool_size(1).max_overflow(0);
    for size in [100, 0] {
        let store = PostgresRepository::open(config.clone().statement_cache_size(size)).await;
        let store = store.expect("the store opens");
        let append =
            async |number| store.append(&scope(), thread_id(), Append::new([message(number, "x")])).await;
        let number = size as u128 + 1;
        append(number).await.expect("it writes");
        server.psql("REVOKE USAGE ON SCHEMA app FROM small").expect("it is taken away");
        assert_says(&append(number + 1).await.unwrap_err(), grant);
        assert_says(&store.get_thread(&scope(), thread_id()).await.unwrap_err(), grant);
        assert_says(&store.delete_thread(&scope(), thread_id(), None).await.unwrap_err(), grant);
        server.psql(grant).expect("the right");
        append(number + 1).await.expect("it writes");
    }
    // A table that is gone is another matter.
    server.psql("DROP TABLE app.chat_thread CASCADE").expect("it is gone");
    assert_says(
        &open(&url).await.expect("it opens").get_thread(&scope(), thread_id()).await.unwrap_err(),
        "chat_thread",
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_table_without_a_right_is_named() {
    let server = server();
    let store = open(&server.url()).await.expect("the store opens");
    create_thread(&store).await.expect("a thread");
    server.psql("CREATE ROLE small LOGIN; GRANT SELECT ON chatkeep_migration TO small").expect("a role");
    let store = open(&server.url().replace("postgres@", "small@")).await.expect("all is migrated");
    assert_says(
        &store.get_thread(&scope(), thread_id()).await.unwrap_err(),
        "permission denied for table chat_thread",
    );
    server.psql("GRANT SELECT, UPDATE ON chat_thread TO small").expect("rights");
    store.get_thread(&scope(), thread_id()).await.expect("it reads");
    let error = store.append(&scope(), thread_id(), Append::new([message(1, "x")])).await.unwrap_err();
    assert_says(&error, "permission denied for table chat_message");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn where_nothing_is_migrated_a_role_hears_so() {
    let server = server();
    server.psql("CREATE ROLE small LOGIN; CREATE SCHEMA hidden").expect("a role");
    let url = server.url().replace("postgres@", "small@");
    let error = PostgresRepository::open(config(&url).auto_migrate(false)).await.unwrap_err();
    assert!(matches!(error, StoreError::NotMigrated { .. }), "{error:?}");
    // It is for the migrations to make a schema that is not there.
    let error = PostgresRepository::open(config(&format!("{url}?schema=none")).auto_migrate(false))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::NotMigrated { .. }), "{error:?}");
    assert_says(&open(&url).await.unwrap_err(), "permission denied for schema public");
    assert_says(
        &open(&format!("{url}?schema=hidden")).await.unwrap_err(),
        "may not use the schema \"hidden\"",
    );
}
