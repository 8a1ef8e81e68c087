//! The connections, and how an operation is run on them.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use chatkeep_domain::StoreError;
use sea_orm::{DatabaseTransaction, DbErr, QueryResult, TransactionTrait as _};

use crate::connection::{Connection, Connections, Transaction};
use crate::error::{Effect, Failure};
use crate::sql::Sql;

/// The connections to one database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Db {
    connections: Connections,
    /// The schema that holds the tables, where one was named.
    pub(crate) schema: Option<Arc<str>>,
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db").finish_non_exhaustive()
    }
}

impl Db {
    pub(crate) fn new(connections: Connections) -> Self {
        Self { connections, schema: None }
    }

    /// Any connection.
    pub(crate) fn connection(&self) -> Connection<'_> {
        Connection::Any(&self.connections)
    }

    /// Runs an operation that only reads.
    pub(crate) async fn read<T>(
        &self,
        operation: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, StoreError> {
        operation.await.map_err(|failure| failure.into_store_error(Effect::Reads))
    }

    /// Runs an operation that may write.
    pub(crate) async fn write<T>(
        &self,
        operation: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, StoreError> {
        operation.await.map_err(|failure| failure.into_store_error(Effect::Writes))
    }

    /// Begins a transaction. Dropping it takes back what it did.
    pub(crate) async fn begin(&self) -> Result<Transaction, DbErr> {
        self.connections.begin().await
    }

    /// Does `change` in a transaction of SeaORM's, as its migrations need it, on a connection of its own.
    pub(crate) async fn change_schema<T>(
        &self,
        change: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, DbErr>,
    ) -> Result<T, DbErr> {
        let (connection, is_ours) = self.connections.to_seaorm().await?;
        let changed = async {
            let transaction = connection.begin().await?;
            let changed = change(&transaction).await?;
            transaction.commit().await?;
            Ok(changed)
        };
        let changed = changed.await;
        if is_ours {
            connection.close().await?;
        }
        changed
    }

    /// Runs one statement and returns its rows.
    pub(crate) async fn rows(&self, sql: &Sql) -> Result<Vec<QueryResult>, DbErr> {
        sql.rows(self.connection()).await
    }

    /// A pool of the caller's is the caller's to close.
    pub(crate) async fn close(&self) {
        self.connections.close().await;
    }
}
