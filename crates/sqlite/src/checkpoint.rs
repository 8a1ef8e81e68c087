//! The write-ahead log goes into the file beside the writer, which does not wait for it then.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;

use crate::connection::open_file;

/// With so many pages in the log it is time.
const PAGES: i64 = 1_000;

/// How many commits pass between two looks at the log.
const COMMITS: usize = 16;

/// The thread that does it.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    commits: usize,
}

impl Checkpoints {
    /// Without the thread, the writer does it all.
    pub(crate) fn start(path: &Path) -> Self {
        let ((wake, woken), path) = (sync_channel(1), path.to_owned());
        let work = move || drop(run(&path, &woken));
        let thread = thread::Builder::new().name("chatkeep-log".to_owned()).spawn(work).ok();
        Self { wake: thread.is_some().then_some(wake), thread, commits: 0 }
    }

    /// Has the log looked at, now and then.
    pub(crate) fn note_commit(&mut self) {
        self.commits += 1;
        if self.commits.is_multiple_of(COMMITS)
            && let Some(wake) = &self.wake
        {
            // Who is at it already does not need to be told.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.wake = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// What fails here is done later, or by the writer.
fn run(path: &Path, woken: &Receiver<()>) -> rusqlite::Result<()> {
    // A store that writes little needs no connection for it.
    let Ok(()) = woken.recv() else { return Ok(()) };
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
