//! From a configuration to its target: by the URL where there is one, else by the backend and its parts.

use secrecy::ExposeSecret;

use crate::config::database::{Backend, DatabaseConfig};
use crate::config::error::ConfigError;
use crate::config::sqlite;
use crate::config::target::{RULE, Target};

impl Target {
    pub(crate) fn of(config: &DatabaseConfig) -> Result<Self, ConfigError> {
        if let Some(url) = &config.url {
            return Self::of_url(url.expose_secret());
        }
        match (config.backend, &config.path) {
            (Backend::Memory, _) => Ok(Self::Memory),
            (Backend::Sqlite, Some(path)) => sqlite::of_path(path),
            (Backend::Sqlite, None) => Ok(Self::SqliteFile(None)),
            (Backend::Postgresql, _) => Ok(Self::Postgres),
        }
    }

    fn of_url(url: &str) -> Result<Self, ConfigError> {
        let bad = |rule: &str, actual: &str| Err(ConfigError::invalid("database.url", rule, actual));
        let Some((scheme, rest)) = url.trim().split_once(':') else {
            return bad(RULE, "a text without a scheme");
        };
        match scheme {
            "memory" if rest.is_empty() || rest == "//" => Ok(Self::Memory),
            "sqlite" => sqlite::of_url(rest),
            "postgres" | "postgresql" if rest.starts_with("//") => Ok(Self::Postgres),
            "memory" | "postgres" | "postgresql" => bad(RULE, "a malformed URL"),
            // As SQLAlchemy writes it.
            _ if scheme.starts_with("postgresql+") || scheme.starts_with("sqlite+") => {
                bad("must begin with postgresql:// or sqlite://, without a `+` and a driver's name", "a `+`")
            }
            _ => bad(RULE, "a URL of another scheme"),
        }
    }
}
