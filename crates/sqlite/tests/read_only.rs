//! Archives in a folder that cannot be written.

mod common;

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use chatkeep_domain::search::SearchOrder;
use chatkeep_domain::{
    Append, ConversationRepository as _, MessageQuery, MessageRepository as _, StoreError, ThreadQuery,
    ThreadRepository as _,
};
use chatkeep_sqlite::{SqliteConfig, SqliteRepository};

use crate::common::{everything, found, message, open, say, scope, thread_of};

/// Where the folder is that cannot be written: set for the process that looks into it.
const MOUNTED: &str = "CHATKEEP_TEST_READ_ONLY";

/// Makes a folder one that nobody can write, not even root, for a process of its own.
const IN_A_READ_ONLY_FOLDER: &str = r#"mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" &&
    exec "$2" --include-ignored --exact "$3""#;

const TEST: &str = "archives_in_a_folder_that_cannot_be_written_are_read_and_searched";

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs `unshare` and user namespaces, as `cargo xtask test` on Linux has them"]
fn archives_in_a_folder_that_cannot_be_written_are_read_and_searched() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let Some(folder) = env::var_os(MOUNTED) {
        return runtime.block_on(look(Path::new(&folder)));
    }
    let folder = tempfile::tempdir().expect("a folder");
    runtime.block_on(make(folder.path()));
    let mut child = Command::new("unshare");
    child.args(["--map-root-user", "--mount", "sh", "-c", IN_A_READ_ONLY_FOLDER, "sh"]);
    child.arg(folder.path()).arg(env::current_exe().expect("this program")).arg(TEST);
    let output = child.env(MOUNTED, folder.path()).output().expect("`unshare` of util-linux");
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
}

/// A file that was closed, one with its log and index beside it, one with its log alone, and one that is empty.
async fn make(folder: &Path) {
    let closed = folder.join("closed.db");
    let store = open(&closed).await;
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, (0..100).map(|n| message(format!("stone {n}"), n))).await;
    store.backup(folder.join("backup.db")).await.expect("a backup");
    store.close().await.expect("it is closed");
    for left in ["closed.db-wal", "closed.db-shm"] {
        let _ = fs::remove_file(folder.join(left));
    }

    let store = open(&folder.join("used.db")).await;
    let thread = thread_of(&store, "ada").await;
    say(&store, thread, (0..100).map(|n| message(format!("stone {n}"), n))).await;
    for (from, to) in [
        ("used.db", "left.db"),
        ("used.db-wal", "left.db-wal"),
        ("used.db-shm", "left.db-shm"),
        ("used.db", "half.db"),
        ("used.db-wal", "half.db-wal"),
    ] {
        fs::copy(folder.join(from), folder.join(to)).expect("a copy");
    }
    fs::write(folder.join("empty.db"), "").expect("a file");
}

async fn look(folder: &Path) {
    fs::write(folder.join("x"), "").expect_err("the folder cannot be written");
    for name in ["closed.db", "backup.db", "left.db"] {
        let path = folder.join(name);
        let error =
            SqliteRepository::open(SqliteConfig::file(&path)).await.expect_err("it cannot be written");
        let text = everything(&error);
        assert!(text.contains(name) && text.contains("read_only"), "{text}");

        let config = SqliteConfig::file(&path).read_only();
        let store = SqliteRepository::open(config).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(found(&store, &scope(), "stone 99", SearchOrder::Newest).await, ["stone 99"], "{name}");
        let thread = store.list_threads(&scope(), &ThreadQuery::default()).await.expect("a page").items[0].id;
        let page = store.list_messages(&scope(), thread, &MessageQuery::first(1_000)).await.expect("a page");
        assert_eq!(page.items.len(), 100, "{name}");
        store.check().await.expect("it is whole");
        let error = store.append(&scope(), thread, Append::new([message("no", 1)])).await;
        assert!(everything(&error.expect_err("an archive")).contains("to be read alone"));
        store.close().await.expect("it is closed");
    }
    for (name, what) in [("half.db", "write-ahead log"), ("empty.db", "lacks 1 migration")] {
        let config = SqliteConfig::file(folder.join(name)).read_only();
        let error = SqliteRepository::open(config).await.expect_err("it cannot be read");
        assert!(matches!(error, StoreError::Backend { .. } | StoreError::NotMigrated { .. }), "{error:?}");
        let text = everything(&error);
        assert!(text.contains(what), "{name}: {text}");
    }
}
