//! A connection, and how a file is opened.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{Result, failure};

/// How many steps of SQLite's machine pass between two looks at the clock: some microseconds.
const STEPS: i32 = 1_000;

/// How much a connection keeps of the file: 8 MiB. With SQLite's own 2 MiB a search read the same pages again and again.
const CACHE: i32 = -8 * 1_024;

/// 1 GiB, of which nothing is used.
const ROOM_FOR: i64 = -1_024 * 1_024;

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 128;

/// How long it waits before it tries again.
const PAUSE: Duration = Duration::from_millis(1);

/// How long others may write between two steps of a long work, at the most.
pub(crate) const REST: Duration = Duration::from_millis(100);

/// With so many pages in the log the writer itself writes them into the file, within a commit: else a log that is written to without
/// a pause would grow without end. Before, `checkpoint.rs` does it beside the writer.
const MOST_PAGES: i64 = 4_000;

/// A connection that bounds what runs on it.
#[derive(Debug)]
pub(crate) struct Bounded {
    connection: Connection,
    opened: Instant,
    /// In milliseconds since it was opened.
    deadline: Arc<AtomicU64>,
}

/// Keeps nothing, and may keep much.
///
/// SQLite as rusqlite builds it (`SQLITE_ENABLE_MEMORY_MANAGEMENT`) counts the pages of all connections of the process together. Where
/// one has taken over pages of another and all have as many as all may have, a page is forgotten as soon as it was used, on every
/// connection, and the roots of tables are read from the file again and again. The share of this connection is what the others lack.
static ROOM: LazyLock<Option<Mutex<Connection>>> = LazyLock::new(|| {
    let connection = Connection::open("").ok()?;
    connection.pragma_update(None, "cache_size", ROOM_FOR).ok()?;
    Some(Mutex::new(connection))
});

impl Bounded {
    fn new(connection: Connection, timeout: Duration) -> rusqlite::Result<Self> {
        let _ = &*ROOM;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.busy_timeout(timeout)?;
        connection.pragma_update(None, "cache_size", CACHE)?;
        // Plans do not look at what is bound: else SQLite prepares a statement anew for each call, a fifth of a read's time.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        let (opened, deadline) = (Instant::now(), Arc::new(AtomicU64::new(u64::MAX)));
        let at = Arc::clone(&deadline);
        connection
            .progress_handler(STEPS, Some(move || millis(opened.elapsed()) > at.load(Ordering::Relaxed)))?;
        Ok(Self { connection, opened, deadline })
    }

    /// The connection, for work that ends within this time.
    pub(crate) fn within(&self, timeout: Duration) -> &Connection {
        let end = millis(self.opened.elapsed().saturating_add(timeout));
        self.deadline.store(end, Ordering::Relaxed);
        &self.connection
    }

    /// How long the next statements wait for a lock.
    pub(crate) fn wait_at_most(&self, timeout: Duration) {
        // It cannot fail on an open connection.
        let _ = self.connection.busy_timeout(timeout);
    }

    pub(crate) fn unbounded_mut(&mut self) -> &mut Connection {
        self.deadline.store(u64::MAX, Ordering::Relaxed);
        &mut self.connection
    }

    /// The connection, for work that nothing interrupts.
    pub(crate) fn unbounded(&self) -> &Connection {
        self.deadline.store(u64::MAX, Ordering::Relaxed);
        &self.connection
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Does it again while another process holds the lock. In a file's first moments SQLite does not wait for it by itself.
pub(crate) fn patiently<T>(timeout: Duration, mut work: impl FnMut() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    loop {
        match work() {
            Err(failure) if failure.is_busy() && begun.elapsed() < timeout => thread::sleep(PAUSE),
            done => return done,
        }
    }
}

/// Leaves the lock to other processes for as long as the work since then took. Who waits for it looks for it every tenth of a second
/// only, and would hardly ever find it free.
pub(crate) fn rest(begun: Instant) {
    thread::sleep(begun.elapsed().min(REST));
}

/// The connection that writes. It makes the file, and the folders above it. A file that `check` refuses is left as it is.
pub(crate) fn open_writer(
    path: Option<&Path>,
    timeout: Duration,
    check: impl Fn(&Connection) -> Result<()>,
) -> Result<Bounded> {
    let connection = match path {
        Some(path) => {
            if let Some(folder) = path.parent() {
                // What is wrong with the folder, SQLite says.
                let _ = fs::create_dir_all(folder);
            }
            open_file(path, OpenFlags::SQLITE_OPEN_CREATE)?
        }
        None => Connection::open_in_memory()?,
    };
    let bounded = Bounded::new(connection, timeout)?;
    let connection = bounded.unbounded();
    check(connection)?;
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        return Err(failure(rusqlite::ffi::SQLITE_READONLY).into());
    }
    if path.is_some() {
        use_log(connection)?;
        connection.pragma_update(None, "wal_autocheckpoint", MOST_PAGES)?;
    }
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    Ok(bounded)
}

/// A connection that may write. It makes no file unless it is told to.
pub(crate) fn open_file(path: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE | more))
}

/// Where no write-ahead log is possible, SQLite answers with another mode, or fails as here.
fn use_log(connection: &Connection) -> rusqlite::Result<()> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode == "wal" {
        return Ok(());
    }
    Err(failure(rusqlite::ffi::SQLITE_IOERR_SHMMAP))
}

/// A connection that reads. Of a file that is nobody's to write, in a folder that cannot be written, SQLite has to be told that it
/// does not change.
pub(crate) fn open_reader(path: &Path, timeout: Duration) -> rusqlite::Result<Bounded> {
    let open = |connection| {
        let bounded = Bounded::new(connection, timeout)?;
        bounded.unbounded().query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(bounded)
    };
    let read_only = flags(OpenFlags::SQLITE_OPEN_READ_ONLY);
    match Connection::open_with_flags(path, read_only).and_then(open) {
        Err(error) if is_cannot_open(&error) && !has_log(path) => {
            let uri = format!("file:{}?immutable=1", escaped(path));
            Connection::open_with_flags(uri, read_only | OpenFlags::SQLITE_OPEN_URI).and_then(open)
        }
        opened => opened,
    }
}

fn flags(of: OpenFlags) -> OpenFlags {
    of | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn is_cannot_open(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// Whether there is a write-ahead log with something in it.
fn has_log(path: &Path) -> bool {
    fs::metadata(log_of(path)).is_ok_and(|log| log.len() > 0)
}

/// Where the write-ahead log of a file is: beside the file itself, where the path is a link to it.
pub(crate) fn log_of(path: &Path) -> PathBuf {
    let mut log = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).into_os_string();
    log.push("-wal");
    log.into()
}

/// A path as it stands in a URI.
fn escaped(path: &Path) -> String {
    let path = path.display().to_string();
    path.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_without_a_log_is_refused() {
        let error = use_log(&Connection::open_in_memory().expect("a database")).expect_err("no log");
        let errors = crate::error::Errors::of(Some(Path::new("chat.db")));
        let error = format!("{:?}", errors.of_sqlite(&error));
        assert!(error.contains("chat.db: no write-ahead log is possible here"), "{error}");
    }
}
