//! Opens the pools, below SeaORM's own connector: that one traces the whole URL, with the password.

use std::time::Duration;

use chatkeep_domain::StoreError;
use sea_orm::sqlx::ConnectOptions as _;
#[cfg(feature = "postgres")]
use sea_orm::sqlx::{AssertSqlSafe, SqlSafeStr as _};

use crate::connection::Connections;
use crate::db::Db;
use crate::dialect::Dialect;
use crate::error::Effect;
use crate::pool::{Pool, PoolLimits};
#[cfg(feature = "postgres")]
use crate::server::quoted;
#[cfg(feature = "postgres")]
use crate::sql::Sql;

/// Unused for ten minutes, or half an hour old: what sqlx's own pool has.
const REST: (Duration, Duration) = (Duration::from_mins(10), Duration::from_mins(30));

#[cfg(feature = "postgres")]
pub(crate) async fn postgres(config: crate::PostgresConfig) -> Result<Db, StoreError> {
    let statements = config.statement_cache_size.min(config.max_statements);
    let is_named = statements > 0;
    // Floats are never read as text, and PgBouncer refuses the parameter.
    let mut options = config
        .options
        .extra_float_digits(None)
        .statement_cache_capacity(statements)
        .disable_statement_logging();
    if let Some(timeout) = config.statement_timeout.filter(|_| is_named) {
        options = options.options([("statement_timeout", timeout.as_millis())]);
    }
    let mut begin = None;
    if let Some(schema) = config.schema.as_deref().map(quoted) {
        if is_named {
            options = options.options([("search_path", schema)]);
        } else {
            // Every statement is in a transaction, and behind a pooler nothing else stays with it.
            begin = Some(AssertSqlSafe(format!("BEGIN; SET LOCAL search_path TO {schema}")).into_sql_str());
        }
    }
    let limits = PoolLimits {
        size: config.pool_size.saturating_add(config.max_overflow).min(config.max_connections),
        acquire_timeout: config.acquire_timeout,
        rest: Some(REST),
        is_named,
        begin,
    };
    let failed = |error| crate::error::to_store_error(Dialect::Postgres, Effect::Reads, error);
    let pool = Pool::new(options, limits).map_err(failed)?;
    drop(pool.lease().await.map_err(failed)?);
    let connections = Connections::Postgres(pool);
    let mut db = Db::new(Dialect::Postgres, connections.clone(), connections);
    if let Some(schema) = &config.schema {
        check_schema(&db, schema).await.map_err(failed)?;
    }
    db.schema = config.schema;
    Ok(db)
}

/// A pooler may leave out what a session was to begin with, and the tables would be made and looked for elsewhere. A schema
/// that is missing, or that the role may not use, is nobody's current one.
#[cfg(feature = "postgres")]
async fn check_schema(db: &Db, schema: &str) -> Result<(), sea_orm::DbErr> {
    let row = Sql::new("SELECT current_schema()::text").row(db.reader()).await?;
    let current: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?.flatten();
    match current {
        Some(current) if current != schema => Err(sea_orm::DbErr::Custom(format!(
            "the connections are in the schema {current:?}, and not in {schema:?} as they were asked to be: what is between \
             them and the server leaves out their `search_path`. Set the statement cache's size to 0, or connect directly"
        ))),
        _ => Ok(()),
    }
}

#[cfg(feature = "sqlite")]
pub(crate) async fn sqlite(config: crate::SqliteConfig) -> Result<Db, StoreError> {
    use std::sync::atomic::{AtomicU64, Ordering};

    use chatkeep_domain::MAX_PAGE_LEN;
    use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

    use crate::error::DriverError;
    use crate::patience::patiently;

    static DATABASES_IN_MEMORY: AtomicU64 = AtomicU64::new(0);

    let failed = |error| crate::error::to_store_error(Dialect::Sqlite, Effect::Reads, error);
    // One connection, kept for good: it is the writers' queue, and a database in memory lives in it.
    let one = PoolLimits {
        size: 1,
        acquire_timeout: config.acquire_timeout,
        rest: None,
        is_named: true,
        begin: None,
    };
    let options = SqliteConnectOptions::new()
        .foreign_keys(true)
        .busy_timeout(config.acquire_timeout)
        // All rows of a page, so that the driver's thread does not wait for the caller's in the middle of it: measured,
        // 0.75 ms instead of 1.1 for 500 rows. All of them are collected in any case.
        .row_buffer_size(MAX_PAGE_LEN + 1)
        .disable_statement_logging();
    let Some(path) = &config.path else {
        // It has a name of its own, by which the migrations reach it from another connection.
        let number = DATABASES_IN_MEMORY.fetch_add(1, Ordering::Relaxed);
        let name = format!("file:chatkeep-{number}?mode=memory&cache=shared");
        let options = options.filename(name).shared_cache(true);
        let pool = Pool::new(options, one).map_err(failed)?;
        drop(pool.lease().await.map_err(failed)?);
        let connections = Connections::Sqlite(pool);
        return Ok(Db::new(Dialect::Sqlite, connections.clone(), connections));
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| {
            let error = sea_orm::DbErr::Custom(format!("the folder cannot be made: {error}"));
            StoreError::backend(Dialect::Sqlite.store(), DriverError::from(error))
        })?;
    }
    let options = options.filename(path);
    let writer = options
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let writer = Pool::new(writer, one.clone()).map_err(failed)?;
    // SQLite does not wait for the lock when it changes to WAL: of processes that make the file together, one does.
    let open = || async { writer.lease().await.map(drop).map_err(failed) };
    patiently(Dialect::Sqlite.store(), config.acquire_timeout, open).await?;
    let readers = PoolLimits { size: config.pool_size, rest: Some(REST), ..one };
    let readers = Pool::new(options.pragma("query_only", "ON"), readers).map_err(failed)?;
    Ok(Db::new(Dialect::Sqlite, Connections::Sqlite(writer), Connections::Sqlite(readers)))
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
