//! What a statement runs on.

use sea_orm::sqlx;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, RuntimeErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use tokio::sync::Mutex;

use crate::dialect::Dialect;
use crate::engine::Engine;
use crate::pool::{Lease, Pool};

/// The connections to a database: ours, or what a caller made with SeaORM.
#[derive(Clone)]
pub(crate) enum Connections {
    #[cfg(feature = "postgres")]
    Postgres(Pool<sea_orm::sqlx::Postgres>),
    #[cfg(feature = "sqlite")]
    Sqlite(Pool<sea_orm::sqlx::Sqlite>),
    SeaOrm(DatabaseConnection),
}

/// A transaction on one of them. Dropping it takes back what it did.
pub(crate) enum Transaction {
    #[cfg(feature = "postgres")]
    Postgres(Mutex<Lease<sea_orm::sqlx::Postgres>>),
    #[cfg(feature = "sqlite")]
    Sqlite(Mutex<Lease<sea_orm::sqlx::Sqlite>>),
    SeaOrm(DatabaseTransaction),
}

/// Any connection, or the one of a transaction.
#[derive(Clone, Copy)]
pub(crate) enum Connection<'a> {
    Any(&'a Connections),
    Of(&'a Transaction),
}

impl Connections {
    pub(crate) async fn begin(&self) -> Result<Transaction, DbErr> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => Ok(Transaction::Postgres(begin(pool).await?)),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => Ok(Transaction::Sqlite(begin(pool).await?)),
            Self::SeaOrm(connection) => Ok(Transaction::SeaOrm(begin_seaorm(connection).await?)),
        }
    }

    /// For what only SeaORM does, such as migrations. Where it is a connection of our own, the caller closes it.
    pub(crate) async fn to_seaorm(&self) -> Result<(DatabaseConnection, bool), DbErr> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => {
                // So that a role that may have one connection can migrate.
                pool.rest().await;
                let pool = single(pool).await?;
                Ok((sea_orm::SqlxPostgresConnector::from_sqlx_postgres_pool(pool), true))
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => {
                Ok((sea_orm::SqlxSqliteConnector::from_sqlx_sqlite_pool(single(pool).await?), true))
            }
            Self::SeaOrm(connection) => Ok((connection.clone(), false)),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => pool.close().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => pool.close().await,
            Self::SeaOrm(_) => {}
        }
    }
}

impl Transaction {
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(lease) => lease.into_inner().commit().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(lease) => lease.into_inner().commit().await,
            Self::SeaOrm(transaction) => transaction.commit().await,
        }
    }
}

impl Connection<'_> {
    pub(crate) async fn rows(self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Any(Connections::Postgres(pool)) => rows(pool, statement).await,
            #[cfg(feature = "sqlite")]
            Self::Any(Connections::Sqlite(pool)) => rows(pool, statement).await,
            Self::Any(Connections::SeaOrm(connection)) => {
                connection.query_all_raw(addressed(connection, statement)).await
            }
            #[cfg(feature = "postgres")]
            Self::Of(Transaction::Postgres(lease)) => lease.lock().await.rows(statement).await,
            #[cfg(feature = "sqlite")]
            Self::Of(Transaction::Sqlite(lease)) => lease.lock().await.rows(statement).await,
            Self::Of(Transaction::SeaOrm(transaction)) => {
                transaction.query_all_raw(addressed(transaction, statement)).await
            }
        }
    }

    pub(crate) async fn execute(self, statement: Statement) -> Result<u64, DbErr> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Any(Connections::Postgres(pool)) => execute(pool, statement).await,
            #[cfg(feature = "sqlite")]
            Self::Any(Connections::Sqlite(pool)) => execute(pool, statement).await,
            Self::Any(Connections::SeaOrm(connection)) => {
                Ok(connection.execute_raw(addressed(connection, statement)).await?.rows_affected())
            }
            #[cfg(feature = "postgres")]
            Self::Of(Transaction::Postgres(lease)) => lease.lock().await.execute(statement).await,
            #[cfg(feature = "sqlite")]
            Self::Of(Transaction::Sqlite(lease)) => lease.lock().await.execute(statement).await,
            Self::Of(Transaction::SeaOrm(transaction)) => {
                Ok(transaction.execute_raw(addressed(transaction, statement)).await?.rows_affected())
            }
        }
    }
}

/// SeaORM wants to be told which engine a statement is for.
fn addressed(connection: &impl ConnectionTrait, statement: Statement) -> Statement {
    Statement { db_backend: connection.get_database_backend(), ..statement }
}

async fn begin<E: Engine>(pool: &Pool<E>) -> Result<Mutex<Lease<E>>, DbErr> {
    let mut lease = pool.lease().await?;
    lease.begin().await?;
    Ok(Mutex::new(lease))
}

/// Begins a transaction of SeaORM's that will write.
pub(crate) async fn begin_seaorm(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let is_sqlite = Dialect::of(connection.get_database_backend()) == Some(Dialect::Sqlite);
    connection
        .begin_with_options(TransactionOptions {
            // So that no lock is raised half-way.
            sqlite_transaction_mode: is_sqlite.then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        })
        .await
}

async fn rows<E: Engine>(pool: &Pool<E>, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
    let mut lease = pool.lease().await?;
    if lease.is_named() {
        return lease.rows(statement).await;
    }
    lease.begin().await?;
    let rows = lease.rows(statement).await?;
    lease.commit().await?;
    Ok(rows)
}

async fn execute<E: Engine>(pool: &Pool<E>, statement: Statement) -> Result<u64, DbErr> {
    let mut lease = pool.lease().await?;
    if lease.is_named() {
        return lease.execute(statement).await;
    }
    lease.begin().await?;
    let count = lease.execute(statement).await?;
    lease.commit().await?;
    Ok(count)
}

/// A pool of sqlx's with one connection.
async fn single<E: Engine>(pool: &Pool<E>) -> Result<sqlx::Pool<E>, DbErr> {
    let options = sqlx::pool::PoolOptions::new().max_connections(1).test_before_acquire(false);
    options
        .connect_with(pool.options().clone())
        .await
        .map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))
}
