//! The store: what its calls run on.

use std::sync::Arc;

use async_trait::async_trait;
use chatkeep_domain::{
    BranchRepository, Codec, Content, ContentKey, ConversationRepository, MessageSearch, Migrations as _,
    StoreError,
};
use sea_orm::{DatabaseConnection, DbErr};

use crate::check;
use crate::config::PostgresConfig;
use crate::connection::Connections;
use crate::error::{Failure, STORE, is_missing_table, reads, writes};
use crate::migration::PostgresMigrations;
use crate::patience::patiently;
use crate::pool::ConnectionPool;
use crate::row::Opener;
use crate::target::Target;
use crate::upkeep::Upkeep;

/// Conversations in PostgreSQL.
///
/// Each call is one attempt, each wait of which is bounded: for a connection by the acquire timeout, for the server by the
/// statement timeout. What repeats calls after transient errors, and bounds each as a whole, is `Retry` of the crate
/// `chatkeep-layers`: put its `layered` around the store.
///
/// Cheap to clone: clones share the connections. `Debug` never shows a connection string.
#[derive(Clone, Debug)]
pub struct PostgresRepository<C = ConnectionPool> {
    pub(crate) connections: C,
    pub(crate) codec: Arc<dyn Codec>,
    pub(crate) is_indexed: bool,
    pub(crate) upkeep: Upkeep,
}

impl PostgresRepository {
    /// Opens a PostgreSQL database. A server that is starting, or has no connection free, is waited for as long as the
    /// acquire timeout says. No layer is around the store yet: see the type.
    ///
    /// # Errors
    /// [`StoreError::NotMigrated`] when migrations are missing and `auto_migrate` is off;
    /// [`StoreError::Unavailable`] when the server does not take a connection in time; [`StoreError::Backend`]
    /// when it refuses, a wrong password included, and where the database's encoding is not UTF8.
    pub async fn open(config: PostgresConfig) -> Result<Self, StoreError> {
        let auto_migrate = config.auto_migrate;
        Self::over(PostgresMigrations::open(config).await?, auto_migrate).await
    }
}

impl PostgresRepository<DatabaseConnection> {
    /// Keeps conversations over a connection that the caller has made and configured. The codec is what seals contents:
    /// `Arc::new(PlainCodec)` unless there is a reason.
    ///
    /// Statements go through the caller's pool, which costs more than the one that
    /// [`open`](PostgresRepository::open) makes: see the repository's `docs/performance.md`. Nor can it be rid of connections that a
    /// failover left with a server that takes no writes: such writes fail as `Unavailable`, again soon, until the caller's
    /// pool has closed those connections. See [`Connections`].
    ///
    /// # Errors
    /// [`StoreError::NotMigrated`] when migrations are missing and `auto_migrate` is off;
    /// [`StoreError::Unsupported`] for an engine other than PostgreSQL; [`StoreError::Backend`] where the database's encoding is
    /// not UTF8.
    pub async fn from_connection(
        connection: DatabaseConnection,
        auto_migrate: bool,
        codec: Arc<dyn Codec>,
    ) -> Result<Self, StoreError> {
        let migrations = PostgresMigrations::from_connection(connection.clone(), codec)?;
        patiently(|| reads(async { Ok(check::encoding(&connection).await?) })).await?;
        Self::over(migrations, auto_migrate).await
    }
}

impl<C: Connections> PostgresRepository<C> {
    async fn over(migrations: PostgresMigrations<C>, auto_migrate: bool) -> Result<Self, StoreError> {
        match migrations.check().await {
            Err(StoreError::NotMigrated { .. }) if auto_migrate => drop(migrations.up(None).await?),
            other => other?,
        }
        // From here on nothing may fail: what was migrated has to open.
        let (connections, codec) = migrations.into_parts();
        let upkeep = Upkeep::start(connections.clone());
        Ok(Self { connections, codec, is_indexed: true, upkeep })
    }

    /// Keeps no index of words: writing is faster; the store declines to search, and filtering messages by metadata is
    /// [`Unsupported`](StoreError::Unsupported). What is written so is found after a
    /// [`reindex`](chatkeep_domain::Migrations::reindex) only. All processes on a database are to agree on it, which is why it is no
    /// setting of the application's configuration.
    #[must_use]
    pub fn without_search(self) -> Self {
        Self { is_indexed: false, ..self }
    }

    /// What the store's statements run on. An application on SeaORM may run its own on it, with the entities of the feature
    /// `entities` beside its own.
    pub fn connections(&self) -> &C {
        &self.connections
    }

    /// Runs an operation that only reads.
    pub(crate) async fn reads<T>(
        &self,
        operation: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, StoreError> {
        reads(self.explained(operation)).await
    }

    /// Runs an operation that may write.
    pub(crate) async fn writes<T>(
        &self,
        operation: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, StoreError> {
        writes(self.explained(operation)).await
    }

    /// To a role that may not use the schema any more, the server says that there is no such table.
    async fn explained<T>(&self, operation: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        match operation.await {
            Err(Failure::Db(error)) if is_missing_table(&error) => {
                match check::usage(&self.connections).await {
                    Err(usage @ DbErr::Custom(_)) => Err(usage.into()),
                    // Also where it cannot be found out.
                    _ => Err(error.into()),
                }
            }
            other => other,
        }
    }

    pub(crate) fn opener<'a>(&'a self, target: &'a Target) -> Opener<'a> {
        Opener::new(&*self.codec, &target.org)
    }

    /// A content as it is kept.
    pub(crate) fn seal(&self, content: &Content, key: &ContentKey<'_>) -> Result<String, StoreError> {
        self.codec.seal(content, key).map_err(|error| StoreError::backend(STORE, error))
    }
}

#[async_trait]
impl<C: Connections> ConversationRepository for PostgresRepository<C> {
    fn search(&self) -> Option<&dyn MessageSearch> {
        self.is_indexed.then_some(self as _)
    }

    fn branches(&self) -> Option<&dyn BranchRepository> {
        Some(self)
    }

    fn name(&self) -> &'static str {
        STORE
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.connections.close().await;
        Ok(())
    }
}
