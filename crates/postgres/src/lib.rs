#![doc = include_str!("../README.md")]

mod append;
mod config;
mod connect;
mod connection;
mod db;
mod error;
mod messages;
pub mod migration;
mod patience;
mod pool;
mod row;
mod search;
mod server;
mod sql;
mod tags;
mod threads;

use async_trait::async_trait;
use chatkeep_domain::{ConversationRepository, MessageSearch, Migrations as _, StoreError};
use sea_orm::DatabaseConnection;

pub use config::PostgresConfig;
pub use error::DriverError;
pub use migration::PostgresMigrations;
pub use server::{PostgresServer, SslMode};

use crate::db::Db;
use crate::error::STORE;

/// Conversations in PostgreSQL.
///
/// Each call is one attempt, each wait of which is bounded: for a connection by the acquire timeout, for the server by the
/// statement timeout. What repeats calls after transient errors, and bounds each as a whole, is `Retry` of the crate
/// `chatkeep-layers`: put its `layered` around the store.
///
/// Cheap to clone: clones share the connections. `Debug` never shows a connection string.
#[derive(Clone, Debug)]
pub struct PostgresRepository {
    db: Db,
    is_indexed: bool,
}

impl PostgresRepository {
    /// Opens a PostgreSQL database. No layer is around it yet: see the type.
    ///
    /// # Errors
    /// [`StoreError::NotMigrated`] when migrations are missing and `auto_migrate` is off;
    /// [`StoreError::Unavailable`] when the server does not take a connection in time; [`StoreError::Backend`]
    /// when it refuses, a wrong password included.
    pub async fn postgres(config: PostgresConfig) -> Result<Self, StoreError> {
        let auto_migrate = config.auto_migrate;
        Self::open(PostgresMigrations::postgres(config).await?, auto_migrate).await
    }

    /// Keeps conversations over a connection that the caller has made and configured.
    ///
    /// Statements go through SeaORM and the caller's pool, which costs more than the pool that
    /// [`postgres`](Self::postgres) opens: see the repository's `docs/performance.md`.
    ///
    /// # Errors
    /// [`StoreError::NotMigrated`] when migrations are missing and `auto_migrate` is off;
    /// [`StoreError::Unsupported`] for an engine other than PostgreSQL.
    pub async fn from_connection(
        connection: DatabaseConnection,
        auto_migrate: bool,
    ) -> Result<Self, StoreError> {
        Self::open(PostgresMigrations::from_connection(connection)?, auto_migrate).await
    }

    async fn open(migrations: PostgresMigrations, auto_migrate: bool) -> Result<Self, StoreError> {
        match migrations.check().await {
            Err(StoreError::NotMigrated { .. }) if auto_migrate => {
                migrations.up(None).await?;
                if migrations.has_unindexed().await? {
                    tracing::warn!(
                        "searches and filters do not find what was stored before: run `chatkeep-migration reindex`"
                    );
                }
            }
            other => other?,
        }
        Ok(Self { db: migrations.into_db(), is_indexed: true })
    }

    /// Keeps no index of words: writing is faster; the store declines to search, and filtering messages by metadata is
    /// [`Unsupported`](StoreError::Unsupported). What is written so is found after a
    /// [`reindex`](chatkeep_domain::Migrations::reindex) only. All processes on a database are to agree on it, which is why it is no
    /// setting of the application's configuration.
    #[must_use]
    pub fn without_search(self) -> Self {
        Self { is_indexed: false, ..self }
    }
}

#[async_trait]
impl ConversationRepository for PostgresRepository {
    fn search(&self) -> Option<&dyn MessageSearch> {
        self.is_indexed.then_some(self as _)
    }

    fn name(&self) -> &'static str {
        STORE
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.db.close().await;
        Ok(())
    }
}
