//! Whether the file at a path is still the one that is open.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::connection::log_of;

/// How often it tries to take the lock, 1 ms apart.
#[cfg(unix)]
const ATTEMPTS: usize = 100;

/// The file and its write-ahead log, as they were when the store opened them.
///
/// A file that is replaced while it is open (`mv`, a restored backup, a copy that is put in its place) is not the one that SQLite writes to:
/// what it says is written would be gone. The same goes for the log that another program has removed.
#[derive(Debug)]
pub(crate) struct Identity {
    file: (PathBuf, Option<FileId>),
    log: (PathBuf, Cell<Option<FileId>>),
    /// The file, to keep other processes from removing the log.
    ///
    /// SQLite takes a lock for that once, and the system drops it as soon as this process closes the file by other means, for example
    /// after a copy. A program with SQLite before 3.51 then takes the file for unused, and removes the log when it closes the file.
    locked: Option<Arc<File>>,
}

type FileId = (u64, u64);

impl Identity {
    pub(crate) fn of(path: &Path) -> Self {
        let opened = id(path);
        let locked = opened.and_then(|id| open_once(path, id));
        Self { file: (path.to_owned(), opened), log: (log_of(path), Cell::new(None)), locked }
    }

    /// What has happened to the file, if something has.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        // From here on nobody removes the log. Who did before is seen below.
        let is_held = self.locked.as_deref().is_none_or(hold);
        if id(&self.file.0) != self.file.1 {
            return Err("the file was replaced or removed while it was open: open the store anew");
        }
        let (log, known) = &self.log;
        let now = id(log);
        // SQLite makes the log with the first write.
        if !is_held || known.get().is_some() && now != known.get() {
            return Err(
                "the file's write-ahead log was replaced or removed while it was open: open the store anew",
            );
        }
        known.set(now);
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

/// Open files, each once: closing any of several would drop the lock of all.
static OPEN: Mutex<BTreeMap<FileId, Weak<File>>> = Mutex::new(BTreeMap::new());

fn open_once(path: &Path, id: FileId) -> Option<Arc<File>> {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|_, file| file.strong_count() > 0);
    let file = open.get(&id).and_then(Weak::upgrade).or_else(|| File::open(path).ok().map(Arc::new))?;
    open.insert(id, Arc::downgrade(&file));
    Some(file)
}

/// Takes the lock again, after whoever closes the file at this moment. `false`: another process may be about to remove the log.
#[cfg(unix)]
fn hold(file: &File) -> bool {
    use rustix::fs::{FlockOperation, fcntl_lock};
    use rustix::io::Errno;

    for _ in 0..ATTEMPTS {
        let taken = fcntl_lock(file, FlockOperation::NonBlockingLockShared);
        if !matches!(taken, Err(Errno::AGAIN | Errno::ACCESS)) {
            return true;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    false
}

#[cfg(not(unix))]
fn hold(_: &File) -> bool {
    true
}
