//! SQLite by hand: `rusqlite`, one connection behind a mutex, one transaction an append.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::Floor;
use crate::corpus::{OWNER, WORD, org};
use crate::data::{Content, ORG, TEXT, USERS, content, new_id, now, thread, user};
use crate::measure::On;

/// Finds the thread and advances it; gives what the messages and the index need of it.
const ADVANCE: &str = "
    UPDATE chat_thread
    SET head = head + ?1, updated_at = MAX(updated_at, ?2), message_count = message_count + ?1, version = version + 1
    WHERE id = ?3 AND org = (SELECT key FROM chat_org WHERE org_id = ?4) AND user_id = ?5
    RETURNING key, org, head - ?1";

const INSERT: &str = "
    INSERT INTO chat_message (thread, org, chat_thread_id, position, id, sender_id, sender_role, content, created_at,
        updated_at, pending)
    VALUES (?1, ?2, ?3, ?4, ?5, NULL, 'user', ?6, ?7, ?7, NULL)";

pub(crate) const INDEX: &str =
    "INSERT INTO chat_message_words (rowid, marks, words) VALUES (last_insert_rowid(), ?1, ?2)";

/// From here on as ours reads.
const FIND: &str = "
    SELECT t.key, t.org, o.org_id, t.user_id, t.head, t.version
    FROM chat_thread t JOIN chat_org o ON o.key = t.org
    WHERE t.id = ?1 AND t.org <> 0 AND (?2 IS NULL OR o.org_id = ?2)
    LIMIT 2";

const FIND_ORG: &str = "SELECT key FROM chat_org WHERE org_id = ?1";

const NEWEST: &str = "
    SELECT m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
        m.external_id, m.revision
    FROM chat_message m WHERE m.branch = 0 AND m.thread = ?1 AND m.position > 0 ORDER BY m.position DESC LIMIT ?2";

const READ_ALL: &str = "
    SELECT m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
        m.external_id, m.revision
    FROM chat_message m WHERE m.branch = 0 AND m.thread = ?1 AND m.position > 0 ORDER BY m.position";

const LIST: &str = "
    SELECT t.id, t.user_id, t.name, t.metadata, t.head, t.created_at, t.updated_at, t.external_id, t.version
    FROM chat_thread t WHERE t.org <> 0 AND t.org = ?1 AND t.user_id = ?2
    ORDER BY t.updated_at DESC, t.id DESC LIMIT ?3";

/// What ours does of a rare word, in one statement.
const SEARCH: &str = "
    SELECT m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
           m.external_id, m.revision, t.name
    FROM chat_message_words CROSS JOIN chat_message m ON m.key = chat_message_words.rowid
    CROSS JOIN chat_thread t ON t.key = m.thread AND t.org = m.org
    WHERE m.pending IS NULL AND chat_message_words MATCH ?1 AND m.org = ?2 AND t.user_id = ?3
    ORDER BY m.created_at DESC, m.chat_thread_id DESC, m.position DESC LIMIT ?4";

pub(crate) struct SqliteFloor {
    connection: Mutex<Connection>,
    users: Vec<String>,
    /// What the index holds of each user and of the one text: the floor writes the index, and does not make it.
    marks: Vec<String>,
    words: String,
}

impl SqliteFloor {
    pub(crate) fn open(file: &Path) -> Result<Self> {
        let connection = connect(file)?;
        let users: Vec<_> = (0..USERS).map(user).collect();
        // Where there are other organizations, they are only searched.
        let org = connection.query_row(FIND_ORG, [ORG], |row| row.get(0)).optional()?.unwrap_or_default();
        let marks = users.iter().map(|user| mark_of_user(org, user)).collect();
        Ok(Self { connection: Mutex::new(connection), users, marks, words: words(org) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of the first thread.
    fn first(&self, connection: &Connection) -> Result<i64> {
        let mut statement = connection.prepare_cached(FIND)?;
        let mut rows = statement.query(params![thread(0).as_bytes(), ORG])?;
        let row = rows.next()?.context("no such thread")?;
        anyhow::ensure!(row.get_ref(3)?.as_str()? == self.users[0], "the thread is another user's");
        Ok(row.get(0)?)
    }
}

/// With the settings that ours has.
pub(crate) fn connect(file: &Path) -> Result<Connection> {
    let connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000",
    )?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// The words of the one text, in order, as the index holds them: each with the organization in front.
pub(crate) fn words(org: i64) -> String {
    TEXT.to_lowercase().split(' ').fold(String::new(), |mut words, word| {
        // Writing to a String cannot fail.
        let _ = write!(words, "{} ", word_of(org, word));
        words
    })
}

/// What the index holds beside the words, of a user's message in a thread.
pub(crate) fn marks(thread: i64, mark_of_user: &str) -> String {
    format!("t{thread:x} {mark_of_user}")
}

pub(crate) fn mark_of_user(org: i64, user: &str) -> String {
    format!("u{org:x}g{}", hex(user))
}

fn word_of(org: i64, word: &str) -> String {
    format!("{org:x}g{word}")
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
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
        let (id, user, now) = (thread(number), number % USERS, now().timestamp_micros());
        let connection = self.connection();
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let (thread, org, head): (i64, i64, i64) = connection
            .prepare_cached(ADVANCE)?
            .query_row(params![count, now, id.as_bytes(), ORG, self.users[user]], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let mut insert = connection.prepare_cached(INSERT)?;
        let mut index = connection.prepare_cached(INDEX)?;
        let marks = marks(thread, &self.marks[user]);
        for position in (head + 1..).take(count) {
            let (message, content) = (new_id(), content()?);
            insert.execute(params![
                thread,
                org,
                id.as_bytes(),
                position,
                message.as_bytes(),
                content,
                now
            ])?;
            index.execute(params![marks, self.words])?;
        }
        connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    async fn newest(&self, count: usize) -> Result<usize> {
        let connection = self.connection();
        let thread = self.first(&connection)?;
        let mut statement = connection.prepare_cached(NEWEST)?;
        let mut rows = statement.query(params![thread, count])?;
        let mut messages = Vec::with_capacity(count);
        while let Some(row) = rows.next()? {
            messages.push(Message::read(row)?);
        }
        messages.reverse();
        Ok(messages.iter().map(|message| message.content.text.len()).sum())
    }

    async fn read_all(&self) -> Result<(usize, usize)> {
        let connection = self.connection();
        let thread = self.first(&connection)?;
        let mut statement = connection.prepare_cached(READ_ALL)?;
        let mut rows = statement.query([thread])?;
        let (mut messages, mut bytes) = (0, 0);
        while let Some(row) = rows.next()? {
            messages += 1;
            bytes += Message::read(row)?.content.text.len();
        }
        Ok((messages, bytes))
    }

    async fn list(&self, count: usize) -> Result<usize> {
        let connection = self.connection();
        let org = key_of_org(&connection, ORG)?;
        let mut statement = connection.prepare_cached(LIST)?;
        let mut rows = statement.query(params![org, self.users[0], count])?;
        let mut threads = Vec::with_capacity(count);
        while let Some(row) = rows.next()? {
            threads.push(Thread::read(row)?);
        }
        Ok(threads.len())
    }

    async fn search(&self, number: usize, count: usize) -> Result<usize> {
        let connection = self.connection();
        let org = key_of_org(&connection, &org(number))?;
        let (mark, word) = (mark_of_user(org, OWNER), word_of(org, WORD));
        let question = format!("marks : \"{mark}\" AND words : \"{word}\"");
        let mut statement = connection.prepare_cached(SEARCH)?;
        let mut rows = statement.query(params![question, org, OWNER, count])?;
        let mut hits = Vec::with_capacity(count);
        while let Some(row) = rows.next()? {
            hits.push((Message::read(row)?, row.get::<_, String>(10)?));
        }
        Ok(hits.len())
    }
}

fn key_of_org(connection: &Connection, org: &str) -> Result<i64> {
    Ok(connection.prepare_cached(FIND_ORG)?.query_row([org], |row| row.get(0))?)
}

/// A message as a program would read it.
#[expect(dead_code, reason = "a program would use what it reads")]
struct Message {
    ids: (Uuid, Option<String>, Uuid, i64),
    sender: (Option<String>, String),
    content: Content<'static>,
    revision: u32,
    at: (i64, i64),
}

impl Message {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            ids: (uuid(row, 0)?, row.get(8)?, uuid(row, 1)?, row.get(2)?),
            sender: (row.get(3)?, row.get(4)?),
            content: serde_json::from_str(row.get_ref(5)?.as_str()?)?,
            revision: row.get(9)?,
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
    keys: (Uuid, Option<String>, String),
    name: String,
    metadata: serde_json::Value,
    head: i64,
    version: i64,
    at: (i64, i64),
}

impl Thread {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            keys: (uuid(row, 0)?, row.get(7)?, row.get(1)?),
            name: row.get(2)?,
            metadata: serde_json::from_str(row.get_ref(3)?.as_str()?)?,
            head: row.get(4)?,
            version: row.get(8)?,
            at: (row.get(5)?, row.get(6)?),
        })
    }
}
