//! The write-ahead log goes into the file beside the writer, which does not wait for it then.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;

use crate::connection::open_file;

/// With so many pages in the log it is time.
const PAGES: i64 = 1_000;

/// How many commits pass between two looks at the log.
const COMMITS: usize = 16;

/// The thread that does it. A store that writes little has none.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    path: PathBuf,
    commits: usize,
    thread: Option<(SyncSender<()>, JoinHandle<()>)>,
}

impl Checkpoints {
    pub(crate) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), commits: 0, thread: None }
    }

    /// Has the log looked at, now and then. Without the thread, the writer does it all.
    pub(crate) fn note_commit(&mut self) {
        self.commits += 1;
        if !self.commits.is_multiple_of(COMMITS) {
            return;
        }
        if let Some((wake, _)) = &self.thread {
            // Who is at it already does not need to be told.
            let _ = wake.try_send(());
            return;
        }
        let ((wake, woken), path) = (sync_channel(1), self.path.clone());
        let work = move || drop(run(&path, &woken));
        let thread = thread::Builder::new().name("chatkeep-log".to_owned()).spawn(work);
        self.thread = thread.ok().map(|thread| (wake, thread));
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        if let Some((wake, thread)) = self.thread.take() {
            drop(wake);
            let _ = thread.join();
        }
    }
}

/// What fails here is done later, or by the writer.
fn run(path: &Path, woken: &Receiver<()>) -> rusqlite::Result<()> {
    let connection = open_file(path, OpenFlags::empty())?;
    // Who closes the file last is the writer.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    while woken.recv().is_ok() {
        let of_log = |row: &rusqlite::Row<'_>| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?);
        let pages = connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], of_log);
        if pages.is_ok_and(|pages| pages >= PAGES) {
            let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
    }
    Ok(())
}
