use chatkeep_domain::Migrations as _;
use chatkeep_domain::{ConversationRepositoryExt as _, StoreError, ThreadRepository as _};
use chatkeep_postgres::{PostgresMigrations, PostgresRepository};
use chatkeep_testkit::{PgBouncer, PgOptions, PgServer, PoolMode};

use crate::common::{create_thread, scope, thread_id, three_messages};
use crate::{config, open, shown};

/// The schemas that hold something, and how many tables, indexes and views each holds.
const HELD: &str = "SELECT nspname, count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
                    WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' GROUP BY 1 ORDER BY 1";

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn what_a_url_says_of_a_schema_decides_where_the_tables_are() {
    let server = PgServer::start(PgOptions::default()).expect("a server");
    for (number, (parameter, schema)) in
        [("schema=app", "app"), ("currentSchema=app", "app"), ("schema=My%20%22app%22%5C", "My \"app\"\\")]
            .into_iter()
            .enumerate()
    {
        let database = format!("d{number}");
        let url = server.create_database(&database, None).expect("a database");
        open(&format!("{url}?{parameter}")).await.expect("the store opens");
        let held = server.psql_in(&database, HELD).expect("the schemas");
        assert!(held.starts_with(&format!("{schema}|")) && held.lines().count() == 1, "{parameter}: {held}");
        let migrations = server.psql_in(&database, "SELECT nspname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relname = 'chatkeep_migration'");
        assert_eq!(migrations.expect("the schema"), schema);
        open(&format!("{url}?{parameter}")).await.expect("it opens again");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn two_schemas_of_a_database_know_nothing_of_each_other() {
    let server = PgServer::start(PgOptions::default()).expect("a server");
    let (one, two) = (format!("{}?schema=one", server.url()), format!("{}?schema=two", server.url()));
    let store = open(&one).await.expect("the store opens");
    create_thread(&store).await.expect("a thread");
    // A repository that is made without a schema is of `public`, where nothing is.
    let public = PostgresRepository::open(config(&server.url()).auto_migrate(false)).await.unwrap_err();
    assert!(matches!(public, StoreError::NotMigrated { .. }), "{public}");
    let other = open(&two).await.expect("the store opens");
    create_thread(&other).await.expect("the id is free there");
    let migrations = PostgresMigrations::open(config(&two)).await.expect("a connection");
    migrations.down(1_000).await.expect("it goes down");
    assert!(store.get_thread(&scope(), thread_id()).await.is_ok());
    migrations.fresh().await.expect("it comes up again");
    assert_eq!(server.psql("SELECT count(*) FROM one.chat_thread, two.chat_message").expect("a count"), "0");
    assert_eq!(server.psql("SELECT count(*) FROM one.chat_thread").expect("a count"), "1");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_role_without_rights_hears_what_it_lacks() {
    let server = PgServer::start(PgOptions::default()).expect("a server");
    server.psql("CREATE ROLE small LOGIN; CREATE SCHEMA app").expect("a role");
    let url = |schema: &str| server.url().replace("postgres@", "small@") + "?schema=" + schema;
    let error = shown(&open(&url("missing")).await.unwrap_err());
    assert!(error.contains("permission denied for database"), "{error}");
    let error = shown(&open(&url("app")).await.unwrap_err());
    assert!(error.contains("the role may not use the schema \"app\""), "{error}");
    server.psql("GRANT USAGE, CREATE ON SCHEMA app TO small").expect("rights");
    open(&url("app")).await.expect("the schema is there: no right to make one is needed");
}

#[tokio::test]
#[ignore = "needs PostgreSQL and PgBouncer: run `cargo xtask test`"]
async fn behind_a_pooler_the_schema_is_the_one_that_was_asked_for_or_opening_fails() {
    let server = PgServer::start(PgOptions::default()).expect("a server");
    open(&format!("{}?schema=app", server.url())).await.expect("the store opens");

    let pooler = PgBouncer::start(&server, PoolMode::Transaction).expect("a pooler");
    let url = format!("{}?schema=app", pooler.url("postgres"));
    let store = open(&format!("{url}&pgbouncer=true")).await.expect("the schema is set in each transaction");
    three_messages(&store).await;
    assert_eq!(store.last_messages(&scope(), thread_id(), 9).await.expect("a page").len(), 3);
    assert_eq!(server.psql("SELECT count(*) FROM app.chat_message").expect("a count"), "3");
    let config_of = |url: &str| config(url).statement_timeout(None);
    let error = shown(&PostgresRepository::open(config_of(&url)).await.unwrap_err());
    assert!(error.contains("search_path") || error.contains("options"), "{error}");

    let deaf = PgBouncer::start_ignoring(&server, PoolMode::Transaction, &["options"]).expect("a pooler");
    let url = format!("{}?schema=app", deaf.url("postgres"));
    let error = shown(&PostgresRepository::open(config_of(&url)).await.unwrap_err());
    assert!(error.contains("in the schema \"public\", and not in \"app\""), "{error}");
    assert_eq!(
        server.psql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").expect("a count"),
        "0"
    );
}
