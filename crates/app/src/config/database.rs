//! The section `database`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;

use super::error::shown;
use super::read::Reader;
use super::{ConfigError, Target};

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

/// Where the store is and how it is used. `Debug` shows neither the password nor the URL.
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
    /// Wins over the backend and its parts.
    pub url: Option<SecretString>,
    /// SQLite's file, or `:memory:`. `None` is `chatkeep/chatkeep.db` in the platform's data directory.
    pub path: Option<PathBuf>,
    /// The most connections, together with `max_overflow`; on SQLite, those that read.
    pub pool_size: u32,
    /// Added to `pool_size` on PostgreSQL.
    pub max_overflow: u32,
    /// How long a call waits for a connection, within the deadline: 1 ms to `i32::MAX` ms.
    pub acquire_timeout: Duration,
    /// How long PostgreSQL may work on a statement, within the deadline: 1 ms to `i32::MAX` ms. With `None` or zero the
    /// deadline alone bounds it.
    pub statement_timeout: Option<Duration>,
    /// How long a call takes at the most, repetitions after transient errors included: 1 ms to `i32::MAX` ms. It bounds
    /// both timeouts above. Migrations take their time.
    pub deadline: Duration,
    /// Prepared statements a connection; 0 keeps none, as PgBouncer in transaction mode needs it.
    pub statement_cache_size: usize,
    /// Whether appends that wait for others go to the store together: each still gets its own durable answer and its own
    /// error. `None` is on for SQLite, where each group is one transaction instead of as many, and off for PostgreSQL,
    /// where it pays for dozens of callers. Without meaning in memory.
    pub coalesce_appends: Option<bool>,
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
            url: None,
            path: None,
            pool_size: 5,
            max_overflow: 10,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Some(Duration::from_secs(30)),
            deadline: Duration::from_secs(30),
            statement_cache_size: 100,
            coalesce_appends: None,
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

    /// The store of a URL: `postgres://…`, `postgresql://…`, `sqlite://path`, `sqlite::memory:` or `memory:`.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`], which does not repeat the URL.
    pub fn from_url(url: impl Into<SecretString>) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        config.apply_url(url.into())?;
        Ok(config)
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] names the key of the first setting that cannot be used.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let bad = |key: &str, rule: &str, actual: String| Err(ConfigError::invalid(key, rule, actual));
        if self.port == 0 {
            return bad("database.port", PORT, "0".to_owned());
        }
        if self.pool_size == 0 {
            return bad("database.pool_size", POOL_SIZE, "0".to_owned());
        }
        if self.pool_size.checked_add(self.max_overflow).is_none() {
            let rule = "must be below 2^32 together with the pool size";
            return bad("database.max_overflow", rule, self.max_overflow.to_string());
        }
        let statement = self.statement_timeout.filter(|timeout| !timeout.is_zero());
        for (key, rule, seconds) in [
            ("database.acquire_timeout", SECONDS, Some(self.acquire_timeout)),
            ("database.statement_timeout", SECONDS_OR_NO_LIMIT, statement),
            ("database.deadline", SECONDS, Some(self.deadline)),
        ] {
            if let Some(seconds) = seconds.filter(|seconds| !(SHORTEST..=LONGEST).contains(seconds)) {
                return bad(key, rule, seconds.as_secs_f64().to_string());
            }
        }
        for (key, value) in
            [("database.host", &self.host), ("database.name", &self.name), ("database.user", &self.user)]
        {
            if value.is_empty() {
                return bad(key, "must not be empty", shown(value));
            }
        }
        if self.path.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            return bad("database.path", "must not be empty", shown(""));
        }
        Target::of(self).map(drop)
    }

    pub(super) fn read(reader: &Reader) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        if let Some(backend) = reader.text("database.backend")? {
            config.backend = backend.parse().map_err(|error| reader.rename(error))?;
        }
        set(&mut config.host, reader.text("database.host")?);
        set(&mut config.port, reader.whole("database.port", PORT)?);
        set(&mut config.name, reader.text("database.name")?);
        set(&mut config.user, reader.text("database.user")?);
        set(&mut config.password, reader.secret("database.password")?);
        config.path = reader.text("database.path")?.map(PathBuf::from);
        set(&mut config.pool_size, reader.whole("database.pool_size", POOL_SIZE)?);
        set(&mut config.max_overflow, reader.whole("database.max_overflow", COUNT)?);
        set(&mut config.acquire_timeout, reader.seconds("database.acquire_timeout", SECONDS)?);
        if let Some(timeout) = reader.seconds("database.statement_timeout", SECONDS_OR_NO_LIMIT)? {
            config.statement_timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
        }
        set(&mut config.deadline, reader.seconds("database.deadline", SECONDS)?);
        set(&mut config.statement_cache_size, reader.whole("database.statement_cache_size", COUNT)?);
        config.coalesce_appends = reader.flag("database.coalesce_appends")?;
        config.auto_migrate = reader.flag("database.auto_migrate")?;
        config.validate().map_err(|error| reader.rename(error))?;
        if let Some(url) = reader.secret("database.url")? {
            config.apply_url(url).map_err(|error| reader.rename(error))?;
        }
        Ok(config)
    }

    fn apply_url(&mut self, url: SecretString) -> Result<(), ConfigError> {
        self.url = Some(url);
        let (backend, path) = match Target::of(self)? {
            Target::Memory => (Backend::Memory, None),
            Target::SqliteInMemory => (Backend::Sqlite, Some(PathBuf::from(":memory:"))),
            Target::SqliteFile(path) => (Backend::Sqlite, path),
            Target::PostgresUrl(_) | Target::PostgresParts => (Backend::Postgresql, None),
        };
        self.backend = backend;
        self.path = path.or(self.path.take());
        Ok(())
    }
}

const PORT: &str = "must be a whole number from 1 to 65535";
const POOL_SIZE: &str = "must be a whole number from 1 to 4294967295";
const COUNT: &str = "must be a whole number from 0 to 4294967295";
const SECONDS: &str = "must be a number of seconds from 0.001 to 2147483.647";
const SECONDS_OR_NO_LIMIT: &str = "must be 0 for no limit, or a number of seconds from 0.001 to 2147483.647";

/// SQLite and PostgreSQL count whole milliseconds in an `i32`, and take 0 for no limit.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

fn set<T>(setting: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *setting = given;
    }
}
