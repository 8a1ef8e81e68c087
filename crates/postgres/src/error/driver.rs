//! The driver's error, as callers see it.

use std::error::Error;
use std::fmt;

use sea_orm::{DbErr, RuntimeErr, SqlxError};

use super::query_failed;

/// The driver's error, as the source of a [`StoreError`](chatkeep_domain::StoreError).
///
/// `Debug` and `Display` both show its short text alone: the driver's own `Debug` may quote the row that failed. Of what
/// PostgreSQL says of a value (SQLSTATE class 22) or of a statement that it cannot run (42 and 54, except what names an
/// object alone), which may quote a search, they show the SQLSTATE alone. No part of a password is shown.
///
/// Its source is the [`std::io::Error`], where one is the cause.
pub struct DriverError(DbErr);

impl DriverError {
    /// The error with all its details, which may hold message content, or characters of a password.
    pub fn into_inner(self) -> DbErr {
        self.0
    }

    /// A value of a row.
    pub(crate) fn of_row(error: SqlxError) -> Self {
        Self(query_failed(error))
    }
}

impl From<DbErr> for DriverError {
    fn from(error: DbErr) -> Self {
        Self(error)
    }
}

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(state) = quoting_state(&self.0) {
            return write!(f, "the database refused a value or a statement (SQLSTATE {state})");
        }
        match of_sqlx(&self.0) {
            Some(SqlxError::Configuration(cause)) => f.write_str(of_configuration(&cause.to_string())),
            _ => self.0.fmt(f),
        }
    }
}

impl fmt::Debug for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DriverError({self})")
    }
}

impl Error for DriverError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // The others may quote what was written, or the configuration.
        match of_sqlx(&self.0)? {
            SqlxError::Io(error) => Some(error),
            _ => None,
        }
    }
}

/// The error of sqlx's that this one is about.
pub(super) fn of_sqlx(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// What names an object, and nothing else: a privilege, table, column, schema, function or other object that is missing, that
/// is there already, or that is of another kind.
const NAMING: [&str; 12] = [
    "42501", "42P01", "42703", "3F000", "42883", "42704", "42P07", "42701", "42710", "42723", "42P06",
    "42809",
];

/// The SQLSTATE of an error whose text may quote what it was given.
fn quoting_state(error: &DbErr) -> Option<String> {
    // What is said of a connection that is being made is about its configuration.
    if matches!(error, DbErr::Conn(_)) {
        return None;
    }
    let state = of_sqlx(error)?.as_database_error()?.code()?;
    let is_quoting = ["22", "42", "54"].iter().any(|class| state.starts_with(class));
    (is_quoting && !NAMING.contains(&&*state)).then(|| state.into_owned())
}

/// The driver's own text may quote a character of the password, or a line of a key's file.
fn of_configuration(text: &str) -> &'static str {
    if text.contains("saslprep password") {
        "the password holds a character that the driver cannot send, such as an emoji: choose one without"
    } else if text.contains("saslprep username") {
        "the user's name holds a character that the driver cannot send, such as an emoji: choose one without"
    } else if text.contains("no keys found") {
        "the file of the TLS key holds no key"
    } else {
        "the driver refuses the connection's configuration, such as the file of its TLS key"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_password_or_a_key_is_shown() {
        for (text, shown) in [
            ("Failed to saslprep password: ProhibitedCharacter('§')", "the password holds"),
            ("Failed to saslprep username: ProhibitedCharacter('§')", "the user's name holds"),
            ("illegal section start: §", "the driver refuses"),
        ] {
            let error = SqlxError::Configuration(text.into());
            let error = DriverError(DbErr::Conn(RuntimeErr::SqlxError(error.into())));
            let all = format!("{error} {error:?} {error:#?}");
            assert!(all.starts_with(shown) && !all.contains('§') && error.source().is_none(), "{all}");
        }
    }
}
