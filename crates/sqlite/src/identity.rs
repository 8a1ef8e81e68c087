//! Whether the file at a path is still the one that is open.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::connection::log_of;

/// The file and its write-ahead log, as they were when the store opened them.
///
/// A file that is replaced while it is open (`mv`, a restored backup, a copy that is put in its place) is not the one that SQLite writes to:
/// what it says is written would be gone. The same goes for the log that another program has removed.
#[derive(Debug)]
pub(crate) struct Identity {
    file: (PathBuf, Option<FileId>),
    log: (PathBuf, Mutex<Option<FileId>>),
}

type FileId = (u64, u64);

impl Identity {
    pub(crate) fn of(path: &Path) -> Self {
        Self { file: (path.to_owned(), id(path)), log: (log_of(path), Mutex::new(None)) }
    }

    /// What has happened to the file, if something has.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let (file, opened) = &self.file;
        if id(file) != *opened {
            return Err("the file was replaced or removed while it was open: open the store anew");
        }
        let (log, known) = &self.log;
        let mut known = known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = id(log);
        // SQLite makes the log with the first write.
        if known.is_some() && now != *known {
            return Err(
                "the file's write-ahead log was replaced or removed while it was open: open the store anew",
            );
        }
        *known = now;
        Ok(())
    }
}

#[cfg(unix)]
fn id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt as _;

    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

/// Elsewhere the system keeps an open file from being replaced.
#[cfg(not(unix))]
fn id(_: &Path) -> Option<FileId> {
    None
}
