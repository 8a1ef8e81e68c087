//! The schema's versions, forward and back, and the index anew.

use std::sync::Arc;

use async_trait::async_trait;
use chatkeep_domain::{Codec, MigrationState, Migrations, Reindex, StoreError};
use rusqlite::Connection;

use crate::config::SqliteConfig;
use crate::error::STORE;
use crate::maintenance::Maintenance;
use crate::reindex::{self, SqliteReindex};
use crate::schema;

const MESSAGES: &str = "SELECT COALESCE(SUM(message_count), 0) FROM chat_thread WHERE org <> 0";

const ROWS: &str = "SELECT (SELECT COUNT(*) FROM chat_thread) + (SELECT COUNT(*) FROM chat_message)";

const PENDING: &str = "SELECT COUNT(*) FROM chat_message WHERE pending = 1";

/// The tables of a database, to be looked at or changed. Each version is one transaction.
#[derive(Debug, Clone)]
pub struct SqliteMigrations {
    database: Maintenance,
    codec: Arc<dyn Codec>,
}

impl SqliteMigrations {
    /// Opens a database, whatever state its tables are in.
    ///
    /// # Errors
    /// As [`SqliteRepository::open`](crate::SqliteRepository::open), except for missing tables.
    pub async fn open(mut config: SqliteConfig) -> Result<Self, StoreError> {
        let errors = config.make_absolute()?;
        Ok(Self { database: Maintenance::open(&config, errors).await?, codec: config.codec })
    }

    async fn applied(&self) -> Result<usize, StoreError> {
        self.missing().await.map(|missing| schema::NAMES.len() - missing)
    }

    async fn missing(&self) -> Result<usize, StoreError> {
        let errors = self.database.errors.clone();
        self.database.run(move |connection| schema::check(connection, &errors)).await
    }

    /// Gives the names of the versions that were changed here, and not by another process meanwhile.
    async fn migrate(&self, before: usize, after: usize) -> Result<Vec<String>, StoreError> {
        let count = self.database.run(move |connection| schema::migrate(connection, after)).await?;
        let changed = if before < after { after - count..after } else { after..after + count };
        Ok(schema::NAMES[changed].iter().copied().map(str::to_owned).collect())
    }

    /// Counts rows of the tables, which must be there.
    async fn count(&self, sql: &'static str) -> Result<u64, StoreError> {
        match self.missing().await? {
            0 => self.database.run(|connection| Ok(connection.query_row(sql, [], |row| row.get(0))?)).await,
            missing => Err(StoreError::not_migrated(STORE, missing)),
        }
    }
}

#[async_trait]
impl Migrations for SqliteMigrations {
    async fn status(&self) -> Result<Vec<MigrationState>, StoreError> {
        let applied = self.applied().await?;
        let state = |(at, name): (usize, &str)| MigrationState::new(name, at < applied);
        Ok(schema::NAMES.into_iter().enumerate().map(state).collect())
    }

    async fn up(&self, steps: Option<u32>) -> Result<Vec<String>, StoreError> {
        let before = self.applied().await?;
        let steps = steps.map_or(usize::MAX, |steps| steps as usize);
        self.migrate(before, before.saturating_add(steps).min(schema::NAMES.len())).await
    }

    async fn down(&self, steps: u32) -> Result<Vec<String>, StoreError> {
        let before = self.applied().await?;
        self.migrate(before, before.saturating_sub(steps as usize)).await
    }

    async fn fresh(&self) -> Result<(), StoreError> {
        self.down(u32::MAX).await?;
        self.up(None).await.map(drop)
    }

    async fn count_messages(&self) -> Result<u64, StoreError> {
        match self.count(MESSAGES).await {
            Err(StoreError::NotMigrated { .. }) => Ok(0),
            counted => counted,
        }
    }

    async fn count_indexable(&self) -> Result<u64, StoreError> {
        self.count(ROWS).await
    }

    async fn count_unindexed(&self) -> Result<u64, StoreError> {
        let is_of_another = |connection: &mut Connection| reindex::is_of_another_analyzer(connection);
        let all = self.count_indexable().await?;
        if self.database.run(is_of_another).await? { Ok(all) } else { self.count(PENDING).await }
    }

    fn reindex(&self, all: bool) -> Box<dyn Reindex + '_> {
        Box::new(SqliteReindex::new(&self.database, Arc::clone(&self.codec), all))
    }
}
