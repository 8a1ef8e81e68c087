//! `.env`: what is ours is read, and what is not is left alone.

use secrecy::ExposeSecret;

use super::super::{ConfigError, Sources, StateConfig};

fn dotenv(text: impl Into<Vec<u8>>) -> Result<StateConfig, ConfigError> {
    StateConfig::from_sources(Sources::new().dotenv(text))
}

fn password(text: &str) -> String {
    dotenv(text).unwrap().database.password.expose_secret().to_owned()
}

fn refused(text: impl Into<Vec<u8>>) -> String {
    let error = dotenv(text).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error} {error:?}");
    error.to_string()
}

const OURS: &str = "\nDB_BACKEND=postgresql\nDB_HOST=db.example.com\n";

#[test]
fn lines_of_other_programs_are_left_alone_whatever_they_hold() {
    for other in [
        "APP_NAME=My Chat App",
        "APP_NAME=It's mine",
        "APP_NAME=\"no end",
        "APP NAME",
        "[section]",
        "MY-APP=1",
        "TEMPLATE=${UNKNOWN",
        "PATTERN=\\d+",
        "KEY=\"-----BEGIN KEY-----\nabc=\n-----END KEY-----\"",
        "JSON='{\n  \"a\": \"b\"\n}'",
        "DB_HOSTS=a b c",
        "DB_HOST_2=a b c",
        "# DB_HOST=a b c",
        "source ~/.profile",
    ] {
        for text in [format!("{other}{OURS}"), format!("{OURS}{other}")] {
            let config = dotenv(text.as_str()).unwrap_or_else(|error| panic!("{other}: {error}"));
            assert_eq!(config.database.host, "db.example.com", "{other}");
        }
    }
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_accepted() {
    let text =
        "\u{feff}DB_BACKEND=postgresql\r\nDB_HOST=db.example.com\r\n  export  DB_NAME = 'my name' # mine\r\n";
    let database = dotenv(text).unwrap().database;
    assert_eq!((database.host.as_str(), database.name.as_str()), ("db.example.com", "my name"));
}

#[test]
fn other_bytes_than_utf8_stop_nothing_but_our_own_lines() {
    let latin1 = [b"APP_NAME=Caf\xe9\n", OURS.as_bytes()].concat();
    assert_eq!(dotenv(latin1).unwrap().database.host, "db.example.com");
    assert_eq!(
        refused(b"A=1\nDB_PASSWORD=hunter2\xe9\n".to_vec()),
        "DB_PASSWORD in line 2 of .env must be UTF-8 (got other bytes)"
    );
    let utf16: Vec<u8> = "\u{feff}DB_PORT=1".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(refused(utf16), ".env cannot be read as UTF-8: it begins as UTF-16 does");
}

#[test]
fn a_dollar_sign_is_never_replaced_without_a_word() {
    const BACKEND: &str = "DB_BACKEND=postgresql\n";
    for (line, wanted) in [
        ("DB_PASSWORD='pa$word'", "pa$word"),
        ("DB_PASSWORD='${DB_USER}\\n'", "${DB_USER}\\n"),
        ("DB_PASSWORD=pa\\$word", "pa$word"),
        ("DB_PASSWORD=\"pa\\$word\"", "pa$word"),
        ("DB_PASSWORD='pa'\"ss\"", "pass"),
        ("DB_PASSWORD=word # costs $5", "word"),
    ] {
        assert_eq!(password(&format!("{BACKEND}{line}")), wanted, "{line}");
    }
    for line in [
        "DB_PASSWORD=\"hunter2$word\"",
        "DB_PASSWORD=hunter2$word",
        "DB_PASSWORD=hunter2${DB_USER}",
        "DB_PASSWORD='hunter2'$word",
        "DATABASE_URL=postgres://u:hunter2$word@h/d",
    ] {
        let (name, _) = line.split_once('=').unwrap();
        assert_eq!(
            refused(format!("A=1\n{line}\n")),
            format!(
                "{name} in line 2 of .env must be in single quotes, or have `\\$` for `$`, because programs \
                 differ in what they put in the place of `$name` (got a `$` outside single quotes)"
            )
        );
    }
}

#[test]
fn a_line_of_ours_that_cannot_be_read_is_named_with_its_number() {
    for line in [
        "DB_PASSWORD=hunter2 hunter2",
        "DB_PASSWORD='hunter2",
        "DB_PASSWORD=\"hunter2",
        "DB_PASSWORD hunter2",
        "export DB_PASSWORD hunter2",
        "DB_PASSWORD=\"hunter2\\d\"",
        "DB_PASSWORD",
    ] {
        assert_eq!(
            refused(format!("A=1\n\n{line}\nB=2\n")),
            "DB_PASSWORD in line 3 of .env must be NAME=value, with a value in single quotes where it holds spaces, \
             quotes or backslashes (got something else)",
            "{line}"
        );
    }
}

/// Whoever reads it as one value does not see it, and whoever reads lines does.
#[test]
fn a_line_of_ours_within_the_quotes_of_another_is_not_guessed_at() {
    assert_eq!(
        refused("A='one\nDB_PASSWORD=hunter2\ntwo'\n"),
        "DB_PASSWORD in line 2 of .env must not stand between the quotes of line 1: close them there \
         (got a line within quotes)"
    );
}

#[test]
fn a_bad_value_is_named_with_its_line() {
    assert_eq!(
        refused("A=1\nDB_PORT=70000\n"),
        "DB_PORT in line 2 of .env must be a whole number from 1 to 65535 (got \"70000\")"
    );
}
