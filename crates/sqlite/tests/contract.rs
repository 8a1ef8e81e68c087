//! The whole contract: in memory, and on a file with two handles and rows that are damaged.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use chatkeep_contract::damage::{Damage, Row};
use chatkeep_contract::{Fixture, Repo, Suite};
use chatkeep_sqlite::{SqliteConfig, SqliteRepository};
use rusqlite::Connection;

/// Emptied at the start: a case cannot know when the last connection is closed, so files stay until the next run.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("contract");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
});

/// Damages rows over a connection of its own.
struct Raw(PathBuf);

#[async_trait]
impl Damage for Raw {
    async fn overwrite(&self, row: &Row, json: &str) {
        let thread = "(SELECT t.key FROM chat_thread t JOIN chat_org o ON o.key = t.org WHERE o.org_id = ?2 AND t.id = ?3)";
        let message = format!("(SELECT key FROM chat_message WHERE thread = {thread} AND id = ?4)");
        let (table, column, key, org, thread, id) = match row {
            Row::Thread(org, thread_id) => {
                ("chat_thread", "metadata", format!("key = {thread} AND ?4 = ?4"), org, thread_id, None)
            }
            Row::Message(org, thread_id, id) => {
                ("chat_message", "content", format!("key = {message}"), org, thread_id, Some(id))
            }
            Row::Revisions(org, thread_id, id) => {
                ("chat_message_revision", "content", format!("message = {message}"), org, thread_id, Some(id))
            }
            other => panic!("no such row: {other:?}"),
        };
        let id = id.map_or_else(Vec::new, |id| id.as_uuid().as_bytes().to_vec());
        let connection = Connection::open(&self.0).expect("the file");
        connection.busy_timeout(std::time::Duration::from_secs(10)).expect("a timeout");
        let written = connection.execute(
            &format!("UPDATE {table} SET {column} = ?1 WHERE {key}"),
            (json, org.as_str(), thread.as_uuid().as_bytes(), id),
        );
        assert!(written.expect("the row is written") > 0, "{row:?} is not there");
    }
}

async fn open(file: &Path) -> Repo {
    Arc::new(SqliteRepository::open(SqliteConfig::file(file)).await.expect("a file"))
}

async fn in_memory() -> Repo {
    Arc::new(SqliteRepository::open(SqliteConfig::in_memory()).await.expect("a database in memory"))
}

async fn file() -> Fixture {
    let file = tempfile::tempdir_in(&*FOLDER).expect("a folder").keep().join("chat.db");
    Fixture::new(open(&file).await).with_other(open(&file).await).with_damage(Raw(file))
}

fn main() -> ExitCode {
    chatkeep_contract::main([
        Suite::new("sqlite_in_memory", in_memory),
        Suite::new("sqlite_file", file).with_damage(),
    ])
}
