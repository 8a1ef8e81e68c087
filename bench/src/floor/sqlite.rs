//! SQLite by hand: `rusqlite`, one connection behind a mutex, one transaction an append.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::Floor;
use crate::corpus::{OWNER, WORD, org};
use crate::data::{Content, ORG, TEXT, USERS, content, new_id, now, thread, user};
use crate::measure::On;

/// The writes of an append, as ours does them.
const ALLOT: &str = "
    UPDATE chat_thread SET next_position = next_position + ?1, updated_at = MAX(updated_at, ?2)
    WHERE org_id = ?3 AND id = ?4 AND user_id = ?5 RETURNING next_position - ?1";

const INSERT: &str = "
    INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_id, sender_role, content, created_at,
                              updated_at, search_version)
    VALUES (?1, ?2, ?3, ?4, NULL, 'user', ?5, ?6, ?6, 1)";

const INDEX: &str =
    "INSERT INTO chat_message_search (rowid, scope, words) VALUES (last_insert_rowid(), ?1, ?2)";

const NEWEST: &str = "
    SELECT id, chat_thread_id, position, sender_id, sender_role, content, created_at, updated_at
    FROM chat_message WHERE org_id = ?1 AND chat_thread_id = ?2 ORDER BY position DESC LIMIT ?3";

const READ_ALL: &str = "
    SELECT id, chat_thread_id, position, sender_id, sender_role, content, created_at, updated_at
    FROM chat_message WHERE org_id = ?1 AND chat_thread_id = ?2 ORDER BY position";

const LIST: &str = "
    SELECT org_id, id, user_id, name, metadata, next_position, created_at, updated_at
    FROM chat_thread WHERE org_id = ?1 AND user_id = ?2 ORDER BY updated_at DESC, id DESC LIMIT ?3";

const SEARCH: &str = "
    SELECT m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
           m.org_id, t.name
    FROM (SELECT m.* FROM chat_message_search CROSS JOIN chat_message m ON m.row_id = chat_message_search.rowid
          WHERE chat_message_search MATCH ?1 AND m.org_id = ?2
            AND EXISTS (SELECT 1 FROM chat_thread o
                        WHERE o.org_id = m.org_id AND o.id = m.chat_thread_id AND o.user_id = ?4)
          ORDER BY m.created_at DESC, m.chat_thread_id DESC, m.position DESC LIMIT ?3) m
    JOIN chat_thread t ON t.org_id = m.org_id AND t.id = m.chat_thread_id
    ORDER BY m.created_at DESC, m.chat_thread_id DESC, m.position DESC";

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

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
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
    format!("o{} {} ", hex(org), owner(org, user))
}

fn owner(org: &str, user: &str) -> String {
    format!("u{}u{}", hex(org), hex(user))
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl Floor for SqliteFloor {
    const ON: On = On::Threads;

    async fn append(&self, _: usize, number: usize) -> Result<()> {
        self.append_batch(number, 1).await
    }

    async fn append_batch(&self, number: usize, count: usize) -> Result<()> {
        let (thread, user, now) = (thread(number), number % USERS, now().timestamp_micros());
        let connection = self.connection();
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let first: i64 = connection
            .prepare_cached(ALLOT)?
            .query_row(params![count, now, ORG, thread.as_bytes(), self.users[user]], |row| row.get(0))?;
        let mut insert = connection.prepare_cached(INSERT)?;
        let mut index = connection.prepare_cached(INDEX)?;
        for position in (first..).take(count) {
            let (id, content) = (new_id(), content()?);
            insert.execute(params![ORG, thread.as_bytes(), position, id.as_bytes(), content, now])?;
            index.execute(params![self.scopes[user], self.words])?;
        }
        connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    async fn newest(&self, count: usize) -> Result<usize> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(NEWEST)?;
        let mut rows = statement.query(params![ORG, thread(0).as_bytes(), count])?;
        let mut messages = Vec::with_capacity(count);
        while let Some(row) = rows.next()? {
            messages.push(Message::read(row)?);
        }
        messages.reverse();
        Ok(messages.iter().map(|message| message.content.text.len()).sum())
    }

    async fn read_all(&self) -> Result<(usize, usize)> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(READ_ALL)?;
        let mut rows = statement.query(params![ORG, thread(0).as_bytes()])?;
        let (mut messages, mut bytes) = (0, 0);
        while let Some(row) = rows.next()? {
            messages += 1;
            bytes += Message::read(row)?.content.text.len();
        }
        Ok((messages, bytes))
    }

    async fn list(&self, count: usize) -> Result<usize> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(LIST)?;
        let mut rows = statement.query(params![ORG, self.users[0], count])?;
        let mut threads = Vec::with_capacity(count);
        while let Some(row) = rows.next()? {
            threads.push(Thread::read(row)?);
        }
        Ok(threads.len())
    }

    async fn search(&self, number: usize, count: usize) -> Result<usize> {
        let org = org(number);
        let question = format!("scope : \"{}\" AND words : \"{WORD}\"", owner(&org, OWNER));
        let connection = self.connection();
        let mut statement = connection.prepare_cached(SEARCH)?;
        let mut rows = statement.query(params![question, org, count, OWNER])?;
        let mut hits = Vec::with_capacity(count);
        while let Some(row) = rows.next()? {
            hits.push((Message::read(row)?, row.get::<_, String>(8)?, row.get::<_, String>(9)?));
        }
        Ok(hits.len())
    }
}

/// A message as a program would read it.
#[expect(dead_code, reason = "a program would use what it reads")]
struct Message {
    ids: (Uuid, Uuid, i64),
    sender: (Option<String>, String),
    content: Content<'static>,
    at: (i64, i64),
}

impl Message {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            ids: (uuid(row, 0)?, uuid(row, 1)?, row.get(2)?),
            sender: (row.get(3)?, row.get(4)?),
            content: serde_json::from_str(row.get_ref(5)?.as_str()?)?,
            at: (row.get(6)?, row.get(7)?),
        })
    }
}

fn uuid(row: &Row<'_>, column: usize) -> Result<Uuid> {
    Ok(Uuid::from_slice(row.get_ref(column)?.as_blob()?)?)
}

/// A thread as a program would read it.
#[expect(dead_code, reason = "a program would use what it reads")]
struct Thread {
    keys: (String, Uuid, String),
    name: String,
    metadata: serde_json::Value,
    next_position: i64,
    at: (i64, i64),
}

impl Thread {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            keys: (row.get(0)?, uuid(row, 1)?, row.get(2)?),
            name: row.get(3)?,
            metadata: serde_json::from_str(row.get_ref(4)?.as_str()?)?,
            next_position: row.get(5)?,
            at: (row.get(6)?, row.get(7)?),
        })
    }
}
