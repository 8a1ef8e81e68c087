//! What is needed of an engine's driver, below SeaORM: see [`pool`](crate::pool).

use std::future::Future;

use sea_orm::sqlx::{self, AssertSqlSafe, Database, Executor as _, SqlStr};
use sea_orm::{QueryResult, Statement, Values};
use sea_query_sqlx::SqlxValues;

pub(crate) trait Engine: Database {
    /// How a transaction begins that will write.
    const BEGIN: &'static str;

    fn rows(
        connection: &mut Self::Connection,
        statement: Statement,
        is_named: bool,
    ) -> impl Future<Output = Result<Vec<QueryResult>, sqlx::Error>> + Send;

    fn execute(
        connection: &mut Self::Connection,
        statement: Statement,
        is_named: bool,
    ) -> impl Future<Output = Result<u64, sqlx::Error>> + Send;

    /// Runs a statement without values that changes the transaction.
    fn control(
        connection: &mut Self::Connection,
        text: SqlStr,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

macro_rules! engine {
    ($engine:ty, $begin:literal) => {
        impl Engine for $engine {
            const BEGIN: &'static str = $begin;

            async fn rows(
                connection: &mut Self::Connection,
                statement: Statement,
                is_named: bool,
            ) -> Result<Vec<QueryResult>, sqlx::Error> {
                let (text, values) = parts(statement);
                let query = sqlx::query_with::<Self, _>(text, values).persistent(is_named);
                // To the end, and not to the first row: only then has SQLite committed.
                let rows = query.fetch_all(connection).await?;
                Ok(rows.into_iter().map(QueryResult::from).collect())
            }

            async fn execute(
                connection: &mut Self::Connection,
                statement: Statement,
                is_named: bool,
            ) -> Result<u64, sqlx::Error> {
                let (text, values) = parts(statement);
                let query = sqlx::query_with::<Self, _>(text, values).persistent(is_named);
                Ok(query.execute(connection).await?.rows_affected())
            }

            async fn control(connection: &mut Self::Connection, text: SqlStr) -> Result<(), sqlx::Error> {
                connection.execute(sqlx::raw_sql(text)).await?;
                Ok(())
            }
        }
    };
}

#[cfg(feature = "postgres")]
engine!(sqlx::Postgres, "BEGIN");

#[cfg(feature = "sqlite")]
// So that no lock is raised half-way.
engine!(sqlx::Sqlite, "BEGIN IMMEDIATE");

/// The values are bound; the text is of this crate.
fn parts(statement: Statement) -> (AssertSqlSafe<String>, SqlxValues) {
    (AssertSqlSafe(statement.sql), SqlxValues(statement.values.unwrap_or(Values(Vec::new()))))
}
