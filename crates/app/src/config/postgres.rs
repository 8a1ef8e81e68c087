//! PostgreSQL's settings: what is asked of TLS, and the server that the URL or the parts name.

use std::fmt;
use std::str::FromStr;

use super::ConfigError;
use super::error::shown;
#[cfg(feature = "postgres")]
use super::{Backend, DatabaseConfig};

/// How much of TLS is asked for on the way to PostgreSQL, in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SslMode {
    /// No TLS.
    Disable,
    /// As [`Prefer`](Self::Prefer).
    Allow,
    /// TLS where the server offers it; its certificate is not checked.
    Prefer,
    /// TLS. The certificate is checked as by [`VerifyCa`](Self::VerifyCa) where a root certificate is named, else not.
    Require,
    /// TLS, with a certificate of the root that is named or of a public authority, for whatever host.
    VerifyCa,
    /// TLS, with a certificate of the root that is named or of a public authority, for this host.
    VerifyFull,
}

impl SslMode {
    const ALL: [Self; 6] =
        [Self::Disable, Self::Allow, Self::Prefer, Self::Require, Self::VerifyCa, Self::VerifyFull];

    /// As PostgreSQL writes it: `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SslMode {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let rule = "must be disable, allow, prefer, require, verify-ca or verify-full";
        let known = Self::ALL.into_iter().find(|mode| mode.as_str() == text.trim());
        known.ok_or_else(|| ConfigError::invalid("database.sslmode", rule, shown(text)))
    }
}

/// The settings that only PostgreSQL has a meaning for. Where one is given and no backend, SQLite is not what is meant.
pub(super) const POSTGRES_ONLY: [&str; 8] = [
    "database.host",
    "database.port",
    "database.name",
    "database.user",
    "database.password",
    "database.schema",
    "database.sslmode",
    "database.sslrootcert",
];

/// The server of the URL, or of the parts. Schema and TLS may be said by either, but not differently.
///
/// # Errors
/// [`ConfigError::Invalid`], with the key of the setting.
#[cfg(feature = "postgres")]
pub(crate) fn server(config: &DatabaseConfig) -> Result<chatkeep_seaorm::PostgresConfig, ConfigError> {
    let mut server = match &config.url {
        Some(url) => chatkeep_seaorm::PostgresServer::from_url(url).map_err(|error| named(config, error))?,
        None => of_parts(config),
    };
    let sslmode = config.sslmode.map(to_adapter);
    merge("database.schema", "schema", &mut server.schema, config.schema.as_ref())?;
    merge("database.sslmode", "sslmode", &mut server.sslmode, sslmode.as_ref())?;
    merge("database.sslrootcert", "sslrootcert", &mut server.sslrootcert, config.sslrootcert.as_ref())?;
    chatkeep_seaorm::PostgresConfig::new(&server).map_err(|error| named(config, error))
}

#[cfg(feature = "postgres")]
fn of_parts(config: &DatabaseConfig) -> chatkeep_seaorm::PostgresServer {
    use secrecy::ExposeSecret as _;

    debug_assert_eq!(config.backend, Backend::Postgresql);
    let mut server = chatkeep_seaorm::PostgresServer::default();
    server.host = Some(config.host.clone());
    server.port = Some(config.port);
    server.database = Some(config.name.clone());
    server.user = Some(config.user.clone());
    server.password = Some(config.password.clone()).filter(|password| !password.expose_secret().is_empty());
    server
}

/// The URL's word, or the setting's own; an error where both speak and differ, because one of them would be ignored.
#[cfg(feature = "postgres")]
fn merge<T: Clone + PartialEq>(
    key: &str,
    parameter: &str,
    of_url: &mut Option<T>,
    setting: Option<&T>,
) -> Result<(), ConfigError> {
    let Some(setting) = setting else { return Ok(()) };
    if of_url.get_or_insert_with(|| setting.clone()) != setting {
        let rule = format!("must be left out, or be what DATABASE_URL says by `{parameter}`");
        return Err(ConfigError::invalid(key, rule, "another value"));
    }
    Ok(())
}

/// The adapter's error under the name of the setting that it is about.
#[cfg(feature = "postgres")]
fn named(config: &DatabaseConfig, error: chatkeep_domain::InvalidArgument) -> ConfigError {
    let key = match &*error.field {
        "database" => "database.name".to_owned(),
        // A variable of PostgreSQL's own.
        field if field.starts_with("PG") => field.to_owned(),
        field => format!("database.{field}"),
    };
    let is_of_url = match key.as_str() {
        "database.sslmode" => config.sslmode.is_none(),
        "database.sslrootcert" => config.sslrootcert.is_none(),
        "database.sslcert" | "database.sslkey" => true,
        _ => false,
    };
    if is_of_url && config.url.is_some() {
        let rule = format!("has an `{}` that {}", error.field, error.rule);
        return ConfigError::invalid("database.url", rule, error.actual);
    }
    ConfigError::invalid(key, error.rule, error.actual)
}

#[cfg(feature = "postgres")]
fn to_adapter(mode: SslMode) -> chatkeep_seaorm::SslMode {
    use chatkeep_seaorm::SslMode as Adapter;

    match mode {
        SslMode::Disable => Adapter::Disable,
        SslMode::Allow => Adapter::Allow,
        SslMode::Prefer => Adapter::Prefer,
        SslMode::Require => Adapter::Require,
        SslMode::VerifyCa => Adapter::VerifyCa,
        SslMode::VerifyFull => Adapter::VerifyFull,
    }
}
