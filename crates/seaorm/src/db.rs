//! The connections, and how an operation is run on them: within a deadline, again after a transient error.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use chatkeep_domain::StoreError;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{Mutex, MutexGuard};

use crate::connection::Connection;
#[cfg(feature = "postgres")]
use crate::connection::{PgTransaction, unnamed};
use crate::dialect::Dialect;
use crate::error::{DriverError, Failure};
use crate::sql::Sql;

/// The connections to one database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Db {
    pub(crate) dialect: Dialect,
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    deadline: Duration,
    /// A pool of the caller's is the caller's to close.
    is_ours: bool,
    /// PostgreSQL with the statement cache off: see [`Connection`].
    #[cfg(feature = "postgres")]
    unnamed: Option<sea_orm::sqlx::PgPool>,
    /// SQLite has one writer; those that wait for it wait here, in order, and hold no connection meanwhile.
    writing: Arc<Mutex<()>>,
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

enum Transaction {
    Named(DatabaseTransaction),
    #[cfg(feature = "postgres")]
    Unnamed(PgTransaction),
}

impl Db {
    pub(crate) fn new(
        dialect: Dialect,
        writer: DatabaseConnection,
        reader: DatabaseConnection,
        deadline: Duration,
    ) -> Self {
        Self {
            dialect,
            writer,
            reader,
            deadline,
            is_ours: true,
            #[cfg(feature = "postgres")]
            unnamed: None,
            writing: Arc::default(),
        }
    }

    /// Over a connection that the caller made.
    pub(crate) fn of_caller(dialect: Dialect, connection: DatabaseConnection, deadline: Duration) -> Self {
        Self { is_ours: false, ..Self::new(dialect, connection.clone(), connection, deadline) }
    }

    /// Sends statements without names.
    #[cfg(feature = "postgres")]
    pub(crate) fn without_names(mut self, pool: sea_orm::sqlx::PgPool) -> Self {
        self.unnamed = Some(pool);
        self
    }

    pub(crate) fn reader(&self) -> Connection<'_> {
        self.connection(&self.reader)
    }

    pub(crate) fn writer(&self) -> Connection<'_> {
        self.connection(&self.writer)
    }

    #[cfg_attr(not(feature = "postgres"), expect(clippy::unused_self, reason = "PostgreSQL asks for it"))]
    fn connection<'a>(&'a self, pool: &'a DatabaseConnection) -> Connection<'a> {
        #[cfg(feature = "postgres")]
        if let Some(pool) = &self.unnamed {
            return Connection::UnnamedPool(pool);
        }
        Connection::Pool(pool)
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
                Err(StoreError::Unavailable {
                    store: self.dialect.store(),
                    reason: "the connection broke while removing, and now there is nothing to remove",
                    source: Box::new(error),
                })
            }
            other => other,
        }
    }

    /// Begins a transaction that will write.
    pub(crate) async fn begin(&self) -> Result<WriteTransaction<'_>, DbErr> {
        #[cfg(feature = "postgres")]
        if let Some(pool) = &self.unnamed {
            let transaction = Transaction::Unnamed(pool.begin().await.map_err(unnamed::failed)?.into());
            return Ok(WriteTransaction { transaction, _turn: None });
        }
        self.begin_named().await
    }

    /// Begins a transaction of SeaORM's: `BEGIN IMMEDIATE` on SQLite, so that no lock is raised half-way.
    pub(crate) async fn begin_named(&self) -> Result<WriteTransaction<'_>, DbErr> {
        let turn = match self.dialect {
            Dialect::Postgres => None,
            Dialect::Sqlite => Some(self.writing.lock().await),
        };
        let options = TransactionOptions {
            sqlite_transaction_mode: (self.dialect == Dialect::Sqlite)
                .then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = Transaction::Named(self.writer.begin_with_options(options).await?);
        Ok(WriteTransaction { transaction, _turn: turn })
    }

    /// Runs one statement that writes and returns at most one row.
    pub(crate) async fn write_row(&self, sql: &Sql) -> Result<Option<QueryResult>, DbErr> {
        match self.dialect {
            Dialect::Postgres => sql.row(self.writer()).await,
            Dialect::Sqlite => {
                let transaction = self.begin().await?;
                let row = sql.row(transaction.connection()).await?;
                transaction.commit().await?;
                Ok(row)
            }
        }
    }

    /// On SQLite the last connection to go writes the log back into the file, and removes it.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        if !self.is_ours {
            return Ok(());
        }
        let store = self.dialect.store();
        let failed = |error| StoreError::Backend { store, source: Box::new(DriverError::from(error)) };
        self.reader.close_by_ref().await.map_err(failed)?;
        self.writer.close_by_ref().await.map_err(failed)
    }
}

impl WriteTransaction<'_> {
    pub(crate) fn connection(&self) -> Connection<'_> {
        match &self.transaction {
            Transaction::Named(transaction) => Connection::Transaction(transaction),
            #[cfg(feature = "postgres")]
            Transaction::Unnamed(transaction) => Connection::UnnamedTransaction(transaction),
        }
    }

    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        match self.transaction {
            Transaction::Named(transaction) => transaction.commit().await,
            #[cfg(feature = "postgres")]
            Transaction::Unnamed(transaction) => {
                transaction.into_inner().commit().await.map_err(unnamed::failed)
            }
        }
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
        Err(elapsed) => Err(StoreError::Unavailable {
            store: dialect.store(),
            reason: "the deadline passed",
            source: Box::new(elapsed),
        }),
    }
}
