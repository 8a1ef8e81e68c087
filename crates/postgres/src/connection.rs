//! What statements run on: connections of our own, or those that a caller made with SeaORM.

use std::fmt::Debug;
use std::pin::Pin;

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult,
    SqlxPostgresConnector, Statement, StreamTrait, TransactionSession,
};
use tokio::sync::Mutex;

use crate::error::query_failed;
use crate::pool::{ConnectionPool, Lease, RowStream};

/// Connections to one database. Clones share them.
///
/// [`ConnectionPool`] is what the store opens by itself. SeaORM's own [`DatabaseConnection`] is the other one: see
/// [`PostgresRepository::from_connection`](crate::PostgresRepository::from_connection).
///
/// After a failover a connection may lead to a server that takes no writes any more (SQLSTATE 25006). A [`ConnectionPool`] closes
/// such connections, so that the next attempt gets a new one. The pool of a [`DatabaseConnection`] is its maker's, and
/// keeps them: bound their age by `ConnectOptions::max_lifetime`, or make a new one.
#[async_trait]
pub trait Connections: ConnectionTrait + StreamTrait + Clone + Debug + Send + Sync + 'static {
    /// A transaction on one of them. Dropping it takes back what it did.
    type Transaction: ConnectionTrait + TransactionSession + Send + Sync;

    /// Begins a transaction.
    ///
    /// # Errors
    /// As any statement.
    async fn begin(&self) -> Result<Self::Transaction, DbErr>;

    /// A connection for SeaORM's migrations, and whether it is to be closed after them.
    ///
    /// # Errors
    /// As any statement.
    async fn for_migrations(&self) -> Result<(DatabaseConnection, bool), DbErr>;

    /// Closes what is not the caller's.
    async fn close(&self);
}

#[async_trait]
impl Connections for DatabaseConnection {
    type Transaction = DatabaseTransaction;

    async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        sea_orm::TransactionTrait::begin(self).await
    }

    async fn for_migrations(&self) -> Result<(DatabaseConnection, bool), DbErr> {
        Ok((self.clone(), false))
    }

    async fn close(&self) {}
}

#[async_trait]
impl Connections for ConnectionPool {
    type Transaction = Transaction;

    async fn begin(&self) -> Result<Transaction, DbErr> {
        let mut lease = self.lease().await?;
        lease.begin().await.map_err(query_failed)?;
        Ok(Transaction(Mutex::new(lease)))
    }

    /// A pool of sqlx's with one connection. Those that rest are closed before, so that a role that may have one connection
    /// can migrate.
    async fn for_migrations(&self) -> Result<(DatabaseConnection, bool), DbErr> {
        self.rest().await;
        let pool = sea_orm::sqlx::pool::PoolOptions::new().max_connections(1).test_before_acquire(false);
        // It waits as this pool does for the server to notice that the others are closed.
        let pool = pool.acquire_timeout(self.acquire_timeout());
        let pool = pool.connect_with(self.options().clone()).await;
        let pool = pool.map_err(|error| DbErr::Conn(sea_orm::RuntimeErr::SqlxError(error.into())))?;
        Ok((SqlxPostgresConnector::from_sqlx_postgres_pool(pool), true))
    }

    async fn close(&self) {
        ConnectionPool::close(self).await;
    }
}

#[async_trait]
impl ConnectionTrait for ConnectionPool {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut lease = self.lease().await?;
        lease.alone(async |lease| lease.execute(statement).await).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut lease = self.lease().await?;
        lease.alone(async |lease| lease.execute_unprepared(sql).await).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut lease = self.lease().await?;
        lease.alone(async |lease| lease.rows(statement).await).await
    }
}

/// A stream that is dropped before its last row closes its connection.
impl StreamTrait for ConnectionPool {
    type Stream<'a> = RowStream;

    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    fn stream_raw<'a>(
        &'a self,
        statement: Statement,
    ) -> Pin<Box<dyn Future<Output = Result<RowStream, DbErr>> + Send + 'a>> {
        Box::pin(async move { Ok(self.lease().await?.into_rows(statement)) })
    }
}

/// A transaction on a connection of our own.
#[derive(Debug)]
pub struct Transaction(Mutex<Lease>);

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.0.lock().await.execute(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.0.lock().await.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.0.lock().await.rows(statement).await
    }
}

#[async_trait]
impl TransactionSession for Transaction {
    async fn commit(self) -> Result<(), DbErr> {
        self.0.into_inner().commit().await.map_err(query_failed)
    }

    async fn rollback(self) -> Result<(), DbErr> {
        self.0.into_inner().rollback().await.map_err(query_failed)
    }
}
