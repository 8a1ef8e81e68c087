//! Backups, checks, and the schema forward and back.

mod common;

use std::fs;

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{
    ConversationRepository as _, MessageEdit, MessageRepository as _, MessageSearch as _, Migrations as _,
    Scope, SearchQuery, StoreError, ThreadQuery, ThreadRepository as _,
};
use chatkeep_sqlite::{SqliteConfig, SqliteMigrations, SqliteRepository};
use rusqlite::Connection;

use crate::common::{at, found, message, number, open, org, say, scope, thread_of, until_none};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_whole_while_others_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder.path().join("chat.db")).await;
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, (0..2_000).map(|n| message(format!("message {n}"), n))).await;
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            for n in 0..200 {
                say(&store, thread, [message(format!("later {n}"), n)]).await;
            }
        }
    });
    let copy = folder.path().join("copy.db");
    store.backup(&copy).await.expect("a backup");
    writing.await.expect("no panic");

    let names: Vec<_> = fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("a file").file_name())
        .collect();
    assert!(
        !names.iter().any(|name| name.to_string_lossy().starts_with("copy.db-")),
        "one whole file: {names:?}"
    );
    let copied = open(&copy).await;
    copied.check().await.expect("it is whole");
    assert_eq!(found(&copied, &scope(), "1999", SearchOrder::Newest).await, ["message 1999"]);
    let head = copied.get_thread(&scope(), thread).await.expect("a thread").head.get();
    assert!((2_000..=2_200).contains(&head), "{head}");
    assert_eq!(number(&copy, "SELECT COUNT(*) FROM chat_message"), head, "all up to its moment");
    say(&copied, thread, [message("it goes on", 1)]).await;

    let error = store.backup(&copy).await.expect_err("there is a file");
    assert!(matches!(error, StoreError::Backend { .. }), "{error:?}");
    assert_eq!(
        copied.get_thread(&scope(), thread).await.expect("a thread").head.get(),
        head + 1,
        "which stays"
    );
}

#[tokio::test]
async fn damage_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, (0..2_000).map(|n| message(format!("message {n}"), n))).await;
    store.check().await.expect("it is whole");
    store.close().await.expect("it is closed");
    let mut bytes = fs::read(&path).expect("the file");
    let half = bytes.len() / 2;
    bytes[half..half + 40_000].fill(0x5A);
    fs::write(&path, bytes).expect("the file is damaged");
    let store = open(&path).await;
    let error = store.check().await.expect_err("it is damaged");
    assert!(
        std::error::Error::source(&error).expect("a source").to_string().contains("restore a backup"),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_schema_goes_forward_and_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let migrations = SqliteMigrations::open(SqliteConfig::file(&path)).await.expect("a file");
    let applied = async || {
        migrations
            .status()
            .await
            .expect("the versions")
            .iter()
            .map(|version| version.applied)
            .collect::<Vec<_>>()
    };
    assert_eq!((applied().await, migrations.count_messages().await.expect("a number")), (vec![false], 0));
    assert_eq!(migrations.up(None).await.expect("its tables"), ["m20261126_000001_create_conversations"]);
    assert!(migrations.up(None).await.expect("nothing to do").is_empty());
    let store = SqliteRepository::open(SqliteConfig::file(&path).auto_migrate(false)).await.expect("a file");
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, [message("one", 1), message("two", 2)]).await;
    assert_eq!(migrations.count_messages().await.expect("a number"), 2);
    store.close().await.expect("it is closed");
    migrations.fresh().await.expect("it is empty");
    assert_eq!((applied().await, migrations.count_messages().await.expect("a number")), (vec![true], 0));
    assert_eq!(migrations.down(1).await.expect("no tables").len(), 1);
    let tables = "SELECT COUNT(*) FROM sqlite_schema WHERE name LIKE 'chat%'";
    assert_eq!((applied().await, number(&path, tables)), (vec![false], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_open_together_make_the_tables_once() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/chat.db");
        let opened: Vec<_> =
            (0..8).map(|_| tokio::spawn(SqliteRepository::open(SqliteConfig::file(&path)))).collect();
        for store in opened {
            thread_of(&store.await.expect("no panic").expect("a file"), "ada").await;
        }
        assert_eq!(number(&path, "SELECT COUNT(*) FROM chat_thread"), 8);
    }
}

#[tokio::test]
async fn an_index_of_another_analyzer_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    let said = say(&store, thread, (0..450).map(|n| message(format!("stone {n}"), n))).await;
    store
        .edit_message(&scope(), thread, said[0].id, MessageEdit::new("a jewel", at(1)))
        .await
        .expect("an edit");
    until_none(&path, "SELECT COUNT(*) FROM chat_message WHERE pending = 1").await;
    let migrations = SqliteMigrations::open(SqliteConfig::file(&path)).await.expect("a file");
    assert_eq!(migrations.count_unindexed().await.expect("a number"), 0);
    let raw = Connection::open(&path).expect("the file");
    raw.execute_batch(
        "UPDATE chat_analyzer SET version = 0; UPDATE chat_thread SET folded_name = 'x'; DELETE FROM chat_message_words;
         UPDATE chat_message SET content = 'no JSON' WHERE position = 2",
    )
    .expect("as an earlier version left it");
    drop(raw);
    assert_eq!(migrations.count_unindexed().await.expect("a number"), 451);
    assert!(found(&store, &scope(), "jewel", SearchOrder::Newest).await.is_empty());
    let mut batches = migrations.reindex(false);
    let mut done = 0;
    loop {
        match batches.next_batch().await.expect("a batch") {
            0 => break,
            rows => done += rows,
        }
    }
    assert_eq!((done, batches.corrupt(), batches.corrupt_rows().len()), (451, 1, 1));
    assert_eq!(
        migrations.count_unindexed().await.expect("a number"),
        1,
        "the corrupt one may match anything"
    );
    assert_eq!(found(&store, &scope(), "jewel", SearchOrder::Oldest).await, ["a jewel"]);
    let page =
        store.search_messages(&scope(), &SearchQuery::new("stone").order(SearchOrder::Newest).limit(1)).await;
    assert_eq!(page.expect("a page").items[0].message.content.as_text(), Some("stone 449"));
    let named = ThreadQuery::default().name_contains("A THREAD");
    assert_eq!(store.list_threads(&Scope::org(org()), &named).await.expect("a page").items.len(), 1);
}
