//! What a statement runs on.

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, Statement};

#[cfg(feature = "postgres")]
pub(crate) type PgTransaction =
    tokio::sync::Mutex<sea_orm::sqlx::Transaction<'static, sea_orm::sqlx::Postgres>>;

/// A pool, or a transaction on one connection of it.
///
/// SeaORM names every statement that it prepares, which a pooler in transaction mode does not survive: the next
/// client of the server's connection finds the name taken. Where the statement cache is off, statements go to the
/// driver below SeaORM, without a name; and each in a transaction, because the driver prepares in one round trip and
/// runs in the next, and between the two the pooler may change the server's connection.
#[derive(Clone, Copy)]
pub(crate) enum Connection<'a> {
    Pool(&'a DatabaseConnection),
    Transaction(&'a DatabaseTransaction),
    #[cfg(feature = "postgres")]
    UnnamedPool(&'a sea_orm::sqlx::PgPool),
    #[cfg(feature = "postgres")]
    UnnamedTransaction(&'a PgTransaction),
}

impl Connection<'_> {
    pub(crate) async fn rows(self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Pool(pool) => pool.query_all_raw(statement).await,
            Self::Transaction(transaction) => transaction.query_all_raw(statement).await,
            #[cfg(feature = "postgres")]
            Self::UnnamedPool(pool) => {
                let mut transaction = pool.begin().await.map_err(unnamed::failed)?;
                let rows = unnamed::rows(statement, &mut *transaction).await?;
                transaction.commit().await.map_err(unnamed::failed)?;
                Ok(rows)
            }
            #[cfg(feature = "postgres")]
            Self::UnnamedTransaction(transaction) => {
                unnamed::rows(statement, &mut **transaction.lock().await).await
            }
        }
    }

    pub(crate) async fn execute(self, statement: Statement) -> Result<u64, DbErr> {
        match self {
            Self::Pool(pool) => Ok(pool.execute_raw(statement).await?.rows_affected()),
            Self::Transaction(transaction) => Ok(transaction.execute_raw(statement).await?.rows_affected()),
            #[cfg(feature = "postgres")]
            Self::UnnamedPool(pool) => {
                let mut transaction = pool.begin().await.map_err(unnamed::failed)?;
                let count = unnamed::execute(statement, &mut *transaction).await?;
                transaction.commit().await.map_err(unnamed::failed)?;
                Ok(count)
            }
            #[cfg(feature = "postgres")]
            Self::UnnamedTransaction(transaction) => {
                unnamed::execute(statement, &mut **transaction.lock().await).await
            }
        }
    }

    pub(crate) fn backend(self) -> sea_orm::DbBackend {
        match self {
            Self::Pool(pool) => pool.get_database_backend(),
            Self::Transaction(transaction) => transaction.get_database_backend(),
            #[cfg(feature = "postgres")]
            Self::UnnamedPool(_) | Self::UnnamedTransaction(_) => sea_orm::DbBackend::Postgres,
        }
    }
}

#[cfg(feature = "postgres")]
pub(crate) mod unnamed {
    use sea_orm::sqlx::query::Query;
    use sea_orm::sqlx::{self, AssertSqlSafe, PgExecutor, Postgres};
    use sea_orm::{ConnAcquireErr, DbErr, QueryResult, RuntimeErr, Statement, Values};
    use sea_query_sqlx::SqlxValues;

    fn query(statement: Statement) -> Query<'static, Postgres, SqlxValues> {
        let values = SqlxValues(statement.values.unwrap_or(Values(Vec::new())));
        sqlx::query_with(AssertSqlSafe(statement.sql), values).persistent(false)
    }

    pub(super) async fn rows(
        statement: Statement,
        on: impl PgExecutor<'_>,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let rows = query(statement).fetch_all(on).await.map_err(failed)?;
        Ok(rows.into_iter().map(QueryResult::from).collect())
    }

    pub(super) async fn execute(statement: Statement, on: impl PgExecutor<'_>) -> Result<u64, DbErr> {
        Ok(query(statement).execute(on).await.map_err(failed)?.rows_affected())
    }

    pub(crate) fn failed(error: sqlx::Error) -> DbErr {
        match error {
            sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
            sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
            other => DbErr::Query(RuntimeErr::SqlxError(other.into())),
        }
    }
}
