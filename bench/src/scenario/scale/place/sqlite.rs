//! A SQLite file.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use async_trait::async_trait;
use rusqlite::params;
use tempfile::TempDir;
use tokio::task::block_in_place;

use super::{GROUP, Log, Place, Sizes};
use crate::data::{TEXT, new_id};
use crate::floor::sqlite::connect;
use crate::load::sqlite::{Indexed, file, folder, open};
use crate::scenario::scale::Store;
use crate::scenario::scale::figures::Times;
use crate::scenario::scale::plan::Thread;

/// What is still there of deleted threads.
const REMAINS: &str = "SELECT EXISTS (SELECT 1 FROM chat_thread WHERE org = 0)";

pub(in super::super) struct SqlitePlace {
    folder: TempDir,
}

impl SqlitePlace {
    pub(in super::super) fn new() -> Result<Self> {
        Ok(Self { folder: folder()? })
    }

    fn file(&self) -> PathBuf {
        file(&self.folder, "scale")
    }
}

#[async_trait]
impl Place for SqlitePlace {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn worst_append(&self) -> f64 {
        50.0
    }

    async fn open(&self, _: Option<u32>) -> Result<Store> {
        open(self.file()).await
    }

    async fn indexed(&self) -> Result<()> {
        Indexed::new(&self.file())?.wait().await
    }

    async fn loaded(&self) -> Result<()> {
        Ok(())
    }

    fn analyze(&self) -> Result<()> {
        Ok(connect(&self.file())?.execute_batch("ANALYZE")?)
    }

    fn forget_statistics(&self) -> Result<()> {
        let forget = "DROP TABLE sqlite_stat1; DROP TABLE IF EXISTS sqlite_stat4";
        Ok(connect(&self.file())?.execute_batch(forget)?)
    }

    /// The file and its log. They are not opened: that would cost the store its locks.
    fn sizes(&self) -> Result<Sizes> {
        let log = fs::metadata(self.file().with_extension("db-wal")).map_or(0, |log| log.len());
        Ok(Sizes {
            parts: vec![("file", fs::metadata(self.file())?.len()), ("log", log)],
            shares: Vec::new(),
        })
    }

    fn log(&self) -> Result<Option<Log>> {
        Ok(None)
    }

    /// Transactions into a table of a file of its own.
    fn disk(&self, name: &str, groups: usize) -> Result<Times> {
        let connection = connect(&file(&self.folder, name))?;
        connection.execute_batch("CREATE TABLE plain (id BLOB PRIMARY KEY, content TEXT NOT NULL)")?;
        let content = TEXT.repeat(4);
        let write = || {
            let start = Instant::now();
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            let mut insert = connection.prepare_cached("INSERT INTO plain (id, content) VALUES (?1, ?2)")?;
            for _ in 0..GROUP {
                insert.execute(params![new_id().as_bytes(), content])?;
            }
            connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(start.elapsed())
        };
        let times: Result<Vec<_>> = block_in_place(|| (0..groups).map(|_| write()).collect());
        Ok(Times::of(times?))
    }

    fn is_gone(&self, _: &Thread) -> Result<bool> {
        let remains: bool = connect(&self.file())?.query_row(REMAINS, [], |row| row.get(0))?;
        Ok(!remains)
    }
}
