//! The connections, and how an operation is run on them.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use chatkeep_domain::StoreError;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, QueryResult};
use tokio::sync::{Mutex, MutexGuard};

use crate::connection::{Connection, Connections, Transaction, begin_seaorm};
use crate::dialect::Dialect;
use crate::error::{Effect, Failure};
use crate::sql::Sql;

/// The connections to one database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Db {
    pub(crate) dialect: Dialect,
    writer: Connections,
    reader: Connections,
    /// On PostgreSQL: the schema that holds the tables, where one was named.
    #[cfg(feature = "postgres")]
    pub(crate) schema: Option<Arc<str>>,
    /// On SQLite over a caller's connection: those that write wait here, in order, and hold no connection meanwhile.
    /// Elsewhere nothing has to: PostgreSQL takes many writers, and our own pool for SQLite's writer has one connection.
    writing: Option<Arc<Mutex<()>>>,
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

/// A transaction that may write. Dropping it takes back what it did.
pub(crate) struct WriteTransaction<'a> {
    transaction: Transaction,
    _turn: Option<MutexGuard<'a, ()>>,
}

impl Db {
    pub(crate) fn new(dialect: Dialect, writer: Connections, reader: Connections) -> Self {
        Self {
            dialect,
            writer,
            reader,
            #[cfg(feature = "postgres")]
            schema: None,
            writing: None,
        }
    }

    /// Over a connection that the caller made.
    pub(crate) fn of_caller(dialect: Dialect, connection: DatabaseConnection) -> Self {
        let connections = Connections::SeaOrm(connection);
        let db = Self::new(dialect, connections.clone(), connections);
        Self { writing: (dialect == Dialect::Sqlite).then(Arc::default), ..db }
    }

    pub(crate) fn reader(&self) -> Connection<'_> {
        Connection::Any(&self.reader)
    }

    pub(crate) fn writer(&self) -> Connection<'_> {
        Connection::Any(&self.writer)
    }

    /// Runs an operation that only reads.
    pub(crate) async fn read<T>(
        &self,
        operation: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, StoreError> {
        operation.await.map_err(|failure| failure.into_store_error(self.dialect, Effect::Reads))
    }

    /// Runs an operation that may write.
    pub(crate) async fn write<T>(
        &self,
        operation: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, StoreError> {
        operation.await.map_err(|failure| failure.into_store_error(self.dialect, Effect::Writes))
    }

    /// Begins a transaction that will write.
    pub(crate) async fn begin(&self) -> Result<WriteTransaction<'_>, DbErr> {
        let turn = self.turn().await;
        Ok(WriteTransaction { transaction: self.writer.begin().await?, _turn: turn })
    }

    /// Does `change` in a transaction of SeaORM's, as its migrations need it, on a connection of its own.
    pub(crate) async fn change_schema<T>(
        &self,
        change: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, DbErr>,
    ) -> Result<T, DbErr> {
        let _turn = self.turn().await;
        let (connection, is_ours) = self.writer.to_seaorm().await?;
        let changed = async {
            let transaction = begin_seaorm(&connection).await?;
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

    async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        match &self.writing {
            Some(writing) => Some(writing.lock().await),
            None => None,
        }
    }

    /// Runs one statement that writes and returns its rows.
    pub(crate) async fn write_rows(&self, sql: &Sql) -> Result<Vec<QueryResult>, DbErr> {
        let _turn = self.turn().await;
        sql.rows(self.writer()).await
    }

    /// Runs one statement that writes and returns at most one row.
    pub(crate) async fn write_row(&self, sql: &Sql) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.write_rows(sql).await?.into_iter().next())
    }

    /// On SQLite the last connection to go writes the log back into the file, and removes it. A pool of the caller's is
    /// the caller's to close.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        if matches!(self.writer, Connections::SeaOrm(_)) {
            return Ok(());
        }
        self.reader.close().await;
        self.writer.close().await;
        Ok(())
    }
}

impl WriteTransaction<'_> {
    pub(crate) fn connection(&self) -> Connection<'_> {
        Connection::Of(&self.transaction)
    }

    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        self.transaction.commit().await
    }
}
