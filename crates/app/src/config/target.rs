//! What a configuration points at: the URL where there is one, else the backend and its parts.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Backend, ConfigError, DatabaseConfig};

const IN_MEMORY: &str = ":memory:";
const RULE: &str = "must be postgres://…, postgresql://…, sqlite://path, sqlite::memory: or memory:, with special \
                    characters percent-encoded";

/// What is to be opened.
#[derive(Debug)]
pub(crate) enum Target<'a> {
    Memory,
    SqliteInMemory,
    /// `None` is the default place.
    SqliteFile(Option<PathBuf>),
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "read by the backend"))]
    PostgresUrl(&'a SecretString),
    PostgresParts,
}

impl<'a> Target<'a> {
    pub(crate) fn of(config: &'a DatabaseConfig) -> Result<Self, ConfigError> {
        if let Some(url) = &config.url {
            return Self::of_url(url);
        }
        Ok(match config.backend {
            Backend::Memory => Self::Memory,
            Backend::Sqlite => match &config.path {
                Some(path) if path == Path::new(IN_MEMORY) => Self::SqliteInMemory,
                path => Self::SqliteFile(path.clone()),
            },
            Backend::Postgresql => Self::PostgresParts,
        })
    }

    fn of_url(url: &'a SecretString) -> Result<Self, ConfigError> {
        let text = url.expose_secret();
        let bad = |actual: &str| Err(ConfigError::invalid("database.url", RULE, actual));
        let Some((scheme, rest)) = text.split_once(':') else {
            return bad("a text without a scheme");
        };
        match scheme {
            "memory" if rest.is_empty() || rest == "//" => Ok(Self::Memory),
            "sqlite" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                // The mode in which other libraries are told to make the file; here it always is.
                let path = path.strip_suffix("?mode=rwc").unwrap_or(path);
                match path {
                    IN_MEMORY => Ok(Self::SqliteInMemory),
                    "" => bad("a URL without a path"),
                    path if path.contains('?') => bad("a URL with parameters"),
                    path => Ok(Self::SqliteFile(Some(path.into()))),
                }
            }
            "postgres" | "postgresql" => match Url::parse(text) {
                Ok(_) if rest.starts_with("//") => Ok(Self::PostgresUrl(url)),
                _ => bad("a malformed URL"),
            },
            "memory" => bad("a malformed URL"),
            _ => bad("a URL of another scheme"),
        }
    }
}
