//! Two files in one folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, ensure};
use chatkeep::{ConversationRepository, DatabaseConfig};
use rusqlite::{Connection, params};
use tempfile::TempDir;

use super::{SEED, fill_corpus, seed};
use crate::data::{ORG, Shape, thread, user};
use crate::floor::Pair;
use crate::floor::sqlite::{SqliteFloor, connect, scope, words};

/// `ours.db` and `floor.db`, copies of `loaded.db`. All go with it.
pub(crate) struct SqlitePair {
    shape: Shape,
    loaded: TempDir,
    /// Another folder for each pair: who has opened the last one may still have it open.
    folder: TempDir,
}

fn folder() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("chatkeep-bench-").tempdir()?)
}

fn file(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(name).with_extension("db")
}

async fn open(file: PathBuf) -> Result<Arc<dyn ConversationRepository>> {
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

/// Copies of what ours has stored. Closing the connection leaves all of it in the one file.
fn fill(file: &Path, shape: Shape) -> Result<()> {
    let mut connection = connect(file)?;
    ensure_alike(&mut connection)?;
    // What is not loaded whole is not used: there is nothing to recover.
    connection
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -500000")?;
    let transaction = connection.transaction()?;
    let threads = "
        INSERT INTO chat_thread (org_id, id, user_id, name, metadata, next_position, created_at, updated_at, folded_name,
                                 search_version)
        SELECT org_id, ?1, ?2, name, metadata, 1, created_at + ?3, updated_at + ?3, folded_name, search_version
        FROM chat_thread WHERE org_id = ?5 AND id = ?4";
    for number in 0..shape.threads() {
        transaction.prepare_cached(threads)?.execute(params![
            thread(number).as_bytes(),
            user(shape.owner(number)),
            1_000 * number,
            thread(SEED).as_bytes(),
            ORG
        ])?;
    }
    if let Shape::Messages(count) = shape {
        fill_thread(&transaction, count)?;
    }
    transaction.execute("DELETE FROM chat_thread WHERE id >= ?1", [thread(SEED).as_bytes()])?;
    transaction.commit()?;
    // Without ANALYZE, as a user's file is: with its statistics SQLite prepares a statement anew for each set of values.
    connection.execute_batch("PRAGMA journal_mode = WAL")?;
    Ok(())
}

fn fill_thread(connection: &Connection, count: usize) -> Result<()> {
    let message = "
        INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_id, sender_role, content, created_at,
                                  updated_at, search_version)
        SELECT org_id, ?1, ?2, ?3, sender_id, sender_role, content, created_at + ?4, updated_at + ?4, search_version
        FROM chat_message WHERE org_id = ?6 AND chat_thread_id = ?5";
    let index = "INSERT INTO chat_message_search (rowid, scope, words) VALUES (last_insert_rowid(), ?1, ?2)";
    let (scope, words) = (scope(ORG, &user(0)), words());
    for number in 1..=count {
        connection.prepare_cached(message)?.execute(params![
            thread(0).as_bytes(),
            number,
            thread(number).as_bytes(),
            1_000 * number,
            thread(SEED).as_bytes(),
            ORG
        ])?;
        connection.prepare_cached(index)?.execute(params![scope, words])?;
    }
    connection.execute("UPDATE chat_thread SET next_position = ?1 + 1", [count])?;
    Ok(())
}

/// The floor is to write the same into the index as ours: compared word by word, because the index keeps no text.
fn ensure_alike(connection: &mut Connection) -> Result<()> {
    let transaction = connection.transaction()?;
    let index = "INSERT INTO chat_message_search (rowid, scope, words) VALUES (?1, ?2, ?3)";
    transaction.execute(index, params![1_i64 << 40, scope(ORG, &user(0)), words()])?;
    transaction.execute_batch(
        "CREATE VIRTUAL TABLE temp.term USING fts5vocab(main, chat_message_search, instance)",
    )?;
    let mut terms = transaction.prepare(
        "SELECT (SELECT group_concat(term || ' ' || col || ' ' || offset, ',' ORDER BY col, offset)
                 FROM term WHERE doc = (SELECT row_id FROM chat_message)),
                (SELECT group_concat(term || ' ' || col || ' ' || offset, ',' ORDER BY col, offset)
                 FROM term WHERE doc = 1 << 40)",
    )?;
    let (ours, floor): (String, String) = terms.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
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
        if let Shape::Corpus(orgs) = shape {
            fill_corpus(&store, orgs).await?;
            store.close().await?;
        } else {
            seed(&store, 1).await?;
            store.close().await?;
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
}
