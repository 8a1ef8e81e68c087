//! Copies of a store that is in use, and a look at whether it is whole.

use std::fs;
use std::path::Path;

use chatkeep_domain::StoreError;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::error::{Errors, Result, STORE};
use crate::store::SqliteRepository;

const NO_NEW_FILE: &str = "there is a file already, or its folder cannot be written";

impl SqliteRepository {
    /// Writes a copy of everything to a new file, as it is at one moment, while the store goes on to be used.
    ///
    /// Do not copy the file of an open store by other means: what is still in its write-ahead log would be missing. To restore a
    /// backup, close every store on the file, remove the file and its `-wal` and `-shm`, and put the backup in its place.
    ///
    /// # Errors
    /// [`StoreError::Backend`] where there is a file already, or it cannot be written. Then there is no part of a copy.
    /// [`StoreError::Unsupported`] for a database in memory.
    pub async fn backup(&self, path: impl AsRef<Path>) -> Result<(), StoreError> {
        // Not a URI, whatever its name is.
        let path = std::path::absolute(path).map_err(|error| StoreError::backend(STORE, error))?;
        let errors = Errors::of(Some(&path));
        self.read_unbounded(move |connection| {
            // Made here, so that no other file is written over.
            fs::File::create_new(&path).map_err(|_| errors.backend(NO_NEW_FILE))?;
            let copied = copy(connection, &path);
            if copied.is_err() {
                let _ = fs::remove_file(&path);
            }
            Ok(copied.map_err(|failure| errors.from(failure))?)
        })
        .await
    }

    /// Looks through the whole file for damage, as SQLite's `quick_check` does, within the store's timeout.
    ///
    /// # Errors
    /// [`StoreError::Backend`] for a file that is damaged; [`StoreError::Unavailable`] where the time was too short.
    pub async fn check(&self) -> Result<(), StoreError> {
        let context = self.context();
        self.read_long(move |connection| {
            let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            if found == "ok" { Ok(()) } else { Err(context.errors.damaged().into()) }
        })
        .await
    }
}

fn copy(connection: &Connection, path: &Path) -> Result<()> {
    let mut copy = Connection::open(path)?;
    {
        // In one step: SQLite begins anew when somebody writes between two.
        let backup = Backup::new(connection, &mut copy)?;
        if backup.step(-1)? != StepResult::Done {
            return Err(StoreError::backend(STORE, "another program uses the new file").into());
        }
    }
    // The copy does not need the log that its header speaks of: it is one whole file.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(())
}
