//! SQLSTATEs, broken connections, poolers, and rows that somebody else wrote.

mod common;
mod rows;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chatkeep_domain::Migrations as _;
use chatkeep_domain::{
    Again, Append, ConversationRepository, ConversationRepositoryExt, Entity, MessageEdit, MessageFilter,
    MessageQuery, MessageRepository, Outcome, Position, Role, StoreError, ThreadAppend, ThreadRepository,
};
use chatkeep_layers::{LayersConfig, layered};
use chatkeep_postgres::{PostgresConfig, PostgresMigrations, PostgresRepository};
use chatkeep_testkit::{PgBouncer, PgOptions, PgServer, PoolMode, shared_postgres};
use common::{
    at, create_thread, everything_shown, execute, message, message_id, new_thread, scope, thread_id,
    three_messages,
};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};

/// A database of its own on the shared server.
struct TestDatabase {
    url: String,
    raw: DatabaseConnection,
    name: String,
}

impl TestDatabase {
    async fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("seaorm_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let server = shared_postgres().expect("a server");
        let admin = raw(&server).await;
        execute(&admin, &format!("CREATE DATABASE {name}")).await;
        let (host, _) = server.rsplit_once('/').expect("a URL with a database");
        let url = format!("{host}/{name}");
        Self { raw: raw(&url).await, url, name }
    }

    fn config(&self) -> PostgresConfig {
        config(&self.url)
    }

    async fn open(&self) -> PostgresRepository {
        PostgresRepository::open(self.config()).await.expect("the server is there")
    }

    /// With its layers, as the application opens it.
    async fn open_layered(&self) -> Arc<dyn ConversationRepository> {
        layered(Arc::new(self.open().await), &LayersConfig::default())
    }

    async fn execute(&self, sql: &str) {
        execute(&self.raw, sql).await;
    }

    async fn number(&self, sql: &str) -> i64 {
        let statement = Statement::from_string(self.raw.get_database_backend(), sql);
        let row = self.raw.query_one_raw(statement).await.expect("the statement runs").expect("a row");
        row.try_get_by_index(0).expect("a number")
    }
}

fn config(url: &str) -> PostgresConfig {
    PostgresConfig::from_url(&url.to_owned().into()).expect("a URL").auto_migrate(true)
}

/// One connection, so that sessions and transactions can be held by hand.
async fn raw(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url.replace("postgresql://", "postgres://"));
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.expect("the server is there")
}

/// Makes every insert of a message fail with this SQLSTATE.
async fn fail_with(database: &TestDatabase, sqlstate: &str) {
    database
        .execute(&format!(
            "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'made to fail' USING ERRCODE = '{sqlstate}'; END $$;
             CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON chat_message FOR EACH ROW EXECUTE FUNCTION fail()"
        ))
        .await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn each_sqlstate_becomes_what_a_caller_can_do() {
    let database = TestDatabase::new().await;
    let repository = database.open().await;
    create_thread(&repository).await.unwrap();
    for (sqlstate, wanted) in [
        ("40001", Some(Outcome::NotDone)),
        ("40P01", Some(Outcome::NotDone)),
        ("57014", Some(Outcome::NotDone)),
        ("55P03", Some(Outcome::NotDone)),
        ("53300", Some(Outcome::NotDone)),
        ("57P01", Some(Outcome::Unknown)),
        ("57P03", Some(Outcome::NotDone)),
        ("08006", Some(Outcome::Unknown)),
        ("25006", Some(Outcome::NotDone)),
        ("53100", None),
        ("42501", None),
        ("XX000", None),
    ] {
        fail_with(&database, sqlstate).await;
        let append = Append::new([message(1, "secret")]);
        let error = repository.append(&scope(), thread_id(), append).await.unwrap_err();
        assert_eq!(error.is_transient(), wanted.is_some(), "{sqlstate}: {error:?}");
        assert_eq!(error.outcome(), wanted.unwrap_or(Outcome::NotDone), "{sqlstate}: {error:?}");
        assert!(wanted.is_some() || matches!(error, StoreError::Backend { .. }), "{sqlstate}: {error:?}");
        assert!(!everything_shown(&error).contains("secret"), "{error:?}");
    }
    // A key that breaks is looked into; here nothing is wrong with the thread, so the driver's word is passed on.
    for sqlstate in ["23505", "23503"] {
        fail_with(&database, sqlstate).await;
        let append = Append::new([message(1, "secret")]);
        let error = repository.append(&scope(), thread_id(), append).await.unwrap_err();
        assert!(matches!(error, StoreError::Backend { .. }), "{sqlstate}: {error:?}");
    }
    assert_eq!(repository.get_thread(&scope(), thread_id()).await.unwrap().head, Position::ZERO);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_failing_row_is_not_quoted() {
    let database = TestDatabase::new().await;
    let repository = database.open().await;
    create_thread(&repository).await.unwrap();
    database.execute("ALTER TABLE chat_message ADD CHECK (length(content) < 5)").await;
    let append = Append::new([message(1, "secret")]);
    let error = repository.append(&scope(), thread_id(), append).await.unwrap_err();
    assert!(everything_shown(&error).contains("check constraint"), "{error:?}");
    assert!(!everything_shown(&error).contains("secret"), "{error:?}");
}

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
    assert_eq!(stored[0].position, Position::new(4).unwrap());
    assert_eq!(repository.delete_thread(&scope(), thread_id()).await.unwrap(), 4);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_statement_that_waits_too_long_is_transient() {
    let database = TestDatabase::new().await;
    let config = database.config().statement_timeout(Some(Duration::from_millis(200)));
    let repository = PostgresRepository::open(config).await.unwrap();
    create_thread(&repository).await.unwrap();
    database.execute("BEGIN; SELECT * FROM chat_thread FOR UPDATE").await;
    let append = || Append::new([message(1, "one")]);
    let error = repository.append(&scope(), thread_id(), append()).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("timeout"), "{error:?}");
    database.execute("COMMIT").await;
    repository.append(&scope(), thread_id(), append()).await.unwrap();
    // What takes a read so long will take it as long again.
    database.execute("BEGIN; LOCK TABLE chat_message").await;
    let error = repository.get_message(&scope(), thread_id(), message_id(1)).await.unwrap_err();
    let StoreError::Unavailable { outcome, again, .. } = error else { panic!("{error:?}") };
    assert_eq!((outcome, again), (Outcome::NotDone, Again::No));
    database.execute("COMMIT").await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn behind_an_append_that_is_unavailable_none_to_its_thread_is_stored() {
    let database = TestDatabase::new().await;
    let repository = database.open().await;
    create_thread(&repository).await.unwrap();
    let mut other = new_thread();
    other.id = uuid::Uuid::from_u128(2).into();
    repository.create_thread(&scope(), other.clone()).await.unwrap();
    database
        .execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'made to fail' USING ERRCODE = '40001'; END $$;
             CREATE TRIGGER fail BEFORE INSERT ON chat_message
             FOR EACH ROW WHEN (NEW.content LIKE '%fails%') EXECUTE FUNCTION fail()",
        )
        .await;
    // So many that the next one goes in another statement.
    let many = (0..1_000).map(|number| message(1_000 + number, if number == 500 { "fails" } else { "x" }));
    let head = Position::new(1_001).unwrap();
    let appends = [
        (thread_id(), Append::new(many)),
        (thread_id(), Append::new([message(1, "behind")])),
        (other.id, Append::new([message(2, "elsewhere")])),
        (thread_id(), Append::new([message(3, "behind")]).expect_head(head)),
    ];
    let appends = appends.map(|(thread, append)| ThreadAppend::new(scope(), thread, append));
    let answers = repository.append_each(appends.to_vec()).await;
    let unavailable: Vec<_> =
        answers.iter().map(|answer| answer.as_ref().is_err_and(StoreError::is_transient)).collect();
    assert_eq!(unavailable, [true, true, false, true], "{answers:?}");
    assert!(repository.last_messages(&scope(), thread_id(), 9).await.unwrap().is_empty());
    assert_eq!(repository.last_messages(&scope(), other.id, 9).await.unwrap().len(), 1);

    // The layer sends them again, in their order.
    let layered = layered(Arc::new(repository.clone()), &LayersConfig::default());
    let appending = tokio::spawn(async move { layered.append_each(appends.to_vec()).await });
    database.execute("DROP TRIGGER fail ON chat_message").await;
    for answer in appending.await.unwrap() {
        answer.unwrap();
    }
    let last = repository.last_messages(&scope(), thread_id(), 2).await.unwrap();
    assert_eq!(last.iter().map(|message| message.id).collect::<Vec<_>>(), [message_id(1), message_id(3)]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_deadlock_is_survived() {
    let database = TestDatabase::new().await;
    let repository = database.open_layered().await;
    three_messages(&*repository).await;
    // The other session never gives way, and ours notices the deadlock after a second.
    database.execute("SET deadlock_timeout = '1min'").await;
    database.execute("BEGIN; UPDATE chat_message SET content = content WHERE position = 1").await;
    let editing = tokio::spawn({
        let repository = repository.clone();
        async move {
            repository
                .edit_message(&scope(), thread_id(), message_id(1), MessageEdit::new("new", at(1)))
                .await
        }
    });
    let waiting = format!(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = '{}'",
        database.name
    );
    let watcher = TestDatabase { raw: raw(&database.url).await, url: String::new(), name: String::new() };
    while watcher.number(&waiting).await == 0 {
        tokio::task::yield_now().await;
    }
    database.execute("UPDATE chat_thread SET name = 'x'; COMMIT").await;
    assert_eq!(editing.await.unwrap().unwrap().content, "new".into());
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn serialization_failures_are_repeated_until_they_succeed() {
    let database = TestDatabase::new().await;
    create_thread(&database.open().await).await.unwrap();
    let isolation = "SET default_transaction_isolation = 'repeatable read'";
    database.execute(&format!("ALTER DATABASE {} {isolation}", database.name)).await;
    let repository = database.open_layered().await;
    let writers = (0..8_u128).map(|writer| {
        let repository = repository.clone();
        tokio::spawn(async move {
            for number in 0..10 {
                let append = Append::new([message(100 * (writer + 1) + number, "x")]);
                repository.append(&scope(), thread_id(), append).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(repository.get_thread(&scope(), thread_id()).await.unwrap().head, Position::new(80).unwrap());
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
async fn a_read_only_database_is_transient() {
    let database = TestDatabase::new().await;
    create_thread(&database.open().await).await.unwrap();
    database
        .execute(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name))
        .await;
    let repository = database.open().await;
    let error = repository.append(&scope(), thread_id(), Append::new([message(1, "x")])).await.unwrap_err();
    assert!(error.is_transient() && error.outcome() == Outcome::NotDone, "{error:?}");
    assert!(error.to_string().contains("read-only"), "{error:?}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_corrupt_row_is_named_and_its_neighbours_can_be_read() {
    let database = TestDatabase::new().await;
    let repository = database.open().await;
    three_messages(&repository).await;
    database.execute("UPDATE chat_message SET content = '{\"type\": secret' WHERE position = 2").await;
    let query = MessageQuery::first(10);
    let ahead = repository.list_messages(&scope(), thread_id(), &query).await.unwrap();
    assert_eq!(ahead.items.len(), 1);
    let further = query.behind(ahead.next.unwrap());
    let error = repository.list_messages(&scope(), thread_id(), &further).await.unwrap_err();
    let id = message_id(2).to_string();
    assert!(
        matches!(&error, StoreError::CorruptRow { entity: Entity::Message, id: found, .. } if *found == id)
    );
    assert!(!everything_shown(&error).contains("secret"), "{error:?}");
    let behind = MessageQuery::first(10).after(Position::new(2).unwrap());
    assert_eq!(repository.list_messages(&scope(), thread_id(), &behind).await.unwrap().items.len(), 1);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_row_that_would_be_read_as_another_value_is_corrupt() {
    let database = TestDatabase::new().await;
    let repository = database.open().await;
    let migrations = PostgresMigrations::open(database.config()).await.unwrap();
    rows::lossy_rows_are_corrupt(&repository, &migrations, &database.raw).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn the_schema_goes_up_and_down_and_an_old_one_is_not_used() {
    let database = TestDatabase::new().await;
    let error = PostgresRepository::open(database.config().auto_migrate(false)).await.unwrap_err();
    assert!(matches!(error, StoreError::NotMigrated { store: "PostgreSQL", .. }), "{error:?}");
    let migrations = PostgresMigrations::open(database.config()).await.unwrap();
    let all: Vec<_> =
        migrations.status().await.unwrap().into_iter().map(|migration| migration.name).collect();
    assert_eq!(migrations.up(None).await.unwrap(), all);
    three_messages(&database.open().await).await;
    assert_eq!(migrations.count_messages().await.unwrap(), 3);
    database.execute("CREATE TABLE not_ours (id int)").await;
    migrations.fresh().await.unwrap();
    assert_eq!(migrations.count_messages().await.unwrap(), 0);
    assert_eq!(migrations.down(u32::try_from(all.len()).unwrap()).await.unwrap(), all);
    let ours = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'chat\\_%'";
    assert_eq!(database.number(ours).await, 0);
    assert_eq!(database.number("SELECT COUNT(*) FROM pg_tables WHERE tablename = 'not_ours'").await, 1);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn many_that_start_together_on_an_empty_database_all_succeed() {
    let database = TestDatabase::new().await;
    let starts: Vec<_> = (0..8).map(|_| tokio::spawn(PostgresRepository::open(database.config()))).collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_callers_own_connection_serves() {
    let database = TestDatabase::new().await;
    let connection = Database::connect(database.url.replace("postgresql://", "postgres://")).await.unwrap();
    three_messages(
        &PostgresRepository::from_connection(
            connection,
            true,
            std::sync::Arc::new(chatkeep_domain::PlainCodec),
        )
        .await
        .unwrap(),
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
async fn a_server_that_never_answers_is_given_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://ada@{}/chat", silent.local_addr().unwrap());
    let opening = PostgresRepository::open(config(&url).acquire_timeout(Duration::from_millis(100)));
    let error =
        tokio::time::timeout(Duration::from_mins(1), opening).await.expect("it gives up").unwrap_err();
    assert!(error.is_transient(), "{error:?}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_long_thread_is_read_by_its_indexes_alone() {
    let database = TestDatabase::new().await;
    let repository = database.open().await;
    three_messages(&repository).await;
    database
        .execute(
            "INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_role, content, created_at, updated_at)
             SELECT org_id, chat_thread_id, n, gen_random_uuid(), 'user', content, created_at, updated_at
             FROM chat_message, generate_series(10, 20000) n WHERE position = 1;
             UPDATE chat_message SET sender_role = 'system' WHERE position IN (1, 15000);
             UPDATE chat_thread SET head = 20000, next_position = 20001;
             ANALYZE",
        )
        .await;
    let scans = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'chat_message'";
    let system_scans =
        "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'chat_message_instructions'";
    // A session reports what it scanned when it ends at the latest.
    repository.close().await.unwrap();
    database.execute("SELECT pg_stat_clear_snapshot()").await;
    let before = (database.number(scans).await, database.number(system_scans).await);

    let repository = database.open().await;
    let last = repository.last_messages(&scope(), thread_id(), 50).await.unwrap();
    assert_eq!(last[49].position, Position::new(20_000).unwrap());
    let instructions = MessageFilter::new().role(Role::System).role(Role::Developer);
    let system = MessageQuery::newest(100).filter(instructions).before(last[0].position);
    assert_eq!(repository.list_messages(&scope(), thread_id(), &system).await.unwrap().items.len(), 2);
    let behind = MessageQuery::first(10).after(Position::new(10_000).unwrap());
    assert_eq!(repository.list_messages(&scope(), thread_id(), &behind).await.unwrap().items.len(), 10);
    repository.get_message(&scope(), thread_id(), last[0].id).await.unwrap();
    repository.close().await.unwrap();
    while database.number(system_scans).await == before.1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(database.number(scans).await, before.0, "no read scans the table");
}
