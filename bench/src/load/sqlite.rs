//! Two files in one folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use chatkeep::{ConversationRepository, DatabaseConfig};
use rusqlite::{Connection, params};
use tempfile::TempDir;

use super::{SEED, fill_corpus, seed};
use crate::data::{Shape, thread, user};
use crate::floor::Pair;
use crate::floor::sqlite::{INDEX, SqliteFloor, connect, mark_of_user, marks, words};

/// `ours.db` and `floor.db`, copies of `loaded.db`. All go with it.
pub(crate) struct SqlitePair {
    shape: Shape,
    loaded: TempDir,
    /// Another folder for each pair: who has opened the last one may still have it open.
    folder: TempDir,
}

pub(crate) fn folder() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("chatkeep-bench-").tempdir()?)
}

pub(crate) fn file(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(name).with_extension("db")
}

pub(crate) async fn open(file: PathBuf) -> Result<Arc<dyn ConversationRepository>> {
    Ok(chatkeep::create_repository(&DatabaseConfig::sqlite(file)).await?)
}

impl SqlitePair {
    fn copy(&mut self) -> Result<()> {
        self.folder = folder()?;
        for name in ["ours", "floor"] {
            let copy = file(&self.folder, name);
            std::fs::copy(file(&self.loaded, "loaded"), &copy)?;
            if self.shape.is_written() {
                // Else the first commits would wait for the copy.
                File::open(copy)?.sync_all()?;
            }
        }
        Ok(())
    }
}

/// Waits until the index has all messages: ours takes them in behind the appends. On a connection of its own.
pub(crate) struct Indexed(Mutex<Connection>);

impl Indexed {
    pub(crate) fn new(file: &Path) -> Result<Self> {
        Ok(Self(Mutex::new(connect(file)?)))
    }

    pub(crate) async fn wait(&self) -> Result<()> {
        while self.is_pending()? {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    fn is_pending(&self) -> Result<bool> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pending =
            connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM chat_message WHERE pending = 1)")?;
        Ok(pending.query_row([], |row| row.get(0))?)
    }
}

/// Copies of what ours has stored. Closing the connection leaves all of it in the one file.
fn fill(file: &Path, shape: Shape) -> Result<()> {
    let mut connection = connect(file)?;
    ensure_alike(&mut connection)?;
    // What is not loaded whole is not used: there is nothing to recover.
    connection
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -500000")?;
    let transaction = connection.transaction()?;
    let threads = "
        INSERT INTO chat_thread (org, id, user_id, name, folded_name, metadata, head, created_at, updated_at)
        SELECT org, ?1, ?2, name, folded_name, metadata, 0, created_at + ?3, updated_at + ?3
        FROM chat_thread WHERE id = ?4";
    for number in 0..shape.threads() {
        transaction.prepare_cached(threads)?.execute(params![
            thread(number).as_bytes(),
            user(shape.owner(number)),
            1_000 * number,
            thread(SEED).as_bytes(),
        ])?;
    }
    if let Shape::Messages(count) = shape {
        fill_thread(&transaction, count)?;
    }
    forget_seed(&transaction)?;
    transaction.commit()?;
    // Without ANALYZE, as a user's file is.
    connection.execute_batch("PRAGMA journal_mode = WAL")?;
    Ok(())
}

fn fill_thread(connection: &Connection, count: usize) -> Result<()> {
    let message = "
        INSERT INTO chat_message (thread, org, chat_thread_id, position, id, sender_id, sender_role, content,
            created_at, updated_at)
        SELECT ?1, org, ?2, ?3, ?4, sender_id, sender_role, content, created_at + ?5, updated_at + ?5
        FROM temp.seed";
    let (key, org): (i64, i64) = connection.query_row(
        "SELECT key, org FROM chat_thread WHERE id = ?1",
        [thread(0).as_bytes()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (marks, words) = (marks(key, &mark_of_user(org, &user(0))), words(org));
    connection.execute_batch("CREATE TEMP TABLE seed AS SELECT * FROM chat_message")?;
    let mut message = connection.prepare(message)?;
    let mut index = connection.prepare(INDEX)?;
    for number in 1..=count {
        let id = thread(number);
        message.execute(params![key, thread(0).as_bytes(), number, id.as_bytes(), 1_000 * number])?;
        index.execute(params![marks, words])?;
    }
    connection.execute(
        "UPDATE chat_thread SET head = ?2, message_count = ?2 WHERE key = ?1",
        params![key, count],
    )?;
    Ok(())
}

/// Takes away the threads and the messages that are only there to be copied, and what the index has of them.
fn forget_seed(connection: &Connection) -> Result<()> {
    let seed = thread(SEED);
    for forget in [
        "DELETE FROM chat_message_words WHERE rowid IN
         (SELECT m.key FROM chat_thread t JOIN chat_message m ON m.thread = t.key WHERE t.id >= ?1)",
        "DELETE FROM chat_message WHERE thread IN (SELECT key FROM chat_thread WHERE id >= ?1)",
        "DELETE FROM chat_thread WHERE id >= ?1",
    ] {
        connection.execute(forget, [seed.as_bytes()])?;
    }
    Ok(())
}

/// The floor is to write the same into the index as ours: compared word by word, because the index keeps no text.
fn ensure_alike(connection: &mut Connection) -> Result<()> {
    let transaction = connection.transaction()?;
    let (key, thread, org): (i64, i64, i64) = transaction.query_row(
        "SELECT key, thread, org FROM chat_message WHERE pending IS NULL",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let by_hand = 1_i64 << 40;
    transaction.execute(
        "INSERT INTO chat_message_words (rowid, marks, words) VALUES (?1, ?2, ?3)",
        params![by_hand, marks(thread, &mark_of_user(org, &user(0))), words(org)],
    )?;
    transaction.execute_batch(
        "CREATE VIRTUAL TABLE temp.term USING fts5vocab(main, chat_message_words, instance)",
    )?;
    let mut terms = transaction.prepare(
        "SELECT group_concat(term || ' ' || col || ' ' || offset, ',' ORDER BY col, offset) FROM term WHERE doc = ?1",
    )?;
    let mut of = |key: i64| terms.query_row([key], |row| row.get::<_, String>(0));
    let (ours, floor) = (of(key)?, of(by_hand)?);
    ensure!(ours == floor, "the floor writes another index than ours:\n{ours}\n{floor}");
    Ok(())
}

impl Pair for SqlitePair {
    type Floor = SqliteFloor;

    type Server = ();

    const BACKEND: &'static str = "sqlite";

    async fn load((): &(), shape: Shape) -> Result<Self> {
        let mut pair = Self { shape, loaded: folder()?, folder: folder()? };
        let loaded = file(&pair.loaded, "loaded");
        let store = open(loaded.clone()).await?;
        match shape {
            Shape::Corpus(orgs) => fill_corpus(&store, orgs).await?,
            _ => seed(&store, 1).await?,
        }
        Indexed::new(&loaded)?.wait().await?;
        store.close().await?;
        if !matches!(shape, Shape::Corpus(_)) {
            fill(&loaded, shape)?;
        }
        if !shape.is_written() {
            pair.copy()?;
        }
        Ok(pair)
    }

    async fn renew(&mut self) -> Result<()> {
        if self.shape.is_written() { self.copy() } else { Ok(()) }
    }

    async fn ours(&self, _: Option<u32>) -> Result<Arc<dyn ConversationRepository>> {
        open(file(&self.folder, "ours")).await
    }

    async fn floor(&self, _: usize) -> Result<SqliteFloor> {
        SqliteFloor::open(&file(&self.folder, "floor"))
    }

    fn indexed(&self) -> Result<Option<Indexed>> {
        Indexed::new(&file(&self.folder, "ours")).map(Some)
    }
}
