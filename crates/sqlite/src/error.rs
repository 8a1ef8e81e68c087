//! What SQLite says becomes an error of the domain here, and nowhere else.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use chatkeep_domain::{Again, BoxError, InvalidArgument, Outcome, StoreError};
use rusqlite::ErrorCode;
use rusqlite::types::FromSqlError;

use crate::blocking::blocking;

/// The store's name in errors.
pub(crate) const STORE: &str = "sqlite";

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// What a call of the store gives.
pub(crate) type Answer<T> = Result<T, StoreError>;

/// Why work on a connection did not succeed: SQLite's word, or a decision of ours.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) enum Failure {
    Sqlite(#[from] rusqlite::Error),
    Store(#[from] StoreError),
}

impl Failure {
    /// Whether another connection holds the lock.
    pub(crate) fn is_busy(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }
}

impl From<FromSqlError> for Failure {
    fn from(error: FromSqlError) -> Self {
        Self::Sqlite(error.into())
    }
}

impl From<InvalidArgument> for Failure {
    fn from(error: InvalidArgument) -> Self {
        Self::Store(error.into())
    }
}

/// What SQLite said, and of which file.
///
/// `Debug` and `Display` show SQLite's code and its own words for it: what SQLite says beside them may quote a search or a row.
#[derive(Clone)]
pub struct SqliteError {
    file: Arc<str>,
    code: Option<rusqlite::ffi::Error>,
    what: Option<&'static str>,
}

impl SqliteError {
    /// SQLite's extended result code, where SQLite itself failed.
    pub fn code(&self) -> Option<i32> {
        self.code.map(|code| code.extended_code)
    }
}

impl fmt::Display for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        match (self.what, self.code) {
            (Some(what), Some(code)) => write!(f, "{what} ({code})"),
            (Some(what), None) => f.write_str(what),
            (None, Some(code)) => write!(f, "{code}"),
            (None, None) => f.write_str("a value has another type than its column"),
        }
    }
}

impl fmt::Debug for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteError({self})")
    }
}

impl std::error::Error for SqliteError {}

/// Makes the errors of one database.
#[derive(Debug, Clone)]
pub(crate) struct Errors(Arc<str>);

impl Errors {
    pub(crate) fn of(path: Option<&Path>) -> Self {
        Self(path.map_or_else(|| "in memory".into(), |path| path.display().to_string().into()))
    }

    pub(crate) fn from(&self, failure: Failure) -> StoreError {
        match failure {
            Failure::Store(error) => error,
            Failure::Sqlite(error) => self.of_sqlite(&error),
        }
    }

    /// Does work that blocks where others do not wait for it.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        let done = blocking(work).await.ok_or_else(|| self.backend("the runtime is shutting down"))?;
        done.map_err(|failure| self.from(failure))
    }

    fn source(&self, code: Option<rusqlite::ffi::Error>, what: Option<&'static str>) -> SqliteError {
        SqliteError { file: Arc::clone(&self.0), code, what }
    }

    /// An error that SQLite has no part in.
    pub(crate) fn backend(&self, what: &'static str) -> StoreError {
        StoreError::backend(STORE, self.source(None, Some(what)))
    }

    /// What was committed may be in a file that is not at the path any more.
    pub(crate) fn unknown(&self, what: &'static str) -> StoreError {
        let source = self.source(None, Some(what));
        StoreError::unavailable(STORE, Outcome::Unknown, Again::No, "a write may be lost", source)
    }

    /// A file that is not whole.
    pub(crate) fn damaged(&self) -> StoreError {
        self.of_sqlite(&failure(rusqlite::ffi::SQLITE_CORRUPT))
    }

    /// Where the disk fails while it is told to keep a commit, nobody knows whether it did.
    pub(crate) fn of_commit(&self, error: &rusqlite::Error) -> StoreError {
        if error.sqlite_error_code() != Some(ErrorCode::SystemIoFailure) {
            return self.of_sqlite(error);
        }
        let source = self.source(error.sqlite_error().copied(), None);
        let reason = "the disk failed at the commit";
        StoreError::unavailable(STORE, Outcome::Unknown, Again::No, reason, source)
    }

    pub(crate) fn of_sqlite(&self, error: &rusqlite::Error) -> StoreError {
        let code = error.sqlite_error().copied();
        let not_done = |again, reason| {
            StoreError::unavailable(STORE, Outcome::NotDone, again, reason, self.source(code, None))
        };
        match code.map(|code| code.code) {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                not_done(Again::Soon, "another process holds the database's lock")
            }
            Some(ErrorCode::OperationInterrupted) => {
                not_done(Again::No, "the call took longer than the store's timeout")
            }
            _ => StoreError::backend(STORE, self.source(code, code.and_then(advice))),
        }
    }
}

/// The error of a call that was to be done together with the one that failed so.
pub(crate) fn shared(error: &StoreError) -> StoreError {
    let same = |source: &BoxError| -> BoxError {
        source
            .downcast_ref::<SqliteError>()
            .map_or_else(|| source.to_string().into(), |source| source.clone().into())
    };
    match error {
        StoreError::Unavailable { outcome, again, reason, source, .. } => {
            // Where only the other one took too long.
            let again = if *outcome == Outcome::NotDone { Again::Soon } else { *again };
            StoreError::unavailable(STORE, *outcome, again, reason, same(source))
        }
        StoreError::Backend { source, .. } => StoreError::backend(STORE, same(source)),
        other => StoreError::backend(STORE, other.to_string()),
    }
}

/// As SQLite would have said it.
pub(crate) fn failure(code: i32) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
}

/// What is to be done about it, where that is known.
fn advice(error: rusqlite::ffi::Error) -> Option<&'static str> {
    Some(match error.code {
        ErrorCode::DiskFull => "the disk is full: nothing was written; free some space",
        ErrorCode::ReadOnly => {
            "the file or its folder cannot be written: open it with read_only, or change its mode"
        }
        ErrorCode::CannotOpen => {
            "the file cannot be opened: see that its folder is there and may be written; where it may not, open it with \
             read_only, after whoever wrote it has closed it, so that no write-ahead log is left beside it"
        }
        ErrorCode::NotADatabase => "the file is no SQLite database, or it is encrypted",
        ErrorCode::DatabaseCorrupt => {
            "the file is damaged: restore a backup, or recover it with `sqlite3 FILE .recover`"
        }
        ErrorCode::SystemIoFailure if error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMMAP => {
            "no write-ahead log is possible here: put the file on a local disk"
        }
        ErrorCode::SystemIoFailure => "the disk failed",
        _ => return None,
    })
}
