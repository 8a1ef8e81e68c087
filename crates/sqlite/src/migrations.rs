//! The schema's versions, forward and back, and the index anew.

use std::sync::Arc;

use chatkeep_domain::{Codec, StoreError};
use rusqlite::Connection;

use crate::config::SqliteConfig;
use crate::error::Result;
use crate::maintenance::Maintenance;
use crate::reindex::{self, Reindex};
use crate::schema;

/// One version of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationState {
    /// Its name; names sort in the order in which they are applied.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// A database whose schema is to be looked at or changed. Each version is one transaction.
#[derive(Debug, Clone)]
pub struct Migrations {
    database: Maintenance,
    codec: Arc<dyn Codec>,
}

impl Migrations {
    /// Opens a database, whatever state its schema is in.
    ///
    /// # Errors
    /// As [`SqliteRepository::open`](crate::SqliteRepository::open), except for missing tables.
    pub async fn open(mut config: SqliteConfig) -> Result<Self, StoreError> {
        let errors = config.make_absolute()?;
        Ok(Self { database: Maintenance::open(&config, errors).await?, codec: config.codec })
    }

    /// Every version, in order, and whether it is applied. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Backend`] also when the database is of a newer version of chatkeep.
    pub async fn status(&self) -> Result<Vec<MigrationState>, StoreError> {
        let applied = self.applied().await?;
        let state =
            |(at, name): (usize, &str)| MigrationState { name: name.to_owned(), applied: at < applied };
        Ok(schema::NAMES.into_iter().enumerate().map(state).collect())
    }

    async fn applied(&self) -> Result<usize, StoreError> {
        let errors = self.database.errors.clone();
        self.database
            .run(move |connection| Ok(schema::NAMES.len() - schema::check(connection, &errors)?))
            .await
    }

    /// Applies the next `steps` missing versions, or all of them. Gives the names of those that were applied.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Backend`].
    pub async fn up(&self, steps: Option<u32>) -> Result<Vec<String>, StoreError> {
        let before = self.applied().await?;
        let steps = steps.map_or(usize::MAX, |steps| steps as usize);
        self.migrate(before, before.saturating_add(steps).min(schema::NAMES.len())).await
    }

    /// Takes back the last `steps` versions, WITH THE DATA that they hold. Gives their names.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Backend`].
    pub async fn down(&self, steps: u32) -> Result<Vec<String>, StoreError> {
        let before = self.applied().await?;
        self.migrate(before, before.saturating_sub(steps as usize)).await
    }

    /// Takes back every version WITH ALL DATA, and applies them again. Tables that are not chatkeep's stay.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Backend`].
    pub async fn fresh(&self) -> Result<(), StoreError> {
        self.down(u32::MAX).await?;
        self.up(None).await.map(drop)
    }

    async fn migrate(&self, before: usize, after: usize) -> Result<Vec<String>, StoreError> {
        self.database.run(move |connection| schema::migrate(connection, after)).await?;
        let changed = before.min(after)..before.max(after);
        let names = schema::NAMES.into_iter().enumerate().filter(|(at, _)| changed.contains(at));
        Ok(names.map(|(_, name)| name.to_owned()).collect())
    }

    /// How many messages the database holds: what [`down`](Self::down) and [`fresh`](Self::fresh) would lose.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Backend`].
    pub async fn count_messages(&self) -> Result<u64, StoreError> {
        if self.applied().await? == 0 {
            return Ok(0);
        }
        self.database
            .run(|connection| {
                count(connection, "SELECT COALESCE(SUM(message_count), 0) FROM chat_thread WHERE org <> 0")
            })
            .await
    }

    /// How many threads and messages [`reindex`](Self::reindex) looks at when it does all anew.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Backend`].
    pub async fn count_indexable(&self) -> Result<u64, StoreError> {
        self.database
            .run(|connection| {
                count(
                    connection,
                    "SELECT (SELECT COUNT(*) FROM chat_thread) + (SELECT COUNT(*) FROM chat_message)",
                )
            })
            .await
    }

    /// How many messages are not in the index: a store takes them in by itself. All threads and messages where another version's
    /// analyzer made their words.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Backend`].
    pub async fn count_unindexed(&self) -> Result<u64, StoreError> {
        if self.database.run(|connection| reindex::is_of_another_analyzer(connection)).await? {
            return self.count_indexable().await;
        }
        self.database
            .run(|connection| count(connection, "SELECT COUNT(*) FROM chat_message WHERE pending = 1"))
            .await
    }

    /// Fills the index of searches and filters: what is not in it, or everything anew. Call
    /// [`next_batch`](Reindex::next_batch) until there is nothing more. The store may be used meanwhile.
    pub fn reindex(&self, all: bool) -> Reindex<'_> {
        Reindex::new(&self.database, Arc::clone(&self.codec), all)
    }
}

fn count(connection: &Connection, sql: &str) -> Result<u64> {
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}
