//! Every parameter that a URL may have: those of PostgreSQL's own library, versions 15 to 18, and those that providers
//! and other libraries add.

use std::path::PathBuf;

use super::{PostgresServer, to_port};

/// What is done with a parameter.
#[derive(Clone, Copy)]
pub(super) enum Use {
    /// It does what it says. The error is what it must have.
    Set(fn(&mut PostgresServer, &str) -> Result<(), &'static str>),
    /// It makes no difference here, whatever its value.
    Ignore,
    /// These values make no difference here. Another cannot be honoured; what to do instead.
    Only(&'static [&'static str], &'static str),
    /// It cannot be honoured; what to do instead.
    Refuse(&'static str),
}

use Use::{Ignore, Only, Refuse, Set};

const VERIFY: &str = "the driver cannot do it. Take it out, and write sslmode=verify-full, by which the server's \
                      certificate is checked";
const NO_OAUTH: &str = "the driver has no OAuth: give the role a password";
const NO_LISTS: &str = "the driver looks at no lists of revoked certificates";
const PASSWORD: &str = "the driver needs the password itself";
const SERVICE: &str = "write out what the service says";

/// In the order in which libpq's documentation has them, then those of others.
pub(super) const PARAMETERS: &[(&str, Use)] = &[
    ("host", Set(|server, value| put(&mut server.host, value, "a host"))),
    ("hostaddr", Set(set_address)),
    ("port", Set(set_port)),
    ("dbname", Set(|server, value| put(&mut server.database, value, "a database's name"))),
    ("user", Set(|server, value| put(&mut server.user, value, "a role's name"))),
    ("password", Set(set_password)),
    ("passfile", Refuse("name the file by the variable PGPASSFILE")),
    ("require_auth", Refuse(VERIFY)),
    // SCRAM without it: the driver has no other.
    ("channel_binding", Only(&["disable", "prefer"], VERIFY)),
    // DB_ACQUIRE_TIMEOUT bounds it.
    ("connect_timeout", Ignore),
    ("client_encoding", Only(&["UTF8", "utf8", "UTF-8", "utf-8", "auto"], "chatkeep speaks UTF-8")),
    ("options", Set(set_options)),
    ("application_name", Set(|server, value| put(&mut server.application_name, value, "a name"))),
    ("fallback_application_name", Set(set_fallback_name)),
    // A call is bounded by the layers' deadline, whatever the connection does.
    ("keepalives", Ignore),
    ("keepalives_idle", Ignore),
    ("keepalives_interval", Ignore),
    ("keepalives_count", Ignore),
    ("tcp_user_timeout", Ignore),
    ("replication", Only(&["false", "off", "no", "0"], "chatkeep is no replica")),
    ("gssencmode", Only(&["disable", "prefer"], "the driver has no GSSAPI. Write sslmode=verify-full")),
    ("sslmode", Set(set_sslmode)),
    ("requiressl", Only(&["0"], "write sslmode=require, or better verify-full")),
    ("sslnegotiation", Only(&["postgres"], "the driver asks the server first, as before PostgreSQL 17")),
    // No version of TLS that is spoken compresses.
    ("sslcompression", Ignore),
    ("sslcert", Set(|server, value| put_path(&mut server.sslcert, value))),
    ("sslkey", Set(|server, value| put_path(&mut server.sslkey, value))),
    ("sslkeylogfile", Refuse("the driver does not write the session's keys down")),
    ("sslpassword", Refuse("the driver reads no key with a passphrase: name by sslkey a file without one")),
    ("sslcertmode", Only(&["allow"], "the client's certificate is sent where sslcert names it")),
    ("sslrootcert", Set(|server, value| put_path(&mut server.sslrootcert, value))),
    ("sslcrl", Refuse(NO_LISTS)),
    ("sslcrldir", Refuse(NO_LISTS)),
    ("sslsni", Only(&["1"], "the driver always names the host")),
    (
        "requirepeer",
        Refuse("the driver does not look whose a socket is: put it into a folder of the server's own"),
    ),
    // The driver speaks 1.2 and 1.3.
    (
        "ssl_min_protocol_version",
        Only(&["TLSv1", "TLSv1.1", "TLSv1.2"], "set the server's ssl_min_protocol_version"),
    ),
    ("ssl_max_protocol_version", Only(&["TLSv1.3"], "set the server's ssl_max_protocol_version")),
    ("min_protocol_version", Only(&["3.0"], "the driver speaks 3.0")),
    // 3.0 is below each of them.
    ("max_protocol_version", Ignore),
    // Without meaning where nobody logs in by Kerberos, which the driver cannot.
    ("krbsrvname", Ignore),
    ("gsslib", Ignore),
    ("gssdelegation", Ignore),
    ("scram_client_key", Refuse(PASSWORD)),
    ("scram_server_key", Refuse(PASSWORD)),
    ("service", Refuse(SERVICE)),
    ("servicefile", Refuse(SERVICE)),
    (
        "target_session_attrs",
        Only(
            &["any", "read-write", "primary", "prefer-standby"],
            "chatkeep writes, and so needs a server that can be written",
        ),
    ),
    // There is one host.
    ("load_balance_hosts", Ignore),
    ("oauth_issuer", Refuse(NO_OAUTH)),
    ("oauth_client_id", Refuse(NO_OAUTH)),
    ("oauth_client_secret", Refuse(NO_OAUTH)),
    ("oauth_scope", Refuse(NO_OAUTH)),
    // Of Prisma and of JDBC.
    ("schema", Set(|server, value| put(&mut server.schema, value, "a schema's name"))),
    ("pgbouncer", Set(set_pgbouncer)),
    ("connection_limit", Set(set_connections)),
    ("statement_cache_size", Set(set_statements)),
    // DB_ACQUIRE_TIMEOUT and DB_DEADLINE bound them.
    ("pool_timeout", Ignore),
    ("socket_timeout", Ignore),
    // What `prefer` and `require` do.
    ("sslaccept", Only(&["accept_invalid_certs"], "write sslmode=verify-full in the place of strict")),
    ("sslidentity", Refuse("name PEM files by sslcert and sslkey")),
    ("ssl", Only(&["false", "0"], "write sslmode=require, or better verify-full")),
    // Supabase's, for other programs; and node-postgres', which asks for what is so here.
    ("supa", Ignore),
    ("workaround", Ignore),
    ("uselibpqcompat", Only(&["true"], "chatkeep reads sslmode as PostgreSQL's own programs do")),
];

/// Other names of the same.
const ALIASES: [(&str, &str); 8] = [
    ("currentSchema", "schema"),
    ("ssl-mode", "sslmode"),
    ("ssl-root-cert", "sslrootcert"),
    ("ssl-ca", "sslrootcert"),
    ("ssl-cert", "sslcert"),
    ("ssl-key", "sslkey"),
    ("statement-cache-capacity", "statement_cache_size"),
    ("prepared_statement_cache_size", "statement_cache_size"),
];

/// The parameter's own name, and what is done with it.
pub(super) fn find(name: &str) -> Option<(&'static str, Use)> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
    PARAMETERS.iter().find(|(known, _)| *known == name).copied()
}

/// The names that do something, for errors.
pub(super) fn honoured() -> String {
    let names = PARAMETERS.iter().filter(|(_, usage)| matches!(usage, Set(_))).map(|(name, _)| *name);
    names.collect::<Vec<_>>().join(", ")
}

/// Whether it looks like the name of a parameter, and not like a piece of something that was not encoded.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte))
}

/// `options[name]=value`, as the driver has it; false for another parameter.
pub(super) fn set_option(server: &mut PostgresServer, name: &str, value: &str) -> bool {
    let name = name.strip_prefix("options[").and_then(|name| name.strip_suffix(']'));
    let Some(name) = name.filter(|name| !name.is_empty() && is_name(name)) else { return false };
    let value = value.replace('\\', "\\\\").replace(' ', "\\ ");
    add_option(server, &format!("-c {name}={value}"));
    true
}

fn set_options(server: &mut PostgresServer, value: &str) -> Result<(), &'static str> {
    if value.is_empty() {
        return Err("options such as -c geqo=off");
    }
    add_option(server, value);
    Ok(())
}

fn add_option(server: &mut PostgresServer, option: &str) {
    let before = server.options.take().map(|options| options + " ").unwrap_or_default();
    server.options = Some(before + option);
}

fn put(field: &mut Option<String>, value: &str, rule: &'static str) -> Result<(), &'static str> {
    *field = Some(value.to_owned()).filter(|value| !value.is_empty());
    field.is_some().then_some(()).ok_or(rule)
}

fn put_path(field: &mut Option<PathBuf>, value: &str) -> Result<(), &'static str> {
    *field = Some(value.into()).filter(|_| !value.is_empty());
    field.is_some().then_some(()).ok_or("the path of a file")
}

fn set_address(server: &mut PostgresServer, value: &str) -> Result<(), &'static str> {
    let address: std::net::IpAddr = value.parse().map_err(|_| "an IP address")?;
    server.host = Some(address.to_string());
    Ok(())
}

fn set_port(server: &mut PostgresServer, value: &str) -> Result<(), &'static str> {
    server.port = Some(to_port(value).ok_or("a whole number from 1 to 65535")?);
    Ok(())
}

fn set_password(server: &mut PostgresServer, value: &str) -> Result<(), &'static str> {
    server.password = Some(value.to_owned().into()).filter(|_| !value.is_empty());
    server.password.is_some().then_some(()).ok_or("a password")
}

fn set_fallback_name(server: &mut PostgresServer, value: &str) -> Result<(), &'static str> {
    if server.application_name.is_some() || std::env::var_os("PGAPPNAME").is_some() {
        return Ok(());
    }
    put(&mut server.application_name, value, "a name")
}

fn set_sslmode(server: &mut PostgresServer, value: &str) -> Result<(), &'static str> {
    let rule = "disable, allow, prefer, require, verify-ca or verify-full";
    server.sslmode = Some(value.parse().map_err(|_| rule)?);
    Ok(())
}

fn set_pgbouncer(server: &mut PostgresServer, value: &str) -> Result<(), &'static str> {
    match value {
        "true" => server.max_statements = Some(0),
        "false" => {}
        _ => return Err("true or false"),
    }
    Ok(())
}

fn set_connections(server: &mut PostgresServer, value: &str) -> Result<(), &'static str> {
    let limit = value.parse().ok().filter(|limit| *limit > 0);
    server.max_connections = Some(limit.ok_or("a whole number from 1 to 4294967295")?);
    Ok(())
}

fn set_statements(server: &mut PostgresServer, value: &str) -> Result<(), &'static str> {
    let limit = value.parse().map_err(|_| "a whole number")?;
    server.max_statements = Some(server.max_statements.map_or(limit, |other| other.min(limit)));
    Ok(())
}
