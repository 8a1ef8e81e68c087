//! Where conversations are kept, and for whom: from defaults, a TOML file, `.env` and the environment.
//!
//! Later sources win over earlier ones: the defaults; `chatkeep.toml` in the working directory, or the file that
//! `CHATKEEP_CONFIG` names, which must then exist; `.env` in the working directory; the environment, which is read
//! and never written.
//!
//! | variable | TOML key | default | meaning |
//! |---|---|---|---|
//! | `DATABASE_URL` | `database.url` | – | wins over all parts below, wherever they are set: `postgres://…`, `postgresql://…`, `sqlite://path`, `sqlite::memory:`, `memory:` |
//! | `DB_BACKEND` | `database.backend` | `sqlite` | `memory` (or `mock`), `sqlite`, `postgresql` (or `postgres`); must be set where one of PostgreSQL's parts is |
//! | `DB_HOST` | `database.host` | `localhost` | PostgreSQL's host: a name, an address, or the folder of a socket |
//! | `DB_PORT` | `database.port` | `5432` | PostgreSQL's port, 1 to 65535 |
//! | `DB_NAME` | `database.name` | `chatkeep` | PostgreSQL's database |
//! | `DB_USER` | `database.user` | `postgres` | PostgreSQL's role |
//! | `DB_PASSWORD` | `database.password` | empty | its password; never shown |
//! | `DB_SCHEMA` | `database.schema` | the role's first, most often `public` | the schema that holds PostgreSQL's tables, and the only one that is looked into |
//! | `DB_SSLMODE` | `database.sslmode` | `prefer` | [`SslMode`]: `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full` |
//! | `DB_SSLROOTCERT` | `database.sslrootcert` | – | a PEM file of PostgreSQL's authority, or `system` for the public ones alone; needs a mode that looks at it |
//! | `DB_PATH` | `database.path` | `chatkeep/chatkeep.db` in the platform's data directory | SQLite's file, or `:memory:`; `~/` is the home folder |
//! | `DB_POOL_SIZE` | `database.pool_size` | `5` | the most connections, together with `DB_MAX_OVERFLOW`, at least 1; idle ones are closed after ten minutes. On SQLite, how many read |
//! | `DB_MAX_OVERFLOW` | `database.max_overflow` | `10` | added to `DB_POOL_SIZE` on PostgreSQL |
//! | `DB_ACQUIRE_TIMEOUT` | `database.acquire_timeout` | `10` | seconds that one attempt waits for a connection, or for SQLite's lock |
//! | `DB_STATEMENT_TIMEOUT` | `database.statement_timeout` | `30` | seconds that PostgreSQL may work on a statement, or SQLite on a call; a read that takes longer fails, and is not repeated; with 0, the deadline alone bounds it |
//! | `DB_DEADLINE` | `database.deadline` | `30` | seconds that a call takes at the most, with all its attempts: it is repeated after transient errors; bounds the two times above |
//! | `DB_STATEMENT_CACHE_SIZE` | `database.statement_cache_size` | `100` | prepared statements a connection; 0 for PgBouncer in transaction mode |
//! | `DB_COALESCE_APPENDS` | `database.coalesce_appends` | on | whether appends that arrive while others are under way go to PostgreSQL together; on SQLite they always do |
//! | `DB_AUTO_MIGRATE` | `database.auto_migrate` | on for SQLite, off for PostgreSQL | whether opening applies migrations |
//! | `ENABLE_DB_PERSISTENCE` | `enable_persistence` | `false` | whether histories store what they are given: see [`StateConfig::enable_persistence`] |
//! | `DEFAULT_USER_ID` | `user_id` | `default_user` | whose threads [`StateManager::open`](crate::StateManager::open) sees |
//! | `DEFAULT_ORG_ID` | `org_id` | `default_org` | in which organization |
//!
//! Booleans are `true`, `false`, `1`, `0`, `yes`, `no`, `on` or `off`, in any case. Seconds may have a fraction,
//! and are from 0.001 to 2147483.647. Text stays text: a password of `12345` is that.
//!
//! Of `.env` only the lines of these variables are read, so it may be shared with other programs. A value with
//! spaces, quotes or backslashes must be in quotes. `$word` is not replaced by a variable: write a `$` in single
//! quotes, `DB_PASSWORD='pa$word'`, or behind a backslash. Elsewhere a `$` is an error.
//!
//! URLs are percent-encoded. `sqlite://chat.db` is a file in the working directory, `sqlite:///srv/chat.db` a full
//! path, `sqlite://~/chat.db` a file in the home folder; one directly under `/` is asked for by `DB_PATH`. A
//! PostgreSQL URL may have the parameters of PostgreSQL's own library and of other programs, which the README of
//! `chatkeep-postgres` lists. chatkeep honours a parameter, accepts it if it makes no difference, or refuses it and
//! says what to do instead. The schema and TLS may be set by the URL and by their own variables, but only to the
//! same. What neither sets is taken from where PostgreSQL's own programs take it: `PGPASSWORD` and the file of
//! passwords, `PGSSLMODE` and so on.

mod check;
mod database;
mod dotenv;
mod error;
mod postgres;
mod read;
mod source;
mod sqlite;
mod sslmode;
mod target;
mod url;
mod variables;

use chatkeep_domain::{OrgId, UserId};

pub use secrecy::SecretString;

pub use crate::config::database::{Backend, DatabaseConfig};
pub use crate::config::error::ConfigError;
#[cfg(feature = "postgres")]
pub(crate) use crate::config::postgres::server;
use crate::config::read::Reader;
pub use crate::config::source::{SourceFile, Sources};
pub use crate::config::sslmode::SslMode;
pub(crate) use crate::config::target::Target;

/// Where conversations are kept, and for whom.
///
/// ```
/// use chatkeep::config::{Backend, Sources, StateConfig};
///
/// let config = StateConfig::from_sources(
///     Sources::new()
///         .toml("chatkeep.toml", "org_id = 'acme'\n[database]\nbackend = 'postgresql'")
///         .env([("DB_HOST", "db.example.com"), ("DB_PASSWORD", "12345")]),
/// )?;
/// assert_eq!(config.database.backend, Backend::Postgresql);
/// assert_eq!(config.database.host, "db.example.com");
/// assert!(!format!("{config:?}").contains("12345"));
///
/// let error = StateConfig::from_sources(Sources::new().env([("DB_PORT", "70000")])).unwrap_err();
/// assert_eq!(error.to_string(), "DB_PORT must be a whole number from 1 to 65535 (got \"70000\")");
/// # Ok::<(), chatkeep::config::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StateConfig {
    /// Whether a [`ConversationHistory`](crate::ConversationHistory) in front of the
    /// [`StateManager`](crate::StateManager) that is opened stores what it is given, unless
    /// [`persist_to_db`](crate::ConversationHistoryBuilder::persist_to_db) says otherwise.
    pub enable_persistence: bool,
    /// The user whose threads are seen.
    pub user_id: UserId,
    /// The user's organization.
    pub org_id: OrgId,
    /// The store.
    pub database: DatabaseConfig,
}

impl StateConfig {
    /// For one user of an organization, in this store; without persistence of histories.
    pub const fn new(org_id: OrgId, user_id: UserId, database: DatabaseConfig) -> Self {
        Self { enable_persistence: false, user_id, org_id, database }
    }

    /// Reads the sources of this process.
    ///
    /// # Errors
    /// [`ConfigError`] for a file that cannot be read, or for the first setting that cannot be used.
    pub fn load() -> Result<Self, ConfigError> {
        Self::from_sources(Sources::of_process()?)
    }

    /// Reads these sources and nothing else.
    ///
    /// # Errors
    /// As [`StateConfig::load`].
    pub fn from_sources(sources: Sources) -> Result<Self, ConfigError> {
        let reader = Reader::new(sources)?;
        let org = reader.text("org_id")?.unwrap_or_else(|| "default_org".to_owned());
        let user = reader.text("user_id")?.unwrap_or_else(|| "default_user".to_owned());
        Ok(Self {
            enable_persistence: reader.flag("enable_persistence")?.unwrap_or(false),
            user_id: UserId::new(user).map_err(|error| reader.refuse("user_id", error))?,
            org_id: OrgId::new(org).map_err(|error| reader.refuse("org_id", error))?,
            database: DatabaseConfig::read(&reader)?,
        })
    }

    /// Checks what the types do not: see [`DatabaseConfig::validate`].
    ///
    /// # Errors
    /// [`ConfigError`] for the first setting that cannot be used.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.database.validate()
    }
}

/// `chatkeep/chatkeep.db` in the platform's data directory: where a SQLite file is kept unless a path is set.
///
/// # Errors
/// [`ConfigError::NoDataDirectory`].
pub fn default_path() -> Result<std::path::PathBuf, ConfigError> {
    use etcetera::BaseStrategy as _;

    let base = etcetera::base_strategy::choose_native_strategy()
        .map_err(|source| ConfigError::NoDataDirectory { source: source.into() })?;
    Ok(base.data_dir().join("chatkeep").join("chatkeep.db"))
}

#[cfg(test)]
mod tests;
