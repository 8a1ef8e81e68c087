//! Opens the pool, below SeaORM's own connector: that one traces the whole URL, with the password.

use std::time::Duration;

use chatkeep_domain::StoreError;
use sea_orm::sqlx::{AssertSqlSafe, ConnectOptions as _, SqlSafeStr as _};

use crate::check;
use crate::config::PostgresConfig;
use crate::error::{Effect, to_store_error};
use crate::patience::patiently_for;
use crate::pool::{ConnectionPool, PoolLimits};
use crate::server::quoted;

/// Unused for ten minutes, or half an hour old: what sqlx's own pool has.
const REST: (Duration, Duration) = (Duration::from_mins(10), Duration::from_mins(30));

/// Settings under which PostgreSQL spends no time on plans that are none the better for it, unless the URL has others. To
/// compile a plan takes longer than nearly every statement of ours, and a guess of many hits is enough for PostgreSQL to do so.
/// And each statement has one good plan, whatever its values are. PostgreSQL plans some of them anew each time, such as the
/// lists of a long thread or of a user with many threads, because it knows the values to be frequent: that took as long again as the list.
const FOR_PLANS: [(&str, &str); 2] = [("jit", "off"), ("plan_cache_mode", "force_generic_plan")];

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
        let given = config.options.get_options().unwrap_or_default();
        options = options.options(FOR_PLANS.into_iter().filter(|(name, _)| !given.contains(name)));
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
    let schema = config.schema.as_deref();
    patiently_for(config.acquire_timeout, async || check::session(&pool, schema).await.map_err(failed))
        .await?;
    Ok(pool)
}
