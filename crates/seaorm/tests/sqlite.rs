//! What is SQLite's own: locks, files, pragmas, and rows that somebody else wrote.
#![cfg(feature = "sqlite")]

mod common;
mod rows;

use std::time::Duration;

use chatkeep_domain::Migrations as _;
use chatkeep_domain::{
    Append, ConversationRepository, ConversationRepositoryExt, Entity, MessageQuery, MessageRepository,
    Position, StoreError, ThreadQuery, ThreadRepository, UserId,
};
use chatkeep_seaorm::{SeaOrmMigrations, SeaOrmRepository, SqliteConfig};
use common::{at, create_thread, execute, message, message_id, new_thread, scope, thread_id, three_messages};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};
use tempfile::TempDir;
use uuid::Uuid;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn config(folder: &TempDir) -> SqliteConfig {
    SqliteConfig::file(folder.path().join("deep/er/chat.db"))
}

async fn raw(folder: &TempDir) -> DatabaseConnection {
    let path = folder.path().join("deep/er/chat.db");
    Database::connect(format!("sqlite://{}?mode=rwc", path.display())).await.expect("the file")
}

#[tokio::test]
async fn the_file_is_in_wal_mode() {
    let folder = folder();
    let repository = SeaOrmRepository::sqlite(config(&folder)).await.unwrap();
    create_thread(&repository).await.unwrap();
    let raw = raw(&folder).await;
    let mode = raw.query_one_raw(Statement::from_string(raw.get_database_backend(), "PRAGMA journal_mode"));
    assert_eq!(mode.await.unwrap().unwrap().try_get_by_index::<String>(0).unwrap(), "wal");
    assert!(folder.path().join("deep/er/chat.db-wal").exists());
}

#[tokio::test]
async fn what_was_written_is_there_when_the_file_is_opened_again() {
    let folder = folder();
    let repository = SeaOrmRepository::sqlite(config(&folder)).await.unwrap();
    three_messages(&repository).await;
    repository.close().await.unwrap();
    // The log is back in the file: the file alone is the whole database.
    assert!(!folder.path().join("deep/er/chat.db-wal").exists());
    let repository = SeaOrmRepository::sqlite(config(&folder)).await.unwrap();
    assert_eq!(repository.last_messages(&scope(), thread_id(), 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_foreign_lock_is_waited_for_and_then_reported_as_transient() {
    let folder = folder();
    let short = Duration::from_millis(300);
    let repository = SeaOrmRepository::sqlite(config(&folder).acquire_timeout(short)).await.unwrap();
    three_messages(&repository).await;
    let raw = raw(&folder).await;
    execute(&raw, "BEGIN IMMEDIATE").await;
    let append = || Append::new([message(4, "four")]);
    let error = repository.append(&scope(), thread_id(), append()).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    // Readers do not wait.
    assert_eq!(repository.last_messages(&scope(), thread_id(), 10).await.unwrap().len(), 3);

    let patient = SeaOrmRepository::sqlite(config(&folder)).await.unwrap();
    let waiting = tokio::spawn(async move { patient.append(&scope(), thread_id(), append()).await });
    tokio::task::yield_now().await;
    execute(&raw, "COMMIT").await;
    assert_eq!(waiting.await.unwrap().unwrap()[0].position, Position::new(4).unwrap());
}

#[tokio::test]
async fn a_read_only_database_is_a_permanent_error() {
    let folder = folder();
    three_messages(&SeaOrmRepository::sqlite(config(&folder)).await.unwrap()).await;
    let path = folder.path().join("deep/er/chat.db");
    let read_only = Database::connect(format!("sqlite://{}?mode=ro", path.display())).await.unwrap();
    let repository = SeaOrmRepository::from_connection(read_only, false).await.unwrap();
    let error = repository.append(&scope(), thread_id(), Append::new([message(4, "x")])).await.unwrap_err();
    assert!(matches!(error, StoreError::Backend { store: "SQLite", .. }), "{error:?}");
    assert!(common::everything_shown(&error).contains("readonly"), "{error:?}");
}

#[tokio::test]
async fn a_full_disk_is_a_permanent_error_and_nothing_is_half_written() {
    let folder = folder();
    three_messages(&SeaOrmRepository::sqlite(config(&folder)).await.unwrap()).await;
    let path = folder.path().join("deep/er/chat.db");
    let mut options = sea_orm::ConnectOptions::new(format!("sqlite://{}", path.display()));
    options.max_connections(1).sqlx_logging(false);
    let full = Database::connect(options).await.unwrap();
    execute(&full, "PRAGMA max_page_count = 30").await;
    let repository = SeaOrmRepository::from_connection(full, false).await.unwrap();
    let big = Append::new([message(4, "small"), message(5, &"x".repeat(1_000_000))]);
    let error = repository.append(&scope(), thread_id(), big).await.unwrap_err();
    assert!(matches!(error, StoreError::Backend { .. }), "{error:?}");
    let messages = repository.last_messages(&scope(), thread_id(), 10).await.unwrap();
    assert_eq!(messages.len(), 3);
    assert_eq!(repository.get_thread(&scope(), thread_id()).await.unwrap().head, Position::new(3).unwrap());
}

#[tokio::test]
async fn a_corrupt_row_is_named_and_its_neighbours_can_be_read() {
    for (column, value) in [
        ("content", "'{\"type\": \"text\", secret'"),
        ("content", "x'ff00'"),
        ("sender_role", "'robot'"),
        ("sender_id", "''"),
        ("created_at", "9223372036854775807"),
    ] {
        let folder = folder();
        let repository = SeaOrmRepository::sqlite(config(&folder)).await.unwrap();
        three_messages(&repository).await;
        execute(
            &raw(&folder).await,
            &format!("UPDATE chat_message SET {column} = {value} WHERE position = 2"),
        )
        .await;

        let id = message_id(2).to_string();
        let query = MessageQuery::first(10);
        let ahead = repository.list_messages(&scope(), thread_id(), &query).await.unwrap();
        assert_eq!(ahead.items.len(), 1);
        let further = query.behind(ahead.next.unwrap());
        for error in [
            repository.list_messages(&scope(), thread_id(), &further).await.unwrap_err(),
            repository.get_message(&scope(), thread_id(), message_id(2)).await.unwrap_err(),
        ] {
            assert!(
                matches!(&error, StoreError::CorruptRow { entity: Entity::Message, id: found, .. } if *found == id),
                "{column}: {error:?}"
            );
            assert!(!common::everything_shown(&error).contains("secret"));
        }
        let bad = Position::new(2).unwrap();
        for query in [MessageQuery::first(10).before(bad), MessageQuery::first(10).after(bad)] {
            assert_eq!(repository.list_messages(&scope(), thread_id(), &query).await.unwrap().items.len(), 1);
        }
    }
}

#[tokio::test]
async fn texts_that_are_long_or_odd_come_as_they_were_stored() {
    let folder = folder();
    let repository = SeaOrmRepository::sqlite(config(&folder)).await.unwrap();
    create_thread(&repository).await.unwrap();
    // The longest content that is packed with its page is 64 KiB of JSON; 26 bytes of it are not the text.
    let texts = ["", "5,7,,\0,\u{1f600}\"", &"x".repeat(65_510), &"x".repeat(65_511), &"é".repeat(1_000_000)];
    for (number, text) in (1..).zip(texts) {
        let mut message = message(number, text);
        message.sender_id = (number % 2 == 0).then(|| UserId::new("3,ada,").unwrap());
        repository.append(&scope(), thread_id(), Append::new([message])).await.unwrap();
        for query in [MessageQuery::first(10), MessageQuery::newest(10), MessageQuery::newest(1)] {
            let mut page = repository.list_messages(&scope(), thread_id(), &query).await.unwrap().items;
            assert!(page.len() == query.limit || page.len() == usize::try_from(number).unwrap());
            page.sort_by_key(|message| message.position);
            for (message, text) in
                page.iter().rev().zip(texts[..usize::try_from(number).unwrap()].iter().rev())
            {
                assert_eq!(message.content.as_text(), Some(*text));
                let one = repository.get_message(&scope(), thread_id(), message.id).await.unwrap();
                assert_eq!(*message, one);
            }
        }
    }
}

#[tokio::test]
async fn a_corrupt_thread_is_named_and_can_be_passed_and_deleted() {
    let folder = folder();
    let repository = SeaOrmRepository::sqlite(config(&folder)).await.unwrap();
    three_messages(&repository).await;
    let mut older = new_thread();
    (older.id, older.created_at) = (Uuid::from_u128(1).into(), at(-5));
    repository.create_thread(&scope(), older.clone()).await.unwrap();
    execute(&raw(&folder).await, "UPDATE chat_thread SET metadata = '[]' WHERE next_position > 1").await;
    let id = thread_id().to_string();
    let query = ThreadQuery::default();
    let listed = repository.list_threads(&scope(), &query).await.unwrap_err();
    let read = repository.get_thread(&scope(), thread_id()).await.unwrap_err();
    for error in [&listed, &read] {
        assert!(
            matches!(error, StoreError::CorruptRow { entity: Entity::Thread, id: found, .. } if *found == id),
            "{error:?}"
        );
    }
    let StoreError::CorruptRow { behind: Some(behind), .. } = listed else { panic!("{listed:?}") };
    let rest = repository.list_threads(&scope(), &query.behind(behind)).await.unwrap();
    assert_eq!(rest.items.iter().map(|thread| thread.id).collect::<Vec<_>>(), [older.id]);
    assert_eq!(repository.clear_messages(&scope(), thread_id(), at(9)).await.unwrap(), 3);
    assert_eq!(repository.delete_thread(&scope(), thread_id()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_row_that_would_be_read_as_another_value_is_corrupt() {
    let folder = folder();
    let repository = SeaOrmRepository::sqlite(config(&folder)).await.unwrap();
    let migrations = SeaOrmMigrations::sqlite(config(&folder)).await.unwrap();
    rows::lossy_rows_are_corrupt(&repository, &migrations, &raw(&folder).await).await;
}

#[tokio::test]
async fn a_path_is_the_name_of_a_file_except_memory() {
    let memory = SeaOrmRepository::sqlite(SqliteConfig::file(":memory:").pool_size(3)).await.unwrap();
    three_messages(&memory).await;
    assert_eq!(memory.last_messages(&scope(), thread_id(), 10).await.unwrap().len(), 3);
    let config = SqliteConfig::file("file:memory-chat.db?mode=memory");
    assert!(format!("{config:?}").contains("./file:memory-chat.db?mode=memory"), "{config:?}");
}

#[tokio::test]
async fn a_callers_own_connection_is_not_closed() {
    let connection = Database::connect("sqlite::memory:").await.unwrap();
    let repository = SeaOrmRepository::from_connection(connection.clone(), true).await.unwrap();
    three_messages(&repository).await;
    repository.close().await.unwrap();
    connection.ping().await.unwrap();
}

#[tokio::test]
async fn sixteen_repositories_on_one_file_never_see_a_lock() {
    let folder = folder();
    create_thread(&SeaOrmRepository::sqlite(config(&folder)).await.unwrap()).await.unwrap();
    let writers = (0..16_u128).map(|writer| {
        let config = config(&folder);
        tokio::spawn(async move {
            let repository = SeaOrmRepository::sqlite(config).await?;
            for number in 0..10 {
                let append = Append::new([message(1_000 * (writer + 1) + number, "x")]);
                repository.append(&scope(), thread_id(), append).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap().unwrap();
    }
    let repository = SeaOrmRepository::sqlite(config(&folder)).await.unwrap();
    assert_eq!(repository.get_thread(&scope(), thread_id()).await.unwrap().head, Position::new(160).unwrap());
}

#[tokio::test]
async fn the_schema_goes_up_and_down_and_an_old_one_is_not_used() {
    let folder = folder();
    let migrations = SeaOrmMigrations::sqlite(config(&folder)).await.unwrap();
    assert!(migrations.status().await.unwrap().iter().all(|migration| !migration.applied));
    assert_eq!(migrations.count_messages().await.unwrap(), 0);

    let error = SeaOrmRepository::sqlite(config(&folder).auto_migrate(false)).await.unwrap_err();
    assert!(matches!(error, StoreError::NotMigrated { store: "SQLite", .. }), "{error:?}");
    assert!(error.to_string().contains("chatkeep-migration up"), "{error}");

    let all: Vec<_> =
        migrations.status().await.unwrap().into_iter().map(|migration| migration.name).collect();
    assert_eq!(migrations.up(None).await.unwrap(), all);
    assert_eq!(migrations.up(None).await.unwrap(), Vec::<String>::new());
    three_messages(&SeaOrmRepository::sqlite(config(&folder).auto_migrate(false)).await.unwrap()).await;
    assert_eq!(migrations.count_messages().await.unwrap(), 3);
    migrations.fresh().await.unwrap();
    assert_eq!(migrations.count_messages().await.unwrap(), 0);
    let steps = u32::try_from(all.len()).unwrap();
    assert_eq!(migrations.down(steps).await.unwrap(), all);
    assert!(migrations.status().await.unwrap().iter().all(|migration| !migration.applied));
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = folder();
    SeaOrmRepository::sqlite(config(&folder)).await.unwrap();
    execute(&raw(&folder).await, "INSERT INTO chatkeep_migration VALUES ('m2999_from_the_future', 0)").await;
    let error = SeaOrmRepository::sqlite(config(&folder)).await.unwrap_err();
    assert!(common::everything_shown(&error).contains("m2999_from_the_future"), "{error:?}");
}

#[tokio::test]
async fn many_that_start_together_on_an_empty_file_all_succeed() {
    let folder = folder();
    let starts: Vec<_> = (0..8).map(|_| tokio::spawn(SeaOrmRepository::sqlite(config(&folder)))).collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_cancelled_append_leaves_the_writer_free() {
    let repository = SeaOrmRepository::sqlite(SqliteConfig::in_memory()).await.unwrap();
    create_thread(&repository).await.unwrap();
    let scope = scope();
    for number in 0..50 {
        let append = Append::new([message(number + 1, "x")]);
        let call = repository.append(&scope, thread_id(), append);
        let _ = tokio::time::timeout(Duration::from_micros(u64::try_from(number).unwrap() * 20), call).await;
    }
    repository.append(&scope, thread_id(), Append::new([message(1_000, "last")])).await.unwrap();
    let messages = repository.last_messages(&scope, thread_id(), 100).await.unwrap();
    assert!(messages.windows(2).all(|pair| pair[0].position < pair[1].position));
    assert_eq!(messages.last().unwrap().id, message_id(1_000));
    assert!(repository.get_thread(&scope, thread_id()).await.unwrap().updated_at >= at(0));
}
