//! Opens the pool, below SeaORM's own connector: that one traces the whole URL, with the password.

use std::time::Duration;

use chatkeep_domain::StoreError;
use sea_orm::sqlx::{AssertSqlSafe, ConnectOptions as _, SqlSafeStr as _};

use crate::config::PostgresConfig;
use crate::error::{Effect, to_store_error};
use crate::patience::patiently_for;
use crate::pool::{ConnectionPool, PoolLimits};
use crate::server::quoted;
use crate::sql::Sql;

/// Unused for ten minutes, or half an hour old: what sqlx's own pool has.
const REST: (Duration, Duration) = (Duration::from_mins(10), Duration::from_mins(30));

pub(crate) async fn open(config: &PostgresConfig) -> Result<ConnectionPool, StoreError> {
    let statements = config.statement_cache_size.min(config.max_statements);
    let is_named = statements > 0;
    // Floats are never read as text, and PgBouncer refuses the parameter.
    let mut options = config
        .options
        .clone()
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
        rest: REST,
        is_named,
        begin,
    };
    let failed = |error| to_store_error(Effect::Reads, error);
    let pool = ConnectionPool::new(options, limits).map_err(failed)?;
    // A server that is starting, or has no connection free, is waited for.
    patiently_for(config.acquire_timeout, async || pool.lease().await.map(drop).map_err(failed)).await?;
    if let Some(schema) = &config.schema {
        check_schema(&pool, schema).await.map_err(failed)?;
    }
    Ok(pool)
}

/// A pooler may leave out what a session was to begin with, and the tables would be made and looked for elsewhere. A schema
/// that is missing, or that the role may not use, is nobody's current one.
async fn check_schema(pool: &ConnectionPool, schema: &str) -> Result<(), sea_orm::DbErr> {
    let row = Sql::new("SELECT current_schema()::text").row(pool).await?;
    let current: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?.flatten();
    match current {
        Some(current) if current != schema => Err(sea_orm::DbErr::Custom(format!(
            "the connections are in the schema {current:?}, and not in {schema:?} as they were asked to be: what is between \
             them and the server leaves out their `search_path`. Set the statement cache's size to 0, or connect directly"
        ))),
        _ => Ok(()),
    }
}
