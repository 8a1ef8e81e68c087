//! Opens the pools, below SeaORM's own connector: that one traces the whole URL, with the password.

use chatkeep_domain::StoreError;
use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::{DbErr, RuntimeErr};

use crate::db::Db;

#[cfg(feature = "postgres")]
pub(crate) async fn postgres(config: crate::PostgresConfig) -> Result<Db, StoreError> {
    use sea_orm::SqlxPostgresConnector;
    use sea_orm::sqlx::Error;
    use sea_orm::sqlx::postgres::PgPoolOptions;

    use crate::dialect::Dialect;

    // Floats are never read as text, and PgBouncer refuses the parameter.
    let mut options = config
        .options
        .extra_float_digits(None)
        .statement_cache_capacity(config.statement_cache_size)
        .disable_statement_logging();
    if let Some(timeout) = config.statement_timeout.filter(|_| config.statement_cache_size > 0) {
        options = options.options([("statement_timeout", timeout.as_millis())]);
    }
    let pool = PgPoolOptions::new()
        .max_connections(config.pool_size.saturating_add(config.max_overflow).max(1))
        .acquire_timeout(config.acquire_timeout)
        .test_before_acquire(false)
        .connect_with(options.clone())
        .await;
    let pool = match pool {
        // The pool does not say why no connection could be made; a single attempt does, if it is answered.
        Err(Error::PoolTimedOut) => {
            let attempt = tokio::time::timeout(config.acquire_timeout, options.connect()).await;
            Err(attempt.ok().and_then(Result::err).unwrap_or(Error::PoolTimedOut))
        }
        other => other,
    };
    let pool = pool.map_err(|error| failed(Dialect::Postgres, error))?;
    let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    let db = Db::new(Dialect::Postgres, connection.clone(), connection, config.deadline);
    Ok(if config.statement_cache_size == 0 { db.without_names(pool) } else { db })
}

#[cfg(feature = "sqlite")]
pub(crate) async fn sqlite(config: crate::SqliteConfig) -> Result<Db, StoreError> {
    use sea_orm::SqlxSqliteConnector;
    use sea_orm::sqlx::sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
    };

    use std::sync::atomic::AtomicBool;

    use crate::db::repeat;
    use crate::dialect::Dialect;
    use crate::error::DriverError;

    let failed = |error| failed(Dialect::Sqlite, error);
    // One connection each, kept for good: it is the writer's queue, and a database in memory lives in it.
    let one = || {
        SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(config.acquire_timeout)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
    };
    let options = SqliteConnectOptions::new()
        .foreign_keys(true)
        .busy_timeout(config.acquire_timeout)
        .disable_statement_logging();
    let Some(path) = &config.path else {
        let pool = one().connect_with(options.in_memory(true)).await.map_err(failed)?;
        let connection = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
        return Ok(Db::new(Dialect::Sqlite, connection.clone(), connection, config.deadline));
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Backend {
            store: Dialect::Sqlite.store(),
            source: Box::new(DriverError::from(DbErr::Custom(format!("the folder cannot be made: {error}")))),
        })?;
    }
    let options = options.filename(path);
    let writer = options
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    // SQLite does not wait for the lock when it changes to WAL: of processes that make the file together, one does.
    let open = || async { Ok(one().connect_with(writer.clone()).await.map_err(to_db_err)?) };
    let writer = repeat(Dialect::Sqlite, config.acquire_timeout, &AtomicBool::new(false), open).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(config.pool_size.max(1))
        .acquire_timeout(config.acquire_timeout)
        .test_before_acquire(false)
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Db::new(
        Dialect::Sqlite,
        SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
        SqlxSqliteConnector::from_sqlx_sqlite_pool(readers),
        config.deadline,
    ))
}

fn failed(dialect: crate::dialect::Dialect, error: sea_orm::sqlx::Error) -> StoreError {
    crate::error::to_store_error(dialect, to_db_err(error))
}

fn to_db_err(error: sea_orm::sqlx::Error) -> DbErr {
    match error {
        sea_orm::sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::Timeout),
        other => DbErr::Conn(RuntimeErr::SqlxError(other.into())),
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;
    use crate::SqliteConfig;
    use crate::sql::Sql;

    #[tokio::test]
    async fn sqlite_connections_have_the_settings_that_they_need() {
        let folder = tempfile::tempdir().unwrap();
        let db = sqlite(SqliteConfig::file(folder.path().join("chat.db"))).await.unwrap();
        // `synchronous`: 2 is FULL.
        for (connection, pragma, wanted) in [
            (db.writer(), "synchronous", 2),
            (db.writer(), "foreign_keys", 1),
            (db.writer(), "query_only", 0),
            (db.writer(), "busy_timeout", 10_000),
            (db.reader(), "query_only", 1),
            (db.reader(), "busy_timeout", 10_000),
        ] {
            let row = Sql::new(format!("PRAGMA {pragma}")).row(connection).await.unwrap().unwrap();
            assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), wanted, "{pragma}");
        }
    }
}
