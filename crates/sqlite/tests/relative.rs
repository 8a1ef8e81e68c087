//! A relative path, in a process that changes its current folder: the one test of its program.

mod common;

use std::{env, fs};

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{ConversationRepository as _, MessageQuery, MessageRepository as _, Migrations as _};
use chatkeep_sqlite::{SqliteConfig, SqliteMigrations, SqliteRepository};

use crate::common::{everything, found, message, say, scope, thread_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_relative_path_is_taken_from_the_folder_of_the_opening() {
    let (first, second) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    env::set_current_dir(first.path()).expect("the folder");
    let config = SqliteConfig::file("new/chat.db");
    let store = SqliteRepository::open(config.clone()).await.expect("a file");
    let migrations = SqliteMigrations::open(config.clone()).await.expect("the file");
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, [message("one", 1)]).await;
    // Not as a URI: that would be the file `x` of the folder.
    fs::write("x", "not to be written over").expect("a file");
    store.backup("file:x").await.expect("a backup");
    assert_eq!(fs::read("x").expect("the file"), b"not to be written over");

    env::set_current_dir(second.path()).expect("the folder");
    say(&store, thread, [message("two", 2)]).await;
    // More at a time than there are connections yet.
    let reads = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            assert_eq!(found(&store, &scope(), "two", SearchOrder::Newest).await, ["two"]);
            let page = store.list_messages(&scope(), thread, &MessageQuery::default()).await.expect("a page");
            assert_eq!(page.items.len(), 2);
        })
    });
    for read in reads.collect::<Vec<_>>() {
        read.await.expect("no panic");
    }
    store.check().await.expect("it is whole");
    store.backup("backup.db").await.expect("a backup");
    assert_eq!(migrations.count_messages().await.expect("a number"), 2);
    drop(migrations);
    store.close().await.expect("it is closed");
    let names =
        |folder| fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").file_name());
    assert_eq!(names(second.path()).collect::<Vec<_>>(), ["backup.db"]);

    let error = SqliteRepository::open(config.read_only()).await.expect_err("there is no such file here");
    let text = everything(&error);
    assert!(text.contains(&second.path().join("new/chat.db").display().to_string()), "{text}");
    let error = SqliteRepository::open(SqliteConfig::file("")).await.expect_err("no path");
    assert!(everything(&error).contains("the path cannot be used"), "{error:?}");
}
