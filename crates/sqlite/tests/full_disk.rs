//! A disk that is full.

mod common;

use std::env;
use std::error::Error as _;
use std::path::Path;
use std::process::Command;

use chatkeep_domain::{
    Append, ConversationRepository as _, MessageQuery, MessageRepository as _, Outcome, StoreError, ThreadId,
};
use chatkeep_sqlite::SqliteRepository;

use crate::common::{everything, message, open, scope, thread_of};

/// Where the small file system is mounted: set for the process that fills it.
const MOUNTED: &str = "CHATKEEP_TEST_SMALL_DISK";

/// Mounts a file system of 3 MiB for a process of its own, without being root.
const IN_A_SMALL_FILE_SYSTEM: &str =
    r#"mount -t tmpfs -o size=3m tmpfs "$1" && exec "$2" --include-ignored --exact "$3""#;

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs `unshare` and user namespaces, as `cargo xtask test` on Linux has them"]
fn what_was_acknowledged_outlives_a_full_disk() {
    if let Some(folder) = env::var_os(MOUNTED) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        return runtime.block_on(fill(Path::new(&folder)));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = Command::new("unshare");
    child.args(["--map-root-user", "--mount", "sh", "-c", IN_A_SMALL_FILE_SYSTEM, "sh"]);
    child.arg(folder.path()).arg(env::current_exe().expect("this program"));
    child.arg("what_was_acknowledged_outlives_a_full_disk").env(MOUNTED, folder.path());
    let output = child.output().expect("`unshare` of util-linux");
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
}

async fn append(store: &SqliteRepository, thread: ThreadId, number: usize) -> Result<(), StoreError> {
    let text = format!("{number} {}", "x".repeat(20_000));
    store.append(&scope(), thread, Append::new([message(text, 1)])).await.map(drop)
}

async fn count(store: &SqliteRepository, thread: ThreadId) -> usize {
    store.list_messages(&scope(), thread, &MessageQuery::first(1_000)).await.expect("a page").items.len()
}

async fn fill(folder: &Path) {
    let (path, ballast) = (folder.join("chat.db"), folder.join("ballast"));
    std::fs::write(&ballast, vec![7; 1_000_000]).expect("there is room");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    let mut acknowledged = 0;
    let error = loop {
        match append(&store, thread, acknowledged).await {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 1_000, "the disk is never full");
    };
    assert!(acknowledged > 0);
    assert!(matches!(error, StoreError::Backend { .. }), "{error:?}");
    let source = error.source().expect("a source").to_string();
    assert!(source.contains("the disk is full") && source.contains("chat.db"), "{source}");
    assert_eq!(count(&store, thread).await, acknowledged, "reads go on");
    // Also those that share a commit, and appends that bring more than is left pending.
    let together: Vec<_> = (0..64)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { append(&store, thread, n).await })
        })
        .collect();
    let mut refused = 0;
    for append in together {
        match append.await.expect("no panic") {
            // The log may have room again, where it was written into the file meanwhile.
            Ok(()) => acknowledged += 1,
            Err(error) => {
                assert!(everything(&error).contains("the disk is full"), "{error:?}");
                assert_eq!(error.outcome(), Outcome::NotDone);
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "it is still full");
    assert_eq!(count(&store, thread).await, acknowledged, "nothing of those refused is stored");
    let error = store.backup(folder.join("copy.db")).await.expect_err("no room for a copy");
    let text = everything(&error);
    assert!(text.contains("the disk is full") && text.contains("copy.db"), "{text}");
    assert!(!folder.join("copy.db").exists(), "no part of a copy");

    std::fs::remove_file(ballast).expect("room again");
    append(&store, thread, acknowledged).await.expect("the store goes on");
    store.close().await.expect("it is closed");
    let store = open(&path).await;
    store.check().await.expect("the file is whole");
    assert_eq!(count(&store, thread).await, acknowledged + 1);
}
