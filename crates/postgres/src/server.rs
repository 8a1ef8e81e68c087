//! Where a PostgreSQL server is, and how it is spoken to: from its parts, or from a URL.

mod options;
mod parameters;
mod url;

use std::fmt;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chatkeep_domain::InvalidArgument;
use secrecy::{ExposeSecret as _, SecretString};

pub(crate) use self::options::{quoted, to_options};

/// How much of TLS is asked for, in PostgreSQL's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SslMode {
    /// No TLS.
    Disable,
    /// TLS where the server offers it: as [`Prefer`](Self::Prefer), because the driver does not try both.
    Allow,
    /// TLS where the server offers it; the server's certificate is not checked.
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
    type Err = InvalidArgument;

    fn from_str(text: &str) -> Result<Self, InvalidArgument> {
        let rule = "must be disable, allow, prefer, require, verify-ca or verify-full";
        let known = Self::ALL.into_iter().find(|mode| mode.as_str() == text);
        known.ok_or_else(|| InvalidArgument::new("sslmode", rule, "another word"))
    }
}

/// Where a PostgreSQL server is, and how it is spoken to. What is `None` is as PostgreSQL's own programs have it: from
/// the variables `PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER`, `PGPASSWORD`, `PGSSLMODE`, `PGSSLROOTCERT`, `PGSSLCERT`,
/// `PGSSLKEY`, `PGAPPNAME` and `PGOPTIONS`, the password also from the file of passwords; else their default.
///
/// `Debug` shows neither the password nor the user.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct PostgresServer {
    /// A host's name or address, or the folder of a socket, which begins with `/`.
    pub host: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// The database.
    pub database: Option<String>,
    /// The role.
    pub user: Option<String>,
    /// The role's password.
    pub password: Option<SecretString>,
    /// The schema that holds the tables, and the only one that is looked into; its name as it is, case included. `None` is
    /// the first of the role's `search_path`, most often `public`. Migrations make it where it is missing.
    pub schema: Option<String>,
    /// How much of TLS is asked for.
    pub sslmode: Option<SslMode>,
    /// A file of PEM certificates, one of which must have signed the server's. Public authorities, those that Mozilla trusts,
    /// are built in and trusted besides. `system` names no file, and asks for `verify-full` with those alone.
    pub sslrootcert: Option<PathBuf>,
    /// A file with the client's own certificate, PEM. Goes with `sslkey`.
    pub sslcert: Option<PathBuf>,
    /// A file with the key of `sslcert`, PEM, without a passphrase.
    pub sslkey: Option<PathBuf>,
    /// What the server's lists of sessions show.
    pub application_name: Option<String>,
    /// Options for the session, as the server's command line takes them: `-c geqo=off`.
    pub options: Option<String>,
    /// The most connections, whatever the pool's size.
    pub max_connections: Option<u32>,
    /// The most prepared statements a connection, whatever the cache's size.
    pub max_statements: Option<usize>,
}

impl PostgresServer {
    /// What a URL says: `postgres://user:password@host:5432/database?sslmode=verify-full&schema=app`, in the grammar of
    /// PostgreSQL's own library. The crate's README has the table of parameters: each is honoured, makes no difference
    /// here, or is refused.
    ///
    /// # Errors
    /// [`InvalidArgument`] of the field `url` says what must be changed. It repeats nothing of the URL but the name of a
    /// parameter.
    pub fn from_url(url: &SecretString) -> Result<Self, InvalidArgument> {
        url::read(url.expose_secret())
    }

    /// Checks what the types do not, and that the files of certificates can be read.
    ///
    /// # Errors
    /// [`InvalidArgument`] names the field.
    pub fn validate(&self) -> Result<(), InvalidArgument> {
        self.host.as_deref().map_or(Ok(()), check_host)?;
        self.schema.as_deref().map_or(Ok(()), check_schema)?;
        if self.port == Some(0) {
            return Err(InvalidArgument::new("port", "must be a whole number from 1 to 65535", "0"));
        }
        self.check_mode()?;
        if self.sslcert.is_some() != self.sslkey.is_some() {
            let rule = "must come with sslkey, and sslkey with sslcert: they are the client's own. The certificate of \
                        the server's authority is sslrootcert";
            return Err(InvalidArgument::new("sslcert", rule, "one of the two"));
        }
        for (field, file) in
            [("sslrootcert", &self.sslrootcert), ("sslcert", &self.sslcert), ("sslkey", &self.sslkey)]
        {
            if let Some(file) = file.as_deref().filter(|file| *file != Path::new(SYSTEM)) {
                check_pem(field, file)?;
            }
        }
        Ok(())
    }

    /// A root certificate that would not be looked at is a mistake.
    fn check_mode(&self) -> Result<(), InvalidArgument> {
        let mode = options::mode_of(self)?;
        let bad = |rule| Err(InvalidArgument::new("sslmode", rule, mode.as_str()));
        match &self.sslrootcert {
            Some(_) if self.is_rooted_in_system() && mode != SslMode::VerifyFull => {
                bad("must be verify-full, or left out, where sslrootcert is `system`")
            }
            Some(_) if matches!(mode, SslMode::Disable | SslMode::Allow | SslMode::Prefer) => bad(
                "must be verify-full, verify-ca or require where sslrootcert names a file, which nothing else looks at",
            ),
            _ => Ok(()),
        }
    }

    fn is_rooted_in_system(&self) -> bool {
        self.sslrootcert.as_deref() == Some(Path::new(SYSTEM))
    }
}

impl fmt::Debug for PostgresServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresServer")
            .field("schema", &self.schema)
            .field("sslmode", &self.sslmode)
            .field("max_connections", &self.max_connections)
            .field("max_statements", &self.max_statements)
            .finish_non_exhaustive()
    }
}

/// What PostgreSQL's own library has for the authorities that are trusted anyway.
const SYSTEM: &str = "system";

fn to_port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port > 0)
}

/// An IPv6 address may be in brackets, as in a URL.
fn without_brackets(host: &str) -> &str {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    address.filter(|address| address.parse::<Ipv6Addr>().is_ok()).unwrap_or(host)
}

fn check_host(host: &str) -> Result<(), InvalidArgument> {
    const RULE: &str = "must be one host's name or address, or the folder of a socket, which begins with `/`";
    let bad = |rule, actual| Err(InvalidArgument::new("host", rule, actual));
    let host = without_brackets(host);
    if host.is_empty() {
        return bad("must not be empty", "\"\"");
    }
    if host.contains("://") || host.contains('@') {
        return bad(RULE, "what looks like a URL");
    }
    if host.contains(char::is_control) {
        return bad(RULE, "a control character");
    }
    if host.starts_with('/') {
        return Ok(());
    }
    if host.contains(',') {
        return bad(RULE, "several hosts");
    }
    if host.contains(['/', ' ', '[', ']', '?', '#']) {
        return bad(RULE, "a character that no host has");
    }
    if host.contains(':') && host.parse::<Ipv6Addr>().is_err() {
        return bad(RULE, "a colon, but no IPv6 address: a port is a setting of its own");
    }
    Ok(())
}

/// The most bytes of a PostgreSQL name; what is longer it cuts, and so it would be another.
const LONGEST_NAME: usize = 63;

fn check_schema(name: &str) -> Result<(), InvalidArgument> {
    let bad = |rule, actual: String| Err(InvalidArgument::new("schema", rule, actual));
    if name.is_empty() || name.len() > LONGEST_NAME {
        return bad("must be 1 to 63 bytes long", format!("{} bytes", name.len()));
    }
    if name.contains(char::is_control) {
        return bad("must not hold a control character", "one".to_owned());
    }
    if name.contains(',') {
        return bad("must be one schema", "a list".to_owned());
    }
    // The server reads `$user` as the role's name even between quotes.
    if name.starts_with("pg_") || name == "$user" || name == "information_schema" {
        return bad("must not be a schema of PostgreSQL's own", "one of them".to_owned());
    }
    Ok(())
}

/// The driver takes a file without PEM for one without certificates, and fails much later.
fn check_pem(field: &'static str, file: &Path) -> Result<(), InvalidArgument> {
    let bad = |rule, actual: String| InvalidArgument::new(field, rule, actual);
    let name = file.display();
    let content = std::fs::read(file)
        .map_err(|error| bad("must be a file that can be read", format!("{name}: {error}")))?;
    if !String::from_utf8_lossy(&content).contains("-----BEGIN ") {
        return Err(bad("must be a file in the form PEM, which begins with `-----BEGIN`", name.to_string()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
