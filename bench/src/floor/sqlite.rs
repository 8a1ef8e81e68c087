//! SQLite by hand: `rusqlite`, one connection behind a mutex, one transaction an append.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use rusqlite::{Connection, params};

use super::Floor;
use crate::data::{ORG, TEXT, USERS, content, new_id, now, thread, user};
use crate::measure::On;

/// The writes of an append, as ours does them.
pub(crate) const ALLOT: &str = "
    UPDATE chat_thread SET next_position = next_position + ?1, updated_at = MAX(updated_at, ?2)
    WHERE org_id = ?3 AND id = ?4 AND user_id = ?5 RETURNING next_position - ?1";

pub(crate) const INSERT: &str = "
    INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_id, sender_role, content, created_at,
                              updated_at, search_version)
    VALUES (?1, ?2, ?3, ?4, NULL, 'user', ?5, ?6, ?6, 1)";

pub(crate) const INDEX: &str =
    "INSERT INTO chat_message_search (rowid, scope, words) VALUES (last_insert_rowid(), ?1, ?2)";

pub(crate) struct SqliteFloor {
    connection: Mutex<Connection>,
    users: Vec<String>,
    /// What the index holds beside the words, for each user: the floor writes the index, and does not make it.
    scopes: Vec<String>,
    words: String,
}

impl SqliteFloor {
    pub(crate) fn open(file: &Path) -> Result<Self> {
        let users: Vec<_> = (0..USERS).map(user).collect();
        let scopes = users.iter().map(|user| scope(ORG, user)).collect();
        Ok(Self { connection: Mutex::new(connect(file)?), users, scopes, words: words() })
    }
}

/// With the settings that ours has.
pub(crate) fn connect(file: &Path) -> Result<Connection> {
    let connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000",
    )?;
    Ok(connection)
}

/// The words of the one text, in order, as the index holds them.
pub(crate) fn words() -> String {
    format!("{} ", TEXT.to_lowercase())
}

/// What the index holds beside the words.
pub(crate) fn scope(org: &str, user: &str) -> String {
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("o{} u{}u{} ", hex(org), hex(org), hex(user))
}

impl Floor for SqliteFloor {
    const ON: On = On::Threads;

    async fn append(&self, _: usize, number: usize) -> Result<()> {
        let (thread, now, content) = (thread(number), now().timestamp_micros(), content()?);
        let (id, user) = (new_id(), number % USERS);
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let owner = &self.users[user];
        let position: i64 = connection
            .prepare_cached(ALLOT)?
            .query_row(params![1, now, ORG, thread.as_bytes(), owner], |row| row.get(0))?;
        connection.prepare_cached(INSERT)?.execute(params![
            ORG,
            thread.as_bytes(),
            position,
            id.as_bytes(),
            content,
            now
        ])?;
        connection.prepare_cached(INDEX)?.execute(params![self.scopes[user], self.words])?;
        connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}
