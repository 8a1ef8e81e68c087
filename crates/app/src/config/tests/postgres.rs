//! PostgreSQL's settings: what the parts mean, and what of a URL is refused. What its parameters do is tested where it
//! is read, in the adapter.

use super::super::Backend;
#[cfg(feature = "postgres")]
use super::super::{ConfigError, DatabaseConfig, SslMode};
use super::{env, toml};

#[test]
fn a_server_without_a_backend_is_not_taken_for_sqlite() {
    for (variable, value) in [
        ("DB_HOST", "db"),
        ("DB_PORT", "5432"),
        ("DB_NAME", "mine"),
        ("DB_USER", "ada"),
        ("DB_PASSWORD", "pw"),
        ("DB_SCHEMA", "app"),
        ("DB_SSLMODE", "require"),
        ("DB_SSLROOTCERT", "system"),
    ] {
        let error = env([(variable, value)]).expect_err(variable).to_string();
        assert_eq!(
            error,
            format!(
                "DB_BACKEND must say which database {variable} is for: postgresql, or sqlite or memory, which do \
                 without it (got nothing)"
            )
        );
        for backend in ["sqlite", "memory"] {
            env([(variable, value), ("DB_BACKEND", backend)]).unwrap();
        }
        env([(variable, value), ("DB_SSLMODE", "verify-full"), ("DB_BACKEND", "postgresql")]).unwrap();
        env([(variable, value), ("DATABASE_URL", "memory:")]).unwrap();
    }
    let error = toml("[database]\nhost = 'db'").unwrap_err().to_string();
    assert!(error.contains("database.host in chatkeep.toml"), "{error}");
    let config = toml("[database]\nhost = 'db'\nbackend = 'postgresql'").unwrap();
    assert_eq!(config.database.backend, Backend::Postgresql);
}

#[cfg(feature = "postgres")]
#[test]
fn a_parameter_that_nobody_knows_is_refused_by_its_name() {
    for name in ["shema", "search_path", "sslmodus"] {
        let url = format!("postgres://u:hunter2@h/d?{name}=hunter2");
        let error = env([("DATABASE_URL", &url)]).expect_err(name);
        let text = format!("{error} {error:?}");
        assert!(
            text.contains("DATABASE_URL must") && text.contains(name) && text.contains("sslmode"),
            "{text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[cfg(feature = "postgres")]
#[test]
fn channel_binding_cannot_be_had_and_the_error_says_what_to_write() {
    let url = "postgres://u:p@h/d?sslmode=require&channel_binding=require";
    let error = env([("DATABASE_URL", url)]).unwrap_err().to_string();
    for part in ["DATABASE_URL", "channel_binding", "sslmode=verify-full"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn numbers_out_of_range_name_the_setting() {
    for huge in [
        "9223372036854775808",
        "18446744073709551616",
        "340282366920938463463374607431768211456",
        "-9223372036854775809",
    ] {
        for (variable, key) in [
            ("DB_PORT", "port"),
            ("DB_POOL_SIZE", "pool_size"),
            ("DB_STATEMENT_CACHE_SIZE", "statement_cache_size"),
        ] {
            let error = env([(variable, huge)]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{variable} must be a whole number from")), "{error}");
            let error = toml(&format!("# mine\n[database]\n{key} = {huge}")).unwrap_err().to_string();
            assert!(error.starts_with("chatkeep.toml cannot be read as TOML: at line 3, column "), "{error}");
            assert!(error.contains(&format!("`database.{key}`")) && error.contains("number"), "{error}");
            // One more than the rules allow.
            assert!(env([(variable, "4294967296")]).is_err(), "{variable}");
            let error = toml(&format!("[database]\n{key} = 4294967296")).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("database.{key} in chatkeep.toml must be a whole number")),
                "{error}"
            );
        }
        for variable in ["DB_DEADLINE", "DB_ACQUIRE_TIMEOUT", "DB_STATEMENT_TIMEOUT"] {
            let error = env([(variable, huge)]).unwrap_err().to_string();
            assert!(error.starts_with(variable), "{error}");
        }
    }
}

#[cfg(feature = "postgres")]
#[test]
fn schema_and_tls_may_be_said_beside_the_url_but_not_differently() {
    let url = |url: &'static str, more: [(&'static str, &'static str); 1]| {
        env([("DATABASE_URL", url), more[0]]).map(drop).map_err(|error| error.to_string())
    };
    for (text, more) in [
        ("postgres://h/d", ("DB_SCHEMA", "app")),
        ("postgres://h/d?schema=app", ("DB_SCHEMA", "app")),
        ("postgres://h/d", ("DB_SSLMODE", "verify-full")),
        ("postgres://h/d?sslmode=verify-full", ("DB_SSLROOTCERT", "system")),
        ("postgres://h/d?sslrootcert=system", ("DB_SSLMODE", "verify-full")),
    ] {
        assert_eq!(url(text, [more]), Ok(()), "{text}");
    }
    for (text, more, error) in [
        (
            "postgres://h/d?schema=app",
            ("DB_SCHEMA", "other"),
            "DB_SCHEMA must be left out, or be what DATABASE_URL says by `schema`",
        ),
        (
            "postgres://h/d?sslmode=require",
            ("DB_SSLMODE", "verify-full"),
            "DB_SSLMODE must be left out, or be what DATABASE_URL says",
        ),
        (
            "postgres://h/d?sslmode=require",
            ("DB_SSLROOTCERT", "system"),
            "DATABASE_URL has an `sslmode` that must be verify-full",
        ),
        (
            "postgres://h/d?sslrootcert=/none.pem&sslmode=verify-full",
            ("DB_USER", "x"),
            "DATABASE_URL has an `sslrootcert` that must be a file that can be read",
        ),
        (
            "postgres://h/d?sslcert=/none.pem",
            ("DB_USER", "x"),
            "DATABASE_URL has an `sslcert` that must come with sslkey",
        ),
    ] {
        let shown = url(text, [more]).unwrap_err();
        assert!(shown.starts_with(error), "{text}: {shown}");
    }
}

#[cfg(feature = "postgres")]
#[test]
fn parts_that_name_no_server_say_which_and_why() {
    for (variable, value, error) in [
        (
            "DB_SSLMODE",
            "on",
            "DB_SSLMODE must be disable, allow, prefer, require, verify-ca or verify-full (got \"on\")",
        ),
        (
            "DB_SSLROOTCERT",
            "/none/root.pem",
            "DB_SSLMODE must be verify-full, verify-ca or require where sslrootcert names a file",
        ),
        ("DB_SCHEMA", "a,b", "DB_SCHEMA must be one schema (got a list)"),
        ("DB_SCHEMA", "", "DB_SCHEMA must be 1 to 63 bytes long (got 0 bytes)"),
        ("DB_HOST", "h1,h2", "DB_HOST must be one host's name or address"),
        ("DB_HOST", "postgres://u:hunter2@h", "DB_HOST must be one host's name or address"),
        ("DB_HOST", "h:5433", "DB_HOST must be one host's name or address"),
    ] {
        let shown = env([("DB_BACKEND", "postgresql"), (variable, value)]).expect_err(value).to_string();
        assert!(shown.starts_with(error) && !shown.contains("hunter2"), "{variable}={value}: {shown}");
    }
    let settings =
        [("DB_BACKEND", "postgresql"), ("DB_SSLMODE", "verify-ca"), ("DB_SSLROOTCERT", "/none/root.pem")];
    let shown = env(settings).unwrap_err().to_string();
    assert!(
        shown.starts_with("DB_SSLROOTCERT must be a file that can be read (got /none/root.pem: "),
        "{shown}"
    );
    for host in ["::1", "[::1]", "/var/run/postgresql"] {
        env([("DB_BACKEND", "postgresql"), ("DB_HOST", host)]).unwrap();
    }
}

#[cfg(feature = "postgres")]
#[test]
fn what_is_set_by_hand_is_checked_too() {
    let mut config = DatabaseConfig::from_url("postgres://h/d").unwrap();
    config.sslmode = Some(SslMode::Prefer);
    config.sslrootcert = Some("system".into());
    let error = config.validate().unwrap_err();
    assert!(
        matches!(&error, ConfigError::Invalid { setting, .. } if setting == "database.sslmode"),
        "{error}"
    );
}
