//! What a statement runs on.

use sea_orm::sqlx;
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, RuntimeErr,
    SqlxPostgresConnector, Statement, TransactionTrait as _,
};
use tokio::sync::Mutex;

use crate::pool::{Lease, Pool};

/// The connections to a database: ours, or what a caller made with SeaORM.
#[derive(Clone)]
pub(crate) enum Connections {
    Ours(Pool),
    SeaOrm(DatabaseConnection),
}

/// A transaction on one of them. Dropping it takes back what it did.
pub(crate) enum Transaction {
    Ours(Mutex<Lease>),
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
            Self::Ours(pool) => {
                let mut lease = pool.lease().await?;
                lease.begin().await?;
                Ok(Transaction::Ours(Mutex::new(lease)))
            }
            Self::SeaOrm(connection) => Ok(Transaction::SeaOrm(connection.begin().await?)),
        }
    }

    /// For what only SeaORM does, such as migrations. Where it is a connection of our own, the caller closes it.
    pub(crate) async fn to_seaorm(&self) -> Result<(DatabaseConnection, bool), DbErr> {
        match self {
            Self::Ours(pool) => {
                // So that a role that may have one connection can migrate.
                pool.rest().await;
                Ok((SqlxPostgresConnector::from_sqlx_postgres_pool(single(pool).await?), true))
            }
            Self::SeaOrm(connection) => Ok((connection.clone(), false)),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Ours(pool) => pool.close().await,
            Self::SeaOrm(_) => {}
        }
    }
}

impl Transaction {
    pub(crate) fn connection(&self) -> Connection<'_> {
        Connection::Of(self)
    }

    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        match self {
            Self::Ours(lease) => lease.into_inner().commit().await,
            Self::SeaOrm(transaction) => transaction.commit().await,
        }
    }
}

impl Connection<'_> {
    pub(crate) async fn rows(self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Any(Connections::Ours(pool)) => rows(pool, statement).await,
            Self::Any(Connections::SeaOrm(connection)) => connection.query_all_raw(statement).await,
            Self::Of(Transaction::Ours(lease)) => lease.lock().await.rows(statement).await,
            Self::Of(Transaction::SeaOrm(transaction)) => transaction.query_all_raw(statement).await,
        }
    }

    pub(crate) async fn execute(self, statement: Statement) -> Result<u64, DbErr> {
        match self {
            Self::Any(Connections::Ours(pool)) => execute(pool, statement).await,
            Self::Any(Connections::SeaOrm(connection)) => {
                Ok(connection.execute_raw(statement).await?.rows_affected())
            }
            Self::Of(Transaction::Ours(lease)) => lease.lock().await.execute(statement).await,
            Self::Of(Transaction::SeaOrm(transaction)) => {
                Ok(transaction.execute_raw(statement).await?.rows_affected())
            }
        }
    }
}

async fn rows(pool: &Pool, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
    let mut lease = pool.lease().await?;
    if lease.is_named() {
        return lease.rows(statement).await;
    }
    lease.begin().await?;
    let rows = lease.rows(statement).await?;
    lease.commit().await?;
    Ok(rows)
}

async fn execute(pool: &Pool, statement: Statement) -> Result<u64, DbErr> {
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
async fn single(pool: &Pool) -> Result<sqlx::PgPool, DbErr> {
    let options = sqlx::pool::PoolOptions::new().max_connections(1).test_before_acquire(false);
    options
        .connect_with(pool.options().clone())
        .await
        .map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))
}
