//! Files that are not as a store expects them, or do not stay as they are.

mod common;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{
    Again, Append, ConversationRepository as _, MessageQuery, MessageRepository as _, Migrations as _,
    Outcome, StoreError, ThreadId,
};
use chatkeep_sqlite::{SqliteConfig, SqliteError, SqliteMigrations, SqliteRepository};
use rusqlite::Connection;

use crate::common::{everything, found, message, open, say, scope, thread_of};

/// The error of opening; it names the file.
async fn refused(config: SqliteConfig, path: &Path) -> String {
    let error = SqliteRepository::open(config).await.expect_err("it is not opened");
    assert!(matches!(error, StoreError::Backend { .. } | StoreError::NotMigrated { .. }), "{error:?}");
    let text = everything(&error);
    assert!(
        text.contains(&path.display().to_string()) || matches!(error, StoreError::NotMigrated { .. }),
        "{text}"
    );
    text
}

async fn append(store: &SqliteRepository, thread: ThreadId, text: &str) -> Result<(), StoreError> {
    store.append(&scope(), thread, Append::new([message(text, 1)])).await.map(drop)
}

async fn count(store: &SqliteRepository, thread: ThreadId) -> usize {
    store.list_messages(&scope(), thread, &MessageQuery::default()).await.expect("a page").items.len()
}

#[tokio::test]
async fn other_programs_files_are_refused_and_left_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("other.db");
    let raw = Connection::open(&path).expect("a file");
    raw.execute_batch("PRAGMA application_id = 7; CREATE TABLE chat_thread (x)").expect("a table");
    drop(raw);
    let before = fs::read(&path).expect("the file");
    assert!(refused(SqliteConfig::file(&path), &path).await.contains("another program's"));
    assert_eq!(fs::read(&path).expect("the file"), before);

    fs::write(&path, [7; 8_192]).expect("a file");
    assert!(refused(SqliteConfig::file(&path), &path).await.contains("no SQLite database"));
    assert_eq!(fs::read(&path).expect("the file"), [7; 8_192]);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    open(&path).await.close().await.expect("it is closed");
    Connection::open(&path).expect("the file").execute_batch("PRAGMA user_version = 99").expect("a version");
    assert!(refused(SqliteConfig::file(&path), &path).await.contains("newer version"));
}

#[tokio::test]
async fn missing_tables_are_made_only_when_that_is_allowed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let text = refused(SqliteConfig::file(&path).auto_migrate(false), &path).await;
    assert!(text.contains("lacks 1 migration"), "{text}");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    append(&store, thread, "one").await.expect("an append");
    SqliteRepository::open(SqliteConfig::file(&path).auto_migrate(false)).await.expect("it has its tables");
}

#[tokio::test]
async fn a_folder_is_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(refused(SqliteConfig::file(folder.path()), folder.path()).await.contains("cannot be opened"));
}

#[tokio::test]
async fn an_archive_is_read_and_searched_and_never_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    append(&store, thread, "indexed words").await.expect("an append");
    store.close().await.expect("it is closed");
    // Words that no writer has taken in.
    let raw = Connection::open(&path).expect("the file");
    raw.execute_batch("DELETE FROM chat_message_words; UPDATE chat_message SET pending = 1")
        .expect("as if killed");
    drop(raw);
    let before = fs::read(&path).expect("the file");
    let archive = SqliteRepository::open(SqliteConfig::file(&path).read_only()).await.expect("an archive");
    assert_eq!(count(&archive, thread).await, 1);
    assert_eq!(found(&archive, &scope(), "words", SearchOrder::Newest).await, ["indexed words"]);
    let error = append(&archive, thread, "two").await.expect_err("it is an archive");
    assert!(everything(&error).contains("to be read alone"), "{error:?}");
    archive.close().await.expect("it is closed");
    assert_eq!(fs::read(&path).expect("the file"), before);

    let absent = folder.path().join("absent.db");
    refused(SqliteConfig::file(&absent).read_only(), &absent).await;
    assert!(!absent.exists());
}

#[tokio::test]
async fn a_file_that_is_replaced_gets_no_more_appends() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, backup) = (folder.path().join("chat.db"), folder.path().join("backup.db"));
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    append(&store, thread, "one").await.expect("an append");
    let other = open(&backup).await;
    other.close().await.expect("it is closed");
    let restored = fs::read(&backup).expect("the backup");
    fs::rename(&backup, &path).expect("it is restored");
    let error = append(&store, thread, "lost").await.expect_err("the file is another one");
    assert!(everything(&error).contains("was replaced or removed"), "{error:?}");
    store.close().await.expect("it is closed");
    assert_eq!(fs::read(&path).expect("the backup"), restored, "closing leaves it alone");
}

#[cfg(unix)]
#[tokio::test]
async fn a_log_that_is_removed_ends_the_appends() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, link) = (folder.path().join("chat.db"), folder.path().join("link.db"));
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    let store = open(&link).await;
    let thread = thread_of(&store, "ada").await;
    append(&store, thread, "one").await.expect("an append");
    fs::remove_file(folder.path().join("chat.db-wal")).expect("the log is removed");
    let error = append(&store, thread, "lost").await.expect_err("the log is gone");
    assert!(everything(&error).contains("log was replaced or removed"), "{error:?}");
    let before = fs::read(&path).expect("the file");
    store.close().await.expect("it is closed");
    assert_eq!(fs::read(&path).expect("the file"), before, "closing leaves it alone");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_removed_stays_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    let migrations = SqliteMigrations::open(SqliteConfig::file(&path)).await.expect("a file");
    migrations.count_messages().await.expect("a number");
    fs::remove_file(&path).expect("the file is removed");
    let error = append(&store, thread, "lost").await.expect_err("the file is gone");
    assert!(everything(&error).contains("was replaced or removed"), "{error:?}");
    // Another one takes its place, with a log of its own.
    fs::remove_file(folder.path().join("chat.db-wal")).expect("the log is removed");
    fs::remove_file(folder.path().join("chat.db-shm")).expect("its index is removed");
    let next = open(&path).await;
    let thread = thread_of(&next, "ada").await;
    append(&next, thread, "kept").await.expect("an append");
    store.close().await.expect("it is closed");
    drop(store);
    drop(migrations);
    append(&next, thread, "kept too").await.expect("an append");
    next.close().await.expect("it is closed");
    assert_eq!(count(&open(&path).await, thread).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_another_process_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let impatient = SqliteConfig::file(&path).lock_timeout(Duration::from_millis(200));
    let impatient = SqliteRepository::open(impatient).await.expect("a file");
    let thread = thread_of(&store, "ada").await;
    let raw = Connection::open(&path).expect("the file");
    raw.execute_batch("BEGIN IMMEDIATE").expect("the lock");

    let start = Instant::now();
    let error = append(&impatient, thread, "one").await.expect_err("the lock is held");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let StoreError::Unavailable { outcome: Outcome::NotDone, again: Again::Soon, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(count(&impatient, thread).await, 0, "reads do not wait");
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { append(&store, thread, "two").await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    raw.execute_batch("COMMIT").expect("the lock is free");
    waiting.await.expect("no panic").expect("an append");
    assert_eq!(count(&store, thread).await, 1);
}

#[tokio::test]
async fn a_damaged_page_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, (0..500).map(|n| message(format!("message {n}"), n))).await;
    store.close().await.expect("it is closed");
    let mut bytes = fs::read(&path).expect("the file");
    let end = bytes.len();
    bytes[8_192..end].fill(0x5A);
    fs::write(&path, bytes).expect("the file is damaged");
    let opened = SqliteRepository::open(SqliteConfig::file(&path)).await;
    let error = match opened {
        Ok(store) => store
            .list_messages(&scope(), thread, &MessageQuery::default())
            .await
            .expect_err("the page is damaged"),
        Err(error) => error,
    };
    assert!(everything(&error).contains("the file is damaged"), "{error:?}");
    let StoreError::Backend { source, .. } = &error else { panic!("{error:?}") };
    let source = source.downcast_ref::<SqliteError>().expect("SQLite's error");
    assert_eq!(source.code().map(|code| code & 0xFF), Some(11), "SQLITE_CORRUPT");
}
