//! A server as the driver takes it.

use std::env;

use chatkeep_domain::InvalidArgument;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};
use secrecy::ExposeSecret;

use super::{PostgresServer, SslMode, without_brackets};

/// The driver's options.
///
/// # Errors
/// As [`PostgresServer::validate`].
pub(crate) fn to_options(server: &PostgresServer) -> Result<PgConnectOptions, InvalidArgument> {
    server.validate()?;
    let mode = mode_of(server)?;
    let mut options = address_of(server)?.ssl_mode(match mode {
        SslMode::Disable => PgSslMode::Disable,
        // What the driver calls `allow` is `disable`.
        SslMode::Allow | SslMode::Prefer => PgSslMode::Prefer,
        // The driver would not look at the certificate, where PostgreSQL's own library does.
        SslMode::Require if has_root(server) => PgSslMode::VerifyCa,
        SslMode::Require => PgSslMode::Require,
        SslMode::VerifyCa => PgSslMode::VerifyCa,
        SslMode::VerifyFull => PgSslMode::VerifyFull,
    });
    if let Some(file) = server.sslrootcert.as_ref().filter(|_| !server.is_rooted_in_system()) {
        options = options.ssl_root_cert(file);
    }
    if let (Some(certificate), Some(key)) = (&server.sslcert, &server.sslkey) {
        options = options.ssl_client_cert(certificate).ssl_client_key(key);
    }
    if let Some(name) = &server.application_name {
        options = options.application_name(name);
    }
    Ok(options)
}

/// Through a URL: only so does the driver look into the file of passwords for this host, and not for the default one.
fn address_of(server: &PostgresServer) -> Result<PgConnectOptions, InvalidArgument> {
    let mut url = "postgres:///?".to_owned();
    let port = server.port.map(|port| port.to_string());
    for (name, value) in [
        ("host", server.host.as_deref().map(without_brackets)),
        ("port", port.as_deref()),
        ("dbname", server.database.as_deref()),
        ("user", server.user.as_deref()),
        ("password", server.password.as_ref().map(ExposeSecret::expose_secret)),
        ("options", server.options.as_deref()),
    ] {
        if let Some(value) = value {
            let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
            url.extend(["&", name, "="].into_iter().chain(value));
        }
    }
    url.parse().map_err(|_| InvalidArgument::new("host", "must be such as the driver takes", "another"))
}

/// The mode that is asked for, or PostgreSQL's default.
pub(super) fn mode_of(server: &PostgresServer) -> Result<SslMode, InvalidArgument> {
    if let Some(mode) = server.sslmode {
        return Ok(mode);
    }
    if server.is_rooted_in_system() {
        return Ok(SslMode::VerifyFull);
    }
    match env::var("PGSSLMODE") {
        // The driver would take a word that it does not know for `prefer`.
        Ok(mode) if !mode.is_empty() => mode
            .parse()
            .map_err(|error: InvalidArgument| InvalidArgument::new("PGSSLMODE", error.rule, error.actual)),
        _ => Ok(SslMode::Prefer),
    }
}

fn has_root(server: &PostgresServer) -> bool {
    server.sslrootcert.is_some() || env::var_os("PGSSLROOTCERT").is_some()
}

/// A name as SQL has it: in quotes, its own quotes twice.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
