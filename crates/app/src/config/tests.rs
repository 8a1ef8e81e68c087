mod dotenv;
mod postgres;
mod sqlite;

use std::fs;
use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::{Backend, ConfigError, DatabaseConfig, Sources, SslMode, StateConfig, Target};

fn env<const N: usize>(variables: [(&str, &str); N]) -> Result<StateConfig, ConfigError> {
    StateConfig::from_sources(Sources::new().env(variables))
}

fn toml(text: &str) -> Result<StateConfig, ConfigError> {
    StateConfig::from_sources(Sources::new().toml("chatkeep.toml", text))
}

#[test]
fn without_sources_there_are_defaults() {
    let config = StateConfig::from_sources(Sources::new()).unwrap();
    assert_eq!((config.user_id.as_str(), config.org_id.as_str()), ("default_user", "default_org"));
    assert!(!config.enable_persistence);
    let database = config.database;
    assert_eq!((database.backend, database.path, database.auto_migrate), (Backend::Sqlite, None, None));
    assert_eq!((database.host.as_str(), database.port), ("localhost", 5432));
    assert_eq!((database.pool_size, database.max_overflow), (5, 10));
    assert_eq!((database.acquire_timeout.as_secs(), database.deadline.as_secs()), (10, 30));
    assert!(super::default_path().unwrap().ends_with("chatkeep/chatkeep.db"));
}

#[test]
fn later_sources_win_over_earlier_ones() {
    let sources = Sources::new()
        .toml(
            "chatkeep.toml",
            "user_id = 'toml'\norg_id = 'toml'\n[database]\nbackend = 'postgres'\nhost = 'toml'\nport = 1\nname = 'toml'",
        )
        .dotenv("DB_HOST=dotenv\nDB_PORT=2\nDEFAULT_USER_ID=dotenv\n# a comment\nexport DB_USER='dot env'")
        .env([("DB_PORT", "3"), ("DEFAULT_USER_ID", "env"), ("PATH", "/bin")]);
    let config = StateConfig::from_sources(sources).unwrap();
    let database = config.database;
    assert_eq!((database.name.as_str(), database.host.as_str(), database.port), ("toml", "dotenv", 3));
    assert_eq!((config.user_id.as_str(), config.org_id.as_str()), ("env", "toml"));
    assert_eq!(database.user, "dot env");
}

#[test]
fn every_variable_arrives() {
    let config = env([
        ("ENABLE_DB_PERSISTENCE", "Yes"),
        ("DB_BACKEND", "postgres"),
        ("DB_NAME", "true"),
        ("DB_USER", "0042"),
        ("DB_PASSWORD", "12345"),
        ("DB_SCHEMA", "app"),
        ("DB_SSLMODE", "verify-full"),
        ("DB_SSLROOTCERT", "system"),
        ("DB_PATH", "/x/y.db"),
        ("DB_POOL_SIZE", "7"),
        ("DB_MAX_OVERFLOW", "0"),
        ("DB_ACQUIRE_TIMEOUT", "0.5"),
        ("DB_STATEMENT_TIMEOUT", "0"),
        ("DB_DEADLINE", "0.25"),
        ("DB_STATEMENT_CACHE_SIZE", "0"),
        ("DB_COALESCE_APPENDS", "off"),
        ("DB_AUTO_MIGRATE", "OFF"),
    ])
    .unwrap();
    assert!(config.enable_persistence);
    let database = config.database;
    assert_eq!(database.backend, Backend::Postgresql);
    assert_eq!((database.name.as_str(), database.user.as_str()), ("true", "0042"));
    assert_eq!(database.password.expose_secret(), "12345");
    assert_eq!((database.schema.as_deref(), database.sslmode), (Some("app"), Some(SslMode::VerifyFull)));
    assert_eq!(database.sslrootcert.as_deref(), Some(Path::new("system")));
    assert_eq!(database.path.unwrap().to_str(), Some("/x/y.db"));
    assert_eq!((database.pool_size, database.max_overflow), (7, 0));
    assert_eq!(database.acquire_timeout, Duration::from_millis(500));
    assert_eq!(database.deadline, Duration::from_millis(250));
    assert_eq!((database.statement_timeout, database.statement_cache_size), (None, 0));
    assert_eq!((database.coalesce_appends, database.auto_migrate), (false, Some(false)));
}

#[test]
fn toml_may_use_its_own_types() {
    let text = "enable_persistence = true\n[database]\nbackend = 'mock'\nport = 5433\npool_size = '8'\n\
                acquire_timeout = 2\nstatement_timeout = 1.5\ndeadline = 90\ncoalesce_appends = 'yes'\nauto_migrate = 1\npassword = 'x'";
    let config = toml(text).unwrap();
    let database = config.database;
    assert!(config.enable_persistence);
    assert_eq!((database.backend, database.port, database.pool_size), (Backend::Memory, 5433, 8));
    assert_eq!(database.acquire_timeout, Duration::from_secs(2));
    assert_eq!(database.deadline, Duration::from_secs(90));
    assert_eq!(database.statement_timeout, Some(Duration::from_millis(1500)));
    assert_eq!((database.coalesce_appends, database.auto_migrate), (true, Some(true)));
}

#[test]
fn bad_values_name_the_setting_the_value_and_what_is_allowed() {
    let whole = "must be a whole number from";
    for (variable, value, message) in [
        ("DB_PORT", "70000", format!("{whole} 1 to 65535 (got \"70000\")")),
        ("DB_PORT", "abc", format!("{whole} 1 to 65535 (got \"abc\")")),
        ("DB_PORT", "", format!("{whole} 1 to 65535 (got \"\")")),
        ("DB_PORT", "0", format!("{whole} 1 to 65535 (got 0)")),
        ("DB_POOL_SIZE", "0", format!("{whole} 1 to 4294967295 (got 0)")),
        ("DB_POOL_SIZE", "-1", format!("{whole} 1 to 4294967295 (got \"-1\")")),
        (
            "DB_MAX_OVERFLOW",
            "4294967295",
            "must be below 2^32 together with the pool size (got 4294967295)".into(),
        ),
        ("DB_STATEMENT_CACHE_SIZE", "1.5", format!("{whole} 0 to 4294967295 (got \"1.5\")")),
        ("DB_BACKEND", "mysql", "must be memory, sqlite or postgresql (got \"mysql\")".into()),
        ("DB_AUTO_MIGRATE", "maybe", "must be true, false, 1, 0, yes, no, on or off (got \"maybe\")".into()),
        ("ENABLE_DB_PERSISTENCE", "2", "must be true, false, 1, 0, yes, no, on or off (got \"2\")".into()),
        ("DB_HOST", "", "must not be empty (got \"\")".into()),
        ("DB_PATH", "", "must not be empty (got \"\")".into()),
        ("DEFAULT_ORG_ID", "", "must not be empty (got 0 bytes)".into()),
        ("DEFAULT_USER_ID", "a\u{7}", "must not hold a control character (got one at byte 1)".into()),
    ] {
        let error = env([(variable, value)]).unwrap_err().to_string();
        assert_eq!(error, format!("{variable} {message}"));
        let dotenv = StateConfig::from_sources(Sources::new().dotenv(format!("{variable}=\"{value}\"")));
        assert_eq!(dotenv.unwrap_err().to_string(), format!("{variable} in line 1 of .env {message}"));
    }
    for (text, message) in [
        (
            "[database]\nport = 70000",
            "database.port in chatkeep.toml must be a whole number from 1 to 65535 (got 70000)",
        ),
        ("[database]\nhost = 7", "database.host in chatkeep.toml must be text in quotes (got 7)"),
        (
            "[database]\npool_size = [1]",
            "database.pool_size in chatkeep.toml must be a whole number from 1 to 4294967295 (got a table or list)",
        ),
        ("org_id = ''", "org_id in chatkeep.toml must not be empty (got 0 bytes)"),
    ] {
        assert_eq!(toml(text).unwrap_err().to_string(), message);
    }
    for misspelt in ["[database]\nhots = 'x'", "databse = 1", "database = 1"] {
        let error = toml(misspelt).unwrap_err();
        assert!(matches!(&error, ConfigError::UnknownKey { .. }), "{error}");
        assert!(error.to_string().contains("database.host"), "{error}");
    }
}

const FROM_A_MILLISECOND: &str = "must be a number of seconds from 0.001 to 2147483.647";
const OR_NO_LIMIT: &str = "must be 0 for no limit, or a number of seconds from 0.001 to 2147483.647";

/// What the drivers panic at, the server refuses, or truncates to no limit.
#[test]
fn seconds_are_those_that_every_store_can_wait() {
    for (variable, key, rule) in [
        ("DB_DEADLINE", "deadline", FROM_A_MILLISECOND),
        ("DB_ACQUIRE_TIMEOUT", "acquire_timeout", FROM_A_MILLISECOND),
        ("DB_STATEMENT_TIMEOUT", "statement_timeout", OR_NO_LIMIT),
    ] {
        for value in ["NaN", "inf", "-inf", "-1", "-0.0001", "1e300", "1e-10", "soon", ""] {
            let error = env([(variable, value)]).unwrap_err().to_string();
            assert_eq!(error, format!("{variable} {rule} (got {value:?})"));
        }
        for (value, got) in [
            ("3000000", "3000000"),
            ("2147483.648", "2147483.648"),
            ("1e19", "10000000000000000000"),
            ("0.0004", "0.0004"),
        ] {
            let error = env([(variable, value)]).unwrap_err().to_string();
            assert_eq!(error, format!("{variable} {rule} (got {got})"));
        }
        for (value, got) in [
            ("nan", "NaN"),
            ("inf", "inf"),
            ("-1", "-1"),
            ("1e-10", "0.0000000001"),
            ("3000000", "3000000"),
            ("99999999999", "99999999999"),
            ("0.0004", "0.0004"),
        ] {
            let error = toml(&format!("[database]\n{key} = {value}")).unwrap_err().to_string();
            assert_eq!(error, format!("database.{key} in chatkeep.toml {rule} (got {got})"));
        }
        for value in ["0.001", "2147483.647"] {
            env([(variable, value)]).unwrap();
            toml(&format!("[database]\n{key} = {value}")).unwrap();
        }
    }
    for variable in ["DB_ACQUIRE_TIMEOUT", "DB_DEADLINE"] {
        let error = env([(variable, "0")]).unwrap_err().to_string();
        assert_eq!(error, format!("{variable} {FROM_A_MILLISECOND} (got 0)"));
    }
}

#[test]
fn seconds_set_by_hand_are_checked_too() {
    let answer = |key: &str, time| {
        let mut config = DatabaseConfig::memory();
        match key {
            "acquire_timeout" => config.acquire_timeout = time,
            "deadline" => config.deadline = time,
            _ => config.statement_timeout = Some(time),
        }
        config.validate().map_err(|error| error.to_string())
    };
    let longest = Duration::from_millis(2_147_483_647);
    for (key, rule) in [
        ("acquire_timeout", FROM_A_MILLISECOND),
        ("deadline", FROM_A_MILLISECOND),
        ("statement_timeout", OR_NO_LIMIT),
    ] {
        for (time, got) in [
            (Duration::from_nanos(1), "0.000000001"),
            (Duration::from_micros(999), "0.000999"),
            (longest + Duration::from_micros(1), "2147483.647001"),
            (Duration::MAX, "18446744073709552000"),
        ] {
            assert_eq!(answer(key, time), Err(format!("database.{key} {rule} (got {got})")));
        }
        for time in [Duration::from_millis(1), longest] {
            assert_eq!(answer(key, time), Ok(()));
        }
    }
    let none = Duration::ZERO;
    for key in ["acquire_timeout", "deadline"] {
        let error = answer(key, none).unwrap_err();
        assert_eq!(error, format!("database.{key} {FROM_A_MILLISECOND} (got 0)"));
    }
    assert_eq!(answer("statement_timeout", none), Ok(()));
}

#[test]
fn a_url_wins_over_the_parts_and_says_which_backend() {
    for (url, backend, path) in [
        ("postgres://u:p@h:5432/d", Backend::Postgresql, None),
        ("postgresql://h/d?sslmode=require", Backend::Postgresql, None),
        ("sqlite://chat.db", Backend::Sqlite, Some("chat.db")),
        ("sqlite:///var/chat.db?mode=rwc", Backend::Sqlite, Some("/var/chat.db")),
        ("sqlite::memory:", Backend::Sqlite, Some(":memory:")),
        ("memory:", Backend::Memory, None),
    ] {
        let config =
            env([("DATABASE_URL", url), ("DB_BACKEND", "memory"), ("DB_PORT", "1")]).unwrap().database;
        assert_eq!(
            (config.backend, config.path.as_deref().and_then(|path| path.to_str())),
            (backend, path),
            "{url}"
        );
        assert_eq!(config.url.as_ref().unwrap().expose_secret(), url);
        config.validate().unwrap();
    }
    let by_hand = DatabaseConfig::from_url("sqlite::memory:").unwrap();
    assert!(matches!(Target::of(&by_hand).unwrap(), Target::SqliteInMemory));
    let by_path = env([("DB_PATH", ":memory:")]).unwrap().database;
    assert!(matches!(Target::of(&by_path).unwrap(), Target::SqliteInMemory));
}

/// Each of these holds `hunter2` where a secret may be, and cannot be used.
#[test]
fn no_error_shows_a_secret() {
    let mut errors = Vec::new();
    for url in [
        "mysql://u:hunter2@h/d",
        "postgres://u:hunter2@h:70000/d",
        "postgres:u:hunter2@h/d",
        "postgres://u:hunter2/@h:port/d",
        "hunter2",
        "sqlite://hunter2?key=hunter2",
        "memory:hunter2",
        "hunter2://x",
    ] {
        // Only the adapter reads these in full.
        if url.starts_with("postgres://") && !cfg!(feature = "postgres") {
            continue;
        }
        let error = env([("DATABASE_URL", url)]).unwrap_err();
        assert!(error.to_string().starts_with("DATABASE_URL must "), "{error}");
        errors.push(error);
        errors.push(DatabaseConfig::from_url(url).unwrap_err());
    }
    // A URL in the wrong place.
    for variable in ["DB_BACKEND", "DB_PORT", "DB_AUTO_MIGRATE", "DB_ACQUIRE_TIMEOUT"] {
        errors.push(env([(variable, "postgres://u:hunter2@h/d")]).unwrap_err());
    }
    for text in [
        "[database]\npassword = hunter2",
        "[database]\npassword = 'hunter2",
        "[database]\npassword = ['hunter2']",
        "[database]\nurl = { hunter2 = 1 }",
        "[database]\n'postgres://u:hunter2@h/d' = 1",
    ] {
        errors.push(toml(text).unwrap_err());
    }
    for text in ["DB_PASSWORD=hunter2 hunter2\nDB_PASSWORD='hunter2", "DB_PASSWORD hunter2"] {
        errors.push(StateConfig::from_sources(Sources::new().dotenv(text)).unwrap_err());
    }
    for error in errors {
        let text = format!("{error} {error:?}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    let place = toml("org_id = 'x'\n[database]\npassword = hunter2").unwrap_err().to_string();
    assert!(
        place.starts_with(
            "chatkeep.toml cannot be read as TOML: at line 3, column 12, in `database.password`: "
        ),
        "{place}"
    );
}

#[test]
fn nothing_that_is_printed_shows_a_secret() {
    let url = "postgres://ada:hunter2@db.example.com/d";
    let sources = || {
        Sources::new()
            .toml("chatkeep.toml", "[database]\npassword = 'hunter2'")
            .dotenv("DB_PASSWORD=hunter2")
            .env([("DB_PASSWORD", "hunter2"), ("DATABASE_URL", url)])
    };
    let config = StateConfig::from_sources(sources()).unwrap();
    let target = format!("{:?}", Target::of(&config.database).unwrap());
    for text in [format!("{:?}", sources()), format!("{config:?} {config:#?}"), target] {
        assert!(!text.contains("hunter2") && !text.contains("db.example.com"), "{text}");
    }
}

#[test]
fn files_are_found_in_the_folder_or_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let sources = || Sources::new().with_files(folder.path());
    assert_eq!(StateConfig::from_sources(sources().unwrap()).unwrap().org_id.as_str(), "default_org");

    fs::write(folder.path().join("chatkeep.toml"), "org_id = 'here'").unwrap();
    fs::write(folder.path().join(".env"), "DEFAULT_USER_ID=here").unwrap();
    let config = StateConfig::from_sources(sources().unwrap()).unwrap();
    assert_eq!((config.org_id.as_str(), config.user_id.as_str()), ("here", "here"));

    let other = folder.path().join("other.toml");
    let named =
        || Sources::new().env([("CHATKEEP_CONFIG", other.to_str().unwrap())]).with_files(folder.path());
    let error = named().unwrap_err();
    assert!(matches!(&error, ConfigError::Unreadable { file, .. } if *file == other), "{error}");
    fs::write(&other, "org_id = 'there'").unwrap();
    assert_eq!(StateConfig::from_sources(named().unwrap()).unwrap().org_id.as_str(), "there");
}

#[test]
fn a_file_that_is_none_or_no_text_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".env")).unwrap();
    let error = Sources::new().with_files(folder.path()).unwrap_err();
    assert!(matches!(&error, ConfigError::Unreadable { file, .. } if file.ends_with(".env")), "{error}");
    fs::remove_dir(folder.path().join(".env")).unwrap();
    let error = Sources::new().env([("CHATKEEP_CONFIG", "")]).with_files(folder.path()).unwrap_err();
    assert_eq!(error.to_string(), "CHATKEEP_CONFIG must be a file's path (got \"\")");

    let toml = |bytes: &[u8]| StateConfig::from_sources(Sources::new().toml("chatkeep.toml", bytes));
    assert_eq!(toml("\u{feff}org_id = 'acme'\r\n".as_bytes()).unwrap().org_id.as_str(), "acme");
    let error = toml(b"org_id = '\xe9'").unwrap_err().to_string();
    assert_eq!(error, "chatkeep.toml cannot be read as UTF-8: it holds other bytes");
    let error = toml(&[0xff, 0xfe, b'a', 0]).unwrap_err().to_string();
    assert_eq!(error, "chatkeep.toml cannot be read as UTF-8: it begins as UTF-16 does");
}

#[test]
fn every_setting_is_documented() {
    let (readme, page) = (include_str!("../../README.md"), include_str!("../config.rs"));
    for (key, variable) in crate::config::variables::VARIABLES {
        assert!(readme.contains(&format!("`{variable}`")), "{variable}");
        assert!(page.contains(&format!("| `{variable}` | `{key}` |")), "{variable}");
    }
}

#[test]
fn a_number_that_64_bits_do_not_hold_is_refused_not_rounded() {
    for wide in ["9223372036854775808", "18446744073709551616", "-9223372036854775809"] {
        for key in ["port", "pool_size", "deadline", "statement_cache_size"] {
            let error = toml(&format!("[database]\n{key} = {wide}")).unwrap_err();
            assert!(
                error.to_string().starts_with("chatkeep.toml cannot be read as TOML: at line 2, column "),
                "{error}"
            );
        }
        for variable in ["DB_PORT", "DB_POOL_SIZE", "DB_STATEMENT_CACHE_SIZE"] {
            let error = env([(variable, wide)]).unwrap_err();
            assert!(matches!(&error, ConfigError::Invalid { setting, .. } if setting == variable), "{error}");
        }
    }
}
