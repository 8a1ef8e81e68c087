//! Locks, deadlocks and timeouts.

use std::time::Duration;

use chatkeep_domain::{Again, Append, MessageEdit, MessageRepository as _, Outcome, Position, StoreError};
use chatkeep_postgres::PostgresRepository;

use crate::common::{at, create_thread, message, message_id, scope, thread_id, three_messages};
use crate::postgres::database::{TestDatabase, raw};

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
    let watcher = TestDatabase { raw: raw(&database.url).await, url: String::new(), name: String::new() };
    until_somebody_waits(&watcher, &database).await;
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
async fn a_deletion_leaves_nothing_of_an_edit_that_it_waited_for() {
    let database = TestDatabase::new().await;
    let repository = database.open().await;
    three_messages(&repository).await;
    // As an edit does it.
    database.execute("BEGIN; SELECT * FROM chat_thread FOR NO KEY UPDATE").await;
    let deleting = tokio::spawn({
        let repository = repository.clone();
        async move { repository.delete_message(&scope(), thread_id(), message_id(1), at(9).into()).await }
    });
    let watcher = TestDatabase { raw: raw(&database.url).await, url: String::new(), name: String::new() };
    until_somebody_waits(&watcher, &database).await;
    database
        .execute(
            "INSERT INTO chat_message_revision (org_id, chat_thread_id, message_id, revision, content, written_at)
             SELECT org_id, chat_thread_id, id, revision, content, updated_at FROM chat_message WHERE position = 1;
             UPDATE chat_message SET revision = revision + 1 WHERE position = 1;
             COMMIT",
        )
        .await;
    deleting.await.unwrap().unwrap();
    assert_eq!(database.number("SELECT COUNT(*) FROM chat_message_revision").await, 0);
    assert_eq!(database.number("SELECT COUNT(*) FROM chat_message").await, 2);
}

async fn until_somebody_waits(watcher: &TestDatabase, database: &TestDatabase) {
    let waiting = format!(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = '{}'",
        database.name
    );
    while watcher.number(&waiting).await == 0 {
        tokio::task::yield_now().await;
    }
}
