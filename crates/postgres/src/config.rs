//! How a database is reached. Nothing here shows a password: `Debug` is written by hand.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chatkeep_domain::{Codec, InvalidArgument, PlainCodec};
use secrecy::SecretString;

use crate::server::{PostgresServer, to_options};

/// How PostgreSQL is reached.
#[derive(Clone)]
pub struct PostgresConfig {
    pub(crate) options: sea_orm::sqlx::postgres::PgConnectOptions,
    pub(crate) schema: Option<Arc<str>>,
    pub(crate) max_connections: u32,
    pub(crate) max_statements: usize,
    pub(crate) pool_size: u32,
    pub(crate) max_overflow: u32,
    pub(crate) acquire_timeout: Duration,
    pub(crate) statement_timeout: Option<Duration>,
    pub(crate) statement_cache_size: usize,
    pub(crate) auto_migrate: bool,
    pub(crate) codec: Arc<dyn Codec>,
}

impl PostgresConfig {
    /// A server, with the defaults of all else.
    ///
    /// # Errors
    /// As [`PostgresServer::validate`].
    pub fn new(server: &PostgresServer) -> Result<Self, InvalidArgument> {
        Ok(Self {
            options: to_options(server)?,
            schema: server.schema.as_deref().map(Into::into),
            max_connections: server.max_connections.unwrap_or(u32::MAX),
            max_statements: server.max_statements.unwrap_or(usize::MAX),
            pool_size: 5,
            max_overflow: 10,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Some(Duration::from_secs(30)),
            statement_cache_size: 100,
            auto_migrate: false,
            codec: Arc::new(PlainCodec),
        })
    }

    /// The server of a URL: see [`PostgresServer::from_url`].
    ///
    /// # Errors
    /// As [`PostgresServer::from_url`] and [`PostgresServer::validate`]. No text of it repeats the URL.
    pub fn from_url(url: &SecretString) -> Result<Self, InvalidArgument> {
        Self::new(&PostgresServer::from_url(url)?)
    }

    /// With [`max_overflow`](Self::max_overflow) together, the most connections that are opened; 5. Idle ones are closed
    /// after ten minutes.
    #[must_use]
    pub fn pool_size(mut self, connections: u32) -> Self {
        self.pool_size = connections;
        self
    }

    /// Added to [`pool_size`](Self::pool_size); 10.
    #[must_use]
    pub fn max_overflow(mut self, connections: u32) -> Self {
        self.max_overflow = connections;
        self
    }

    /// How long an attempt waits for a free connection, opening one included; 10 s.
    #[must_use]
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = timeout;
        self
    }

    /// How long the server may work on one statement; 30 s. It is sent when a connection is opened, which `PgBouncer`
    /// refuses: behind one, set `None` here and the timeout on the role. With a
    /// [`statement_cache_size`](Self::statement_cache_size) of 0 it is not sent.
    #[must_use]
    pub fn statement_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// Prepared statements kept a connection; 100. 0 keeps none and names none, as a pooler in transaction mode needs
    /// it that does not know prepared statements (`PgBouncer` before 1.21, or without its `max_prepared_statements`):
    /// an append is then four round trips instead of one. Migrate over a direct connection.
    #[must_use]
    pub fn statement_cache_size(mut self, statements: usize) -> Self {
        self.statement_cache_size = statements;
        self
    }

    /// Whether opening applies missing migrations; off.
    #[must_use]
    pub fn auto_migrate(mut self, on: bool) -> Self {
        self.auto_migrate = on;
        self
    }

    /// Keeps each content as this codec seals it, and indexes the words that it gives; [`PlainCodec`].
    #[must_use]
    pub fn codec(mut self, codec: Arc<dyn Codec>) -> Self {
        self.codec = codec;
        self
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("schema", &self.schema)
            .field("max_connections", &self.max_connections)
            .field("max_statements", &self.max_statements)
            .field("pool_size", &self.pool_size)
            .field("max_overflow", &self.max_overflow)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("statement_cache_size", &self.statement_cache_size)
            .field("auto_migrate", &self.auto_migrate)
            .finish_non_exhaustive()
    }
}
