//! Files that were made elsewhere, with settings of their own: each is used as any other, or refused.

mod common;

use std::fs;
use std::path::Path;

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{
    ConversationRepository as _, MessageQuery, MessageRepository as _, ThreadQuery, ThreadRepository as _,
};
use chatkeep_sqlite::{SqliteConfig, SqliteRepository};
use rusqlite::Connection;

use crate::common::{everything, found, message, number, open, say, scope, thread_of, until_none};

const PENDING: &str = "SELECT COUNT(*) FROM chat_message WHERE pending = 1";

fn make(path: &Path, settings: &str) {
    let raw = Connection::open(path).expect("a file");
    raw.execute_batch(settings).expect("the settings");
    raw.execute_batch("CREATE TABLE x (y); DROP TABLE x").expect("a header");
}

/// Everything that a store does with its file, a second opening included.
async fn use_it(path: &Path) {
    let store = open(path).await;
    let (thread, other) = (thread_of(&store, "ada").await, thread_of(&store, "ada").await);
    let text = |n| format!("größer 𝄞 {n} {}", "x".repeat(200));
    let said = say(&store, thread, (0..300).map(|n| message(text(n), n))).await;
    say(&store, other, [message("y".repeat(300_000), 1), message("gone soon", 2)]).await;
    until_none(path, PENDING).await;
    say(&store, thread, [message("pending", 400)]).await;
    store.close().await.expect("it is closed");

    let store = open(path).await;
    assert_eq!(found(&store, &scope(), "GRÖSSER 299", SearchOrder::Newest).await, [text(299)]);
    assert_eq!(found(&store, &scope(), "pending", SearchOrder::Newest).await, ["pending"]);
    let page = store.list_messages(&scope(), thread, &MessageQuery::first(1_000)).await.expect("a page");
    assert_eq!(page.items[0..300], said);
    let named = ThreadQuery::default().name_contains("THREAD");
    assert_eq!(store.list_threads(&scope(), &named).await.expect("a page").items.len(), 2);
    store.delete_thread(&scope(), other, None).await.expect("it is deleted");
    until_none(path, "SELECT COUNT(*) FROM chat_thread WHERE org = 0").await;
    assert!(found(&store, &scope(), "soon", SearchOrder::Newest).await.is_empty());
    store.check().await.expect("the file is whole");
    store.close().await.expect("it is closed");
}

#[tokio::test]
async fn files_with_other_settings_are_used_as_any_other() {
    for settings in [
        "PRAGMA page_size = 512",
        "PRAGMA page_size = 1024",
        "PRAGMA page_size = 8192",
        "PRAGMA page_size = 65536",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA journal_mode = TRUNCATE",
        "PRAGMA journal_mode = PERSIST",
        "PRAGMA journal_mode = WAL",
        "PRAGMA auto_vacuum = FULL",
        "PRAGMA auto_vacuum = INCREMENTAL",
        "PRAGMA locking_mode = EXCLUSIVE",
        "PRAGMA legacy_file_format = ON",
        "PRAGMA cache_size = 1; PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 0",
        "CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine')",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("chat.db");
        make(&path, settings);
        use_it(&path).await;
    }
}

/// As encryption and checksums need it: some bytes at the end of each page are not SQLite's.
#[tokio::test]
async fn reserved_bytes_stay_reserved() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    make(&path, "");
    let mut bytes = fs::read(&path).expect("the file");
    bytes.truncate(4_096);
    // One empty page, which ends 32 bytes earlier.
    (bytes[20], bytes[31], bytes[39]) = (32, 1, 0);
    bytes[36..40].fill(0);
    bytes[32..36].fill(0);
    bytes[105..107].copy_from_slice(&4_064_u16.to_be_bytes());
    fs::write(&path, bytes).expect("the file");
    use_it(&path).await;
    assert_eq!(fs::read(&path).expect("the file")[20], 32);
}

/// In UTF-16 SQLite turns some characters into others: an id would not be the one that was given.
#[tokio::test]
async fn files_that_cannot_hold_every_text_are_refused() {
    for encoding in ["UTF-16le", "UTF-16be"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("chat.db");
        make(&path, &format!("PRAGMA encoding = '{encoding}'"));
        let before = fs::read(&path).expect("the file");
        for config in [SqliteConfig::file(&path), SqliteConfig::file(&path).read_only()] {
            let error = SqliteRepository::open(config).await.expect_err("it is not opened");
            let text = everything(&error);
            assert!(text.contains("UTF-16") && text.contains("chat.db"), "{text}");
        }
        assert_eq!(fs::read(&path).expect("the file"), before);
    }
}

/// Its numbers are not versions of ours, whatever they are.
#[tokio::test]
async fn files_of_other_programs_are_refused_and_left_as_they_are() {
    for settings in [
        "PRAGMA application_id = 7",
        "PRAGMA application_id = -7; PRAGMA user_version = 1",
        "PRAGMA user_version = 1",
        "PRAGMA user_version = -1",
        "PRAGMA user_version = 99",
        "CREATE TABLE chat_thread (id)",
        "CREATE VIEW CHAT_MESSAGE AS SELECT 1",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("chat.db");
        make(&path, settings);
        let before = fs::read(&path).expect("the file");
        let error = SqliteRepository::open(SqliteConfig::file(&path)).await.expect_err("it is not opened");
        let text = everything(&error);
        assert!(text.contains("another program's") && text.contains("chat.db"), "{settings}: {text}");
        assert_eq!(fs::read(&path).expect("the file"), before, "{settings}");
        assert_eq!(number(&path, "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'chat_org'"), 0);
    }
}
