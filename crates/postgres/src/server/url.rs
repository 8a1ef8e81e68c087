//! Reads a URL, in the grammar of PostgreSQL's own library: `postgres://[user[:password]@][host][:port][/database]`, and
//! parameters behind `?`.

use std::collections::HashSet;
use std::net::Ipv6Addr;

use chatkeep_domain::InvalidArgument;
use percent_encoding::percent_decode_str;

use super::parameters::{self, Use};
use super::{PostgresServer, check_host, check_schema, to_port};

const FORM: &str = "must be a URL such as postgres://user:password@host:5432/database, with special characters \
                    percent-encoded";

fn refuse(rule: impl Into<String>, actual: impl Into<String>) -> InvalidArgument {
    InvalidArgument::new("url", rule.into(), actual.into())
}

pub(super) fn read(url: &str) -> Result<PostgresServer, InvalidArgument> {
    let url = url.trim();
    let rest = without_scheme(url)?;
    if rest.contains(char::is_control) {
        return Err(refuse(FORM, "a control character"));
    }
    if rest.contains('#') {
        return Err(refuse(FORM, "a `#`, which is written %23"));
    }
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = address.split_once('/').unwrap_or((address, ""));
    if database.contains('@') {
        // Most often of a password: what stands before it would be taken for the host.
        return Err(refuse(FORM, "an `@` behind a `/`: a `/` is written %2F, and an `@` %40"));
    }
    let mut server = PostgresServer { database: decoded(database)?, ..PostgresServer::default() };
    read_authority(&mut server, authority)?;
    read_parameters(&mut server, query)?;
    check_values(&server)?;
    Ok(server)
}

fn without_scheme(url: &str) -> Result<&str, InvalidArgument> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(refuse(FORM, "a text without a scheme"));
    };
    match scheme.split_once('+') {
        _ if scheme == "postgres" || scheme == "postgresql" => Ok(rest),
        // As SQLAlchemy writes it.
        Some(("postgres" | "postgresql", _)) => Err(refuse(
            "must begin with postgresql://, without a `+` and the name of a driver",
            "another scheme",
        )),
        _ => Err(refuse(FORM, "another scheme")),
    }
}

fn read_authority(server: &mut PostgresServer, authority: &str) -> Result<(), InvalidArgument> {
    // Behind the last one, for the sake of passwords that hold one.
    let (who, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = who.split_once(':').unwrap_or((who, ""));
    server.user = decoded(user)?;
    server.password = decoded(password)?.map(Into::into);
    let (host, port) = host_and_port(place)?;
    server.host = host;
    if !port.is_empty() {
        let port = to_port(port).ok_or_else(|| refuse(FORM, "a port that is no number from 1 to 65535"))?;
        server.port = Some(port);
    }
    Ok(())
}

fn host_and_port(place: &str) -> Result<(Option<String>, &str), InvalidArgument> {
    if place.contains(',') {
        return Err(refuse("must name one host: chatkeep does not try several in turn", "several hosts"));
    }
    let Some(rest) = place.strip_prefix('[') else {
        let (host, port) = place.split_once(':').unwrap_or((place, ""));
        if port.contains(':') {
            let actual = "an IPv6 address without brackets, or a `:`, `/` or `@` in the password";
            return Err(refuse(FORM, actual));
        }
        return Ok((decoded(host)?, port));
    };
    let (address, rest) = rest.split_once(']').ok_or_else(|| refuse(FORM, "a `[` without `]`"))?;
    if address.parse::<Ipv6Addr>().is_err() {
        return Err(refuse(FORM, "no IPv6 address between brackets"));
    }
    let port = if rest.is_empty() { Some("") } else { rest.strip_prefix(':') };
    Ok((Some(address.to_owned()), port.ok_or_else(|| refuse(FORM, "something behind the brackets"))?))
}

fn read_parameters(server: &mut PostgresServer, query: &str) -> Result<(), InvalidArgument> {
    let has_host = server.host.is_some();
    let mut seen = HashSet::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name)?.unwrap_or_default(), decoded(value)?.unwrap_or_default());
        if parameters::set_option(server, &name, &value) {
            continue;
        }
        // Of a password with a `?` in it, no word is to be shown.
        let (name, usage) = parameters::find(&name).ok_or_else(|| unknown(&name, query.contains('@')))?;
        if !seen.insert(name) {
            return Err(refuse("must say each thing once", format!("`{name}` twice")));
        }
        apply(server, name, usage, &value)?;
    }
    if seen.contains("hostaddr") && (seen.contains("host") || has_host) {
        return Err(refuse("must name the host once: leave out `hostaddr`, or the host", "both"));
    }
    Ok(())
}

fn apply(server: &mut PostgresServer, name: &str, usage: Use, value: &str) -> Result<(), InvalidArgument> {
    let (rule, actual) = match usage {
        Use::Ignore => return Ok(()),
        Use::Set(set) => match set(server, value) {
            Ok(()) => return Ok(()),
            Err(rule) => (format!("must have for `{name}` {rule}"), "another value"),
        },
        Use::Only(values, _) if values.contains(&value) => return Ok(()),
        Use::Only(values, advice) => {
            let values = values.join(" or ");
            (format!("must have for `{name}` {values}, or do without it: {advice}"), "another value")
        }
        Use::Refuse(advice) => (format!("must do without `{name}`: {advice}"), "that parameter"),
    };
    Err(refuse(rule, actual))
}

fn unknown(name: &str, may_be_secret: bool) -> InvalidArgument {
    let is_shown = !may_be_secret && parameters::is_name(name);
    let actual = if is_shown { format!("`{name}`") } else { "another".to_owned() };
    refuse(
        format!("must have no parameters but those that chatkeep knows: {}", parameters::honoured()),
        actual,
    )
}

/// What can be wrong with what was said, as far as the URL alone decides it.
fn check_values(server: &PostgresServer) -> Result<(), InvalidArgument> {
    let host = server.host.as_deref().map_or(Ok(()), check_host);
    let schema = server.schema.as_deref().map_or(Ok(()), check_schema);
    host.and(schema)
        .map_err(|error| refuse(format!("has a {} that {}", error.field, error.rule), error.actual))
}

/// `None` for nothing. A `+` stays a plus, as PostgreSQL's own library has it.
fn decoded(text: &str) -> Result<Option<String>, InvalidArgument> {
    if text.is_empty() {
        return Ok(None);
    }
    let is_hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' && !(is_hex(rest.next()) && is_hex(rest.next())) {
            return Err(refuse(FORM, "a `%` without two hex digits; the sign itself is written %25"));
        }
    }
    let text = percent_decode_str(text).decode_utf8().map_err(|_| refuse(FORM, "other text than UTF-8"))?;
    if text.contains('\0') {
        return Err(refuse(FORM, "the character U+0000"));
    }
    Ok(Some(text.into_owned()))
}
