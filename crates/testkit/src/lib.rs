//! Real servers for the tests of chatkeep.
//!
//! - [`shared_postgres`]: the URL of the one PostgreSQL that `cargo xtask test` starts for all tests. A test that
//!   only needs a database makes its own in it.
//! - [`PgServer`]: a PostgreSQL of the test's own, for what would disturb the others: stopping, killing, restarting,
//!   other settings, passwords.
//! - [`PgBouncer`]: the real connection pooler in front of a [`PgServer`].
//!
//! Servers listen on 127.0.0.1 only. A server ends, and its directory goes, when its value is dropped, and also when
//! the test panics, is killed, or keeps the value in a `static`. All calls block until the server has done what they
//! ask.
//!
//! Every test that needs a server carries ``#[ignore = "needs PostgreSQL: run `cargo xtask test`"]``, so that a plain
//! `cargo test` shows what it left out.

mod pgbouncer;
mod port;
mod postgres;
mod process;
mod programs;
mod sandbox;

pub use pgbouncer::{PgBouncer, PoolMode};
pub use postgres::{PgOptions, PgServer, StopMode};
pub use programs::{PG_BIN, find_pgbouncer, find_postgres};

/// The variable that holds the URL of the shared PostgreSQL.
pub const SHARED_POSTGRES: &str = "CHATKEEP_TEST_POSTGRES";

/// The URL of the PostgreSQL that all tests share, as a superuser: `postgres://user@127.0.0.1:port/postgres`.
///
/// # Errors
///
/// When `CHATKEEP_TEST_POSTGRES` is not set: a test without its server fails, it does not pass.
pub fn shared_postgres() -> anyhow::Result<String> {
    match std::env::var(SHARED_POSTGRES) {
        Ok(url) if !url.is_empty() => Ok(url),
        _ => anyhow::bail!("{SHARED_POSTGRES} is not set: run `cargo xtask test`, which starts the server"),
    }
}
