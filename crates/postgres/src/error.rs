//! Database errors become domain errors here, and nowhere else.

mod driver;

use std::io::ErrorKind;

use chatkeep_domain::{Again, BoxError, Outcome, StoreError};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlxError};

pub use self::driver::DriverError;

/// The store's name in errors.
pub(crate) const STORE: &str = "PostgreSQL";

/// Why an operation did not succeed: the driver's word, or a decision of ours.
pub(crate) enum Failure {
    Db(DbErr),
    Store(StoreError),
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        Self::Db(error)
    }
}

impl From<BoxError> for Failure {
    /// A value of a row that is not as statements of ours give it.
    fn from(error: BoxError) -> Self {
        Self::Store(StoreError::backend(STORE, error))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The pool waits for a server that is down and for a busy one alike, and does not tell which it was.
const NO_CONNECTION: &str =
    "no connection could be had in time: the server is down, or the pool is too small";

/// What a driver's error means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// The statement did nothing, and may succeed a moment later.
    Retry(&'static str),
    /// The connection is gone; whether the statement was carried out is unknown.
    Lost(&'static str),
    /// The server broke the statement off, because it took too long.
    Slow(&'static str),
    Unique,
    ForeignKey,
    Permanent,
}

/// What an operation does: it says what is left where nobody knows whether a statement was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Reads,
    Writes,
}

impl Failure {
    /// A row with this key is there already, or the row that this one refers to is gone.
    pub(crate) fn is_key_violation(&self) -> bool {
        matches!(self, Self::Db(error) if matches!(meaning(error), Meaning::Unique | Meaning::ForeignKey))
    }

    /// The server broke the statement off, because it took too long.
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(self, Self::Db(error) if matches!(meaning(error), Meaning::Slow(_)))
    }

    pub(crate) fn into_store_error(self, effect: Effect) -> StoreError {
        match self {
            Self::Db(error) => to_store_error(effect, error),
            Self::Store(error) => error,
        }
    }
}

/// Runs an operation that only reads.
pub(crate) async fn reads<T>(operation: impl Future<Output = Result<T, Failure>>) -> Result<T, StoreError> {
    operation.await.map_err(|failure| failure.into_store_error(Effect::Reads))
}

/// Runs an operation that may write.
pub(crate) async fn writes<T>(operation: impl Future<Output = Result<T, Failure>>) -> Result<T, StoreError> {
    operation.await.map_err(|failure| failure.into_store_error(Effect::Writes))
}

pub(crate) fn query_failed(error: SqlxError) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

/// Whether the server takes no writes: it is a standby, or was the primary before a failover.
pub(crate) fn is_read_only(error: &SqlxError) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("25006"))
}

pub(crate) fn to_store_error(effect: Effect, error: DbErr) -> StoreError {
    let (outcome, again, reason) = match (meaning(&error), effect) {
        (Meaning::Lost(reason), Effect::Writes) => (Outcome::Unknown, Again::Soon, reason),
        // A read waits for nobody: it would take as long again.
        (Meaning::Slow(reason), Effect::Reads) => (Outcome::NotDone, Again::No, reason),
        (Meaning::Lost(reason) | Meaning::Retry(reason) | Meaning::Slow(reason), _) => {
            (Outcome::NotDone, Again::Soon, reason)
        }
        (Meaning::Unique | Meaning::ForeignKey | Meaning::Permanent, _) => {
            return StoreError::backend(STORE, DriverError::from(error));
        }
    };
    StoreError::unavailable(STORE, outcome, again, reason, DriverError::from(error))
}

/// Whether a statement named a table that is not there.
pub(crate) fn is_missing_table(error: &DbErr) -> bool {
    let error = driver::of_sqlx(error).and_then(SqlxError::as_database_error);
    error.is_some_and(|error| error.code().as_deref() == Some("42P01"))
}

fn meaning(error: &DbErr) -> Meaning {
    match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => Meaning::Retry(NO_CONNECTION),
        // Nothing was sent yet.
        DbErr::Conn(RuntimeErr::SqlxError(error)) => match sqlx_meaning(error) {
            Meaning::Lost(_) if is_distrust(error) => Meaning::Permanent,
            Meaning::Lost(_) => Meaning::Retry("the server does not take connections"),
            other => other,
        },
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            sqlx_meaning(error)
        }
        _ => Meaning::Permanent,
    }
}

/// Whether TLS failed by what the server showed, such as its certificate: it will show the same again.
fn is_distrust(error: &SqlxError) -> bool {
    matches!(error, SqlxError::Io(error) if error.kind() == ErrorKind::InvalidData)
}

fn sqlx_meaning(error: &SqlxError) -> Meaning {
    match error {
        SqlxError::Io(_) => Meaning::Lost("the connection broke"),
        SqlxError::PoolTimedOut => Meaning::Retry(NO_CONNECTION),
        // The driver reports a stream that ended in the middle of a message as a protocol error.
        SqlxError::Protocol(text) if text.contains("unexpected end of file") || text.contains("EOF") => {
            Meaning::Lost("the connection broke")
        }
        SqlxError::Database(error) => sqlstate_meaning(error.code().as_deref().unwrap_or_default()),
        _ => Meaning::Permanent,
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn sqlstate_meaning(code: &str) -> Meaning {
    match code {
        "23505" => Meaning::Unique,
        "23503" => Meaning::ForeignKey,
        "40001" => Meaning::Retry("a serialization failure"),
        "40P01" => Meaning::Retry("a deadlock"),
        "53300" => Meaning::Retry("too many connections"),
        "57P01" | "57P02" => Meaning::Lost("the server is shutting down"),
        "57P03" => Meaning::Retry("the server is starting up"),
        "25006" => Meaning::Retry("the server is read-only, as a standby is"),
        "57014" => Meaning::Slow("a statement took longer than its timeout"),
        "57P05" | "25P03" | "25P04" => Meaning::Lost("the server ended an idle session"),
        "55P03" => Meaning::Retry("a lock was not granted in time"),
        _ if code.starts_with("08") => Meaning::Lost("the connection broke"),
        _ => Meaning::Permanent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlstates_mean_what_a_caller_can_do() {
        for (code, wanted) in [
            ("23505", Meaning::Unique),
            ("23503", Meaning::ForeignKey),
            ("40001", Meaning::Retry("a serialization failure")),
            ("40P01", Meaning::Retry("a deadlock")),
            ("57014", Meaning::Slow("a statement took longer than its timeout")),
            ("53300", Meaning::Retry("too many connections")),
            ("57P01", Meaning::Lost("the server is shutting down")),
            ("57P05", Meaning::Lost("the server ended an idle session")),
            ("25P03", Meaning::Lost("the server ended an idle session")),
            ("08006", Meaning::Lost("the connection broke")),
            ("53100", Meaning::Permanent),
            ("25006", Meaning::Retry("the server is read-only, as a standby is")),
            ("42P01", Meaning::Permanent),
        ] {
            assert_eq!(sqlstate_meaning(code), wanted, "{code}");
        }
    }

    #[test]
    fn what_is_left_of_an_operation_depends_on_what_it_does() {
        let io = || RuntimeErr::SqlxError(SqlxError::Io(std::io::ErrorKind::ConnectionReset.into()).into());
        for (effect, wanted) in [(Effect::Reads, Outcome::NotDone), (Effect::Writes, Outcome::Unknown)] {
            let error = to_store_error(effect, DbErr::Query(io()));
            assert_eq!((error.outcome(), error.is_transient()), (wanted, true), "{effect:?}");
        }
        let error = to_store_error(Effect::Writes, DbErr::Conn(io()));
        assert_eq!((error.outcome(), error.is_transient()), (Outcome::NotDone, true), "nothing was sent");
    }

    #[test]
    fn a_certificate_that_is_refused_is_not_waited_for() {
        let io = SqlxError::Io(ErrorKind::InvalidData.into());
        let error = to_store_error(Effect::Reads, DbErr::Conn(RuntimeErr::SqlxError(io.into())));
        assert!(!error.is_transient(), "{error:?}");
    }
}
