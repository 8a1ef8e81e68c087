//! PostgreSQL's settings: the server that the URL or the parts name.

#[cfg(feature = "postgres")]
use crate::config::database::{Backend, DatabaseConfig};
#[cfg(feature = "postgres")]
use crate::config::error::ConfigError;
#[cfg(feature = "postgres")]
use crate::config::sslmode::SslMode;

/// The settings that only PostgreSQL uses. If one of them is given and no backend is named, SQLite is not what was
/// meant.
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

/// The server of the URL or of the parts. The schema and TLS may be set by both, but only to the same.
///
/// # Errors
/// [`ConfigError::Invalid`], with the key of the setting.
#[cfg(feature = "postgres")]
pub(crate) fn server(config: &DatabaseConfig) -> Result<chatkeep_postgres::PostgresConfig, ConfigError> {
    let mut server = match &config.url {
        Some(url) => {
            chatkeep_postgres::PostgresServer::from_url(url).map_err(|error| named(config, error))?
        }
        None => of_parts(config),
    };
    let sslmode = config.sslmode.map(to_adapter);
    merge("database.schema", "schema", &mut server.schema, config.schema.as_ref())?;
    merge("database.sslmode", "sslmode", &mut server.sslmode, sslmode.as_ref())?;
    merge("database.sslrootcert", "sslrootcert", &mut server.sslrootcert, config.sslrootcert.as_ref())?;
    chatkeep_postgres::PostgresConfig::new(&server).map_err(|error| named(config, error))
}

#[cfg(feature = "postgres")]
fn of_parts(config: &DatabaseConfig) -> chatkeep_postgres::PostgresServer {
    use secrecy::ExposeSecret as _;

    debug_assert_eq!(config.backend, Backend::Postgresql);
    let mut server = chatkeep_postgres::PostgresServer::default();
    server.host = Some(config.host.clone());
    server.port = Some(config.port);
    server.database = Some(config.name.clone());
    server.user = Some(config.user.clone());
    server.password = Some(config.password.clone()).filter(|password| !password.expose_secret().is_empty());
    server
}

/// The value of the URL or of the setting. An error if both are set and differ, because one of them would be ignored.
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
fn to_adapter(mode: SslMode) -> chatkeep_postgres::SslMode {
    use chatkeep_postgres::SslMode as Adapter;

    match mode {
        SslMode::Disable => Adapter::Disable,
        SslMode::Allow => Adapter::Allow,
        SslMode::Prefer => Adapter::Prefer,
        SslMode::Require => Adapter::Require,
        SslMode::VerifyCa => Adapter::VerifyCa,
        SslMode::VerifyFull => Adapter::VerifyFull,
    }
}
