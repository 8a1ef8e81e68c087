//! The schema's versions, forward and back, and the index anew.

use async_trait::async_trait;
use chatkeep_domain::{MigrationState, Migrations, Reindex, StoreError};

use crate::error::Answer;
use crate::maintenance::SqliteMigrations;
use crate::reindex::{self, SqliteReindex};
use crate::schema;

const MESSAGES: &str = "SELECT COALESCE(SUM(message_count), 0) FROM chat_thread WHERE org <> 0";

const ROWS: &str = "SELECT (SELECT COUNT(*) FROM chat_thread) + (SELECT COUNT(*) FROM chat_message)";

const PENDING: &str = "SELECT COUNT(*) FROM chat_message WHERE pending = 1";

impl SqliteMigrations {
    async fn applied(&self) -> Answer<usize> {
        self.run(|connection, errors| schema::applied(connection, errors)).await
    }

    /// Gives the names of the versions that were changed here, and not by another process meanwhile.
    async fn migrate(&self, versions: usize) -> Answer<Vec<String>> {
        self.run(move |connection, errors| schema::migrate(connection, versions, errors)).await
    }

    /// Counts rows of the tables, which must be there.
    async fn count(&self, sql: &'static str) -> Answer<u64> {
        self.run(move |connection, errors| {
            schema::check_all(connection, errors)?;
            Ok(connection.query_row(sql, [], |row| row.get(0))?)
        })
        .await
    }
}

#[async_trait]
impl Migrations for SqliteMigrations {
    async fn status(&self) -> Answer<Vec<MigrationState>> {
        let applied = self.applied().await?;
        let state = |(at, name): (usize, &str)| MigrationState::new(name, at < applied);
        Ok(schema::NAMES.into_iter().enumerate().map(state).collect())
    }

    async fn up(&self, steps: Option<u32>) -> Answer<Vec<String>> {
        let steps = steps.map_or(usize::MAX, |steps| steps as usize);
        let versions = self.applied().await?.saturating_add(steps);
        self.migrate(versions.min(schema::NAMES.len())).await
    }

    async fn down(&self, steps: u32) -> Answer<Vec<String>> {
        self.migrate(self.applied().await?.saturating_sub(steps as usize)).await
    }

    async fn fresh(&self) -> Answer<()> {
        self.down(u32::MAX).await?;
        self.up(None).await.map(drop)
    }

    async fn count_messages(&self) -> Answer<u64> {
        match self.count(MESSAGES).await {
            Err(StoreError::NotMigrated { .. }) => Ok(0),
            counted => counted,
        }
    }

    async fn count_indexable(&self) -> Answer<u64> {
        self.count(ROWS).await
    }

    async fn count_unindexed(&self) -> Answer<u64> {
        let all = self.count_indexable().await?;
        let is_of_another = self.run(|connection, _| reindex::is_of_another_analyzer(connection)).await?;
        if is_of_another { Ok(all) } else { self.count(PENDING).await }
    }

    fn reindex(&self, all: bool) -> Box<dyn Reindex + '_> {
        Box::new(SqliteReindex::new(self, all))
    }
}
