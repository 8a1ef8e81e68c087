//! How the section `database` is read and checked.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::config::database::{Backend, DatabaseConfig};
use crate::config::error::{ConfigError, shown};
use crate::config::postgres::POSTGRES_ONLY;
use crate::config::read::Reader;
use crate::config::target::Target;

impl DatabaseConfig {
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
        if u32::try_from(self.statement_cache_size).is_err() {
            return bad("database.statement_cache_size", COUNT, self.statement_cache_size.to_string());
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
        match Target::of(self)? {
            #[cfg(feature = "postgres")]
            Target::Postgres => crate::config::postgres::server(self).map(drop),
            _ => Ok(()),
        }
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
        config.schema = reader.text("database.schema")?;
        if let Some(mode) = reader.text("database.sslmode")? {
            config.sslmode = Some(mode.parse().map_err(|error| reader.rename(error))?);
        }
        config.sslrootcert = reader.text("database.sslrootcert")?.map(PathBuf::from);
        config.path = reader.text("database.path")?.map(PathBuf::from);
        set(&mut config.pool_size, reader.whole("database.pool_size", POOL_SIZE)?);
        set(&mut config.max_overflow, reader.whole("database.max_overflow", COUNT)?);
        set(&mut config.acquire_timeout, reader.seconds("database.acquire_timeout", SECONDS)?);
        if let Some(timeout) = reader.seconds("database.statement_timeout", SECONDS_OR_NO_LIMIT)? {
            config.statement_timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
        }
        set(&mut config.deadline, reader.seconds("database.deadline", SECONDS)?);
        let statements = reader.whole::<u32>("database.statement_cache_size", COUNT)?;
        set(&mut config.statement_cache_size, statements.and_then(|count| usize::try_from(count).ok()));
        set(&mut config.coalesce_appends, reader.flag("database.coalesce_appends")?);
        config.auto_migrate = reader.flag("database.auto_migrate")?;
        if let Some(url) = reader.secret("database.url")? {
            config.apply_url(url).map_err(|error| reader.rename(error))?;
        }
        config.validate().map_err(|error| reader.rename(error))?;
        check_backend(reader)?;
        Ok(config)
    }

    pub(super) fn apply_url(&mut self, url: SecretString) -> Result<(), ConfigError> {
        self.url = Some(url);
        let (backend, path) = match Target::of(self)? {
            Target::Memory => (Backend::Memory, None),
            Target::SqliteInMemory => (Backend::Sqlite, Some(PathBuf::from(":memory:"))),
            Target::SqliteFile(path) => (Backend::Sqlite, path),
            Target::Postgres => (Backend::Postgresql, None),
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

/// Refuses settings of PostgreSQL without a backend: chatkeep would open SQLite, although a server was meant.
fn check_backend(reader: &Reader) -> Result<(), ConfigError> {
    let is_said = reader.has("database.backend") || reader.has("database.url");
    match POSTGRES_ONLY.iter().find(|key| !is_said && reader.has(key)) {
        None => Ok(()),
        Some(key) => {
            let rule = format!(
                "must say which database {} is for: postgresql, or sqlite or memory, which do without it",
                reader.name(key)
            );
            Err(ConfigError::invalid("DB_BACKEND", rule, "nothing"))
        }
    }
}
