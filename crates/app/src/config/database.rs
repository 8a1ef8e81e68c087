//! The section `database`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;

use crate::config::error::{ConfigError, shown};
use crate::config::sslmode::SslMode;

/// Which store keeps the conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Backend {
    /// In memory: gone when the program ends.
    Memory,
    /// A SQLite file.
    #[default]
    Sqlite,
    /// A PostgreSQL server.
    Postgresql,
}

impl Backend {
    /// The backend in lower case: `memory`, `sqlite` or `postgresql`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::Postgresql => "postgresql",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Backend {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "memory" | "mock" => Ok(Self::Memory),
            "sqlite" => Ok(Self::Sqlite),
            "postgresql" | "postgres" => Ok(Self::Postgresql),
            _ => Err(ConfigError::invalid(
                "database.backend",
                "must be memory, sqlite or postgresql",
                shown(text),
            )),
        }
    }
}

/// Where the store is, and how it is opened and used. `Debug` shows neither the password nor the URL.
///
/// ```
/// use chatkeep::config::{Backend, DatabaseConfig};
///
/// let config = DatabaseConfig::from_url("sqlite://chat.db")?;
/// assert_eq!((config.backend, config.path), (Backend::Sqlite, Some("chat.db".into())));
/// # Ok::<(), chatkeep::config::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DatabaseConfig {
    /// Which store.
    pub backend: Backend,
    /// PostgreSQL's host.
    pub host: String,
    /// PostgreSQL's port.
    pub port: u16,
    /// PostgreSQL's database.
    pub name: String,
    /// PostgreSQL's role.
    pub user: String,
    /// The role's password; empty for none.
    pub password: SecretString,
    /// The schema that holds PostgreSQL's tables; no other schema is looked into. Upper and lower case count. `None`
    /// is the first schema of the role's `search_path`, most often `public`. Migrations create a schema that is
    /// missing.
    pub schema: Option<String>,
    /// How connections to PostgreSQL use TLS. `None` is what the URL says, or `PGSSLMODE`, or [`SslMode::Prefer`].
    pub sslmode: Option<SslMode>,
    /// A file of PEM certificates, one of which must have signed PostgreSQL's certificate. Needs an `sslmode` that
    /// checks certificates. The authorities that Mozilla trusts are trusted too; `system` means those alone.
    pub sslrootcert: Option<PathBuf>,
    /// Wins over the backend and the settings of its parts. The schema and TLS may be set by both, but only to the
    /// same.
    pub url: Option<SecretString>,
    /// SQLite's file, or `:memory:`; `~/` is the home folder. `None` is `chatkeep/chatkeep.db` in the platform's data directory.
    pub path: Option<PathBuf>,
    /// How many connections there are at most, together with `max_overflow`; on SQLite, how many connections that
    /// read.
    pub pool_size: u32,
    /// Added to `pool_size` on PostgreSQL.
    pub max_overflow: u32,
    /// How long one attempt at a call waits for a connection, or for SQLite's lock: 1 ms to `i32::MAX` ms.
    pub acquire_timeout: Duration,
    /// How long PostgreSQL may work on a statement, or SQLite on a call: 1 ms to `i32::MAX` ms. A read that takes longer
    /// fails, and is not repeated; a write on PostgreSQL may have waited for a lock, and is. With `None` or zero the deadline
    /// alone bounds it.
    pub statement_timeout: Option<Duration>,
    /// How long a call takes at the most, with all its attempts: [`Retry`](crate::Retry) repeats it after transient errors.
    /// 1 ms to `i32::MAX` ms. It bounds both timeouts above. Migrations take their time. Without meaning in memory.
    pub deadline: Duration,
    /// Prepared statements for each connection. 0 keeps none, which PgBouncer in transaction mode needs.
    pub statement_cache_size: usize,
    /// Whether appends that arrive while two are under way go to PostgreSQL together. Each still gets its own durable answer
    /// and its own error. On by default: a caller by itself does not notice, and dozens get more than twice as much done
    /// (see the repository's `docs/performance.md`). An append that was polled once and then left lying holds up the others
    /// to its thread, up to the [`deadline`](Self::deadline). Turn it off for a database that is distributed by organization,
    /// where one statement cannot write to several. The store on SQLite always does it.
    pub coalesce_appends: bool,
    /// Whether opening applies missing migrations. `None` is on for SQLite and off for PostgreSQL.
    pub auto_migrate: Option<bool>,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            backend: Backend::default(),
            host: "localhost".to_owned(),
            port: 5432,
            name: "chatkeep".to_owned(),
            user: "postgres".to_owned(),
            password: SecretString::default(),
            schema: None,
            sslmode: None,
            sslrootcert: None,
            url: None,
            path: None,
            pool_size: 5,
            max_overflow: 10,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Some(Duration::from_secs(30)),
            deadline: Duration::from_secs(30),
            statement_cache_size: 100,
            coalesce_appends: true,
            auto_migrate: None,
        }
    }
}

impl DatabaseConfig {
    /// A store in memory.
    pub fn memory() -> Self {
        Self { backend: Backend::Memory, ..Self::default() }
    }

    /// A SQLite file. It and the folders above it are made when they are missing.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self { backend: Backend::Sqlite, path: Some(path.into()), ..Self::default() }
    }

    /// The store of a URL: `postgres://…`, `postgresql://…`, `sqlite://path`, `sqlite::memory:` or `memory:`. The
    /// [module](crate::config) says what a URL may hold.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`], which repeats nothing of the URL except the name of a parameter.
    pub fn from_url(url: impl Into<SecretString>) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        config.apply_url(url.into())?;
        config.validate()?;
        Ok(config)
    }
}
