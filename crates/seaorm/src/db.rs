//! The connections, and how an operation is run on them: within a deadline, again after a transient error.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use chatkeep_domain::{Again, Outcome, StoreError};
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, QueryResult};
use tokio::sync::{Mutex, MutexGuard};

use crate::connection::{Connection, Connections, Transaction, begin_seaorm};
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::sql::Sql;

/// The connections to one database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Db {
    pub(crate) dialect: Dialect,
    writer: Connections,
    reader: Connections,
    deadline: Duration,
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
    pub(crate) fn new(
        dialect: Dialect,
        writer: Connections,
        reader: Connections,
        deadline: Duration,
    ) -> Self {
        Self {
            dialect,
            writer,
            reader,
            deadline,
            #[cfg(feature = "postgres")]
            schema: None,
            writing: None,
        }
    }

    /// Over a connection that the caller made.
    pub(crate) fn of_caller(dialect: Dialect, connection: DatabaseConnection, deadline: Duration) -> Self {
        let connections = Connections::SeaOrm(connection);
        let db = Self::new(dialect, connections.clone(), connections, deadline);
        Self { writing: (dialect == Dialect::Sqlite).then(Arc::default), ..db }
    }

    pub(crate) fn reader(&self) -> Connection<'_> {
        Connection::Any(&self.reader)
    }

    pub(crate) fn writer(&self) -> Connection<'_> {
        Connection::Any(&self.writer)
    }

    /// Runs an operation that may be repeated without harm.
    pub(crate) async fn run<T, F, Fut>(&self, operation: F) -> Result<T, StoreError>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, Failure>>,
    {
        repeat(self.dialect, self.deadline, &AtomicBool::new(false), operation).await
    }

    /// Runs an operation that removes something. Where an attempt was lost and the next finds nothing, either that
    /// attempt had removed it or it never was there: the caller hears that the outcome is unknown.
    pub(crate) async fn run_removal<T, F, Fut>(&self, operation: F) -> Result<T, StoreError>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, Failure>>,
    {
        let lost = AtomicBool::new(false);
        match repeat(self.dialect, self.deadline, &lost, operation).await {
            Err(error) if error.is_not_found() && lost.load(Ordering::Relaxed) => {
                let reason = "the connection broke while removing, and now there is nothing to remove";
                let store = self.dialect.store();
                Err(StoreError::unavailable(store, Outcome::Unknown, Again::No, reason, error))
            }
            other => other,
        }
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

/// Repeats an operation after transient errors, until it succeeds or the deadline passes. Notes when the outcome of an
/// attempt is unknown.
pub(crate) async fn repeat<T, F, Fut>(
    dialect: Dialect,
    deadline: Duration,
    lost: &AtomicBool,
    operation: F,
) -> Result<T, StoreError>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, Failure>>,
{
    // A pool may hold as many dead connections as it has; each attempt uses one up, so the first come fast.
    let backoff = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(1))
        .with_max_delay(Duration::from_millis(250))
        .with_jitter()
        .without_max_times();
    let attempts =
        operation.retry(backoff).when(|failure| failure.is_retryable(dialect)).notify(|failure, delay| {
            lost.fetch_or(failure.is_unknown(dialect), Ordering::Relaxed);
            let reason = failure.reason(dialect);
            tracing::debug!(store = dialect.store(), reason, ?delay, "trying again");
        });
    match tokio::time::timeout(deadline, attempts).await {
        Ok(result) => result.map_err(|failure| failure.into_store_error(dialect)),
        Err(elapsed) => {
            let (store, reason) = (dialect.store(), "the deadline passed");
            Err(StoreError::unavailable(store, Outcome::Unknown, Again::Soon, reason, elapsed))
        }
    }
}
