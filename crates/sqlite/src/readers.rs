//! The connections that read.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatkeep_domain::StoreError;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::blocking::blocking;
use crate::config::SqliteConfig;
use crate::connection::{Bounded, open_reader};
use crate::error::{Errors, Result};

/// A few connections, opened when they are needed. Who wants one waits without blocking.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    lock_timeout: Duration,
    timeout: Duration,
    free: Semaphore,
    idle: Arc<Mutex<Vec<Bounded>>>,
    errors: Errors,
}

impl Readers {
    pub(crate) fn new(path: &Path, count: usize, config: &SqliteConfig, errors: Errors) -> Self {
        let free = Semaphore::new(count);
        let (lock_timeout, timeout) = (config.lock_timeout, config.timeout);
        Self { path: path.to_owned(), lock_timeout, timeout, free, idle: Arc::default(), errors }
    }

    /// Reads in one snapshot.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let timeout = self.timeout;
        self.with_reader(move |reader| read_at_once(reader.within(timeout), work)).await
    }

    /// Uses a connection without a bound, and outside a transaction.
    pub(crate) async fn read_unbounded<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.with_reader(move |reader| work(reader.unbounded())).await
    }

    async fn with_reader<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Bounded) -> Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let closed = || self.errors.backend("the store was closed");
        let permit = self.free.acquire().await.map_err(|_| closed())?;
        let (idle, timeout) = (Arc::clone(&self.idle), self.lock_timeout);
        let connection = locked(&idle).pop();
        let path = connection.is_none().then(|| self.path.clone());
        let done = blocking(move || {
            let reader = match (connection, path) {
                (Some(reader), _) => reader,
                (None, path) => open_reader(&path.unwrap_or_default(), timeout)?,
            };
            let done = work(&reader);
            locked(&idle).push(reader);
            done
        });
        let done = done.await;
        drop(permit);
        done.ok_or_else(|| self.errors.backend("the runtime is shutting down"))?
            .map_err(|failure| self.errors.from(failure))
    }

    /// Later reads fail; those under way have ended.
    pub(crate) async fn close(&self, count: usize) {
        let all = self.free.acquire_many(u32::try_from(count).unwrap_or(u32::MAX)).await;
        self.free.close();
        drop(all);
        locked(&self.idle).clear();
    }
}

fn locked(idle: &Mutex<Vec<Bounded>>) -> std::sync::MutexGuard<'_, Vec<Bounded>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All statements of the work see the same state.
fn read_at_once<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let done = work(connection);
    // It ends by itself where SQLite has rolled back.
    let end = connection.prepare_cached("COMMIT").and_then(|mut end| end.execute([]));
    if end.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}
