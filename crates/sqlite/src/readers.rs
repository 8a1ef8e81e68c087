//! The connections that read.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::config::SqliteConfig;
use crate::connection::{Bounded, open_reader};
use crate::error::{Answer, Errors, Result};

/// What is done on a connection. It may be done again, where all was rolled back.
pub(crate) trait Work<T>: FnMut(&Connection) -> Result<T> + Send + 'static {}

impl<T, F: FnMut(&Connection) -> Result<T> + Send + 'static> Work<T> for F {}

/// A few connections, opened when they are needed. Who wants one waits without blocking.
#[derive(Debug)]
pub(crate) struct Readers {
    path: Arc<Path>,
    lock_timeout: Duration,
    timeout: Duration,
    count: u32,
    free: Semaphore,
    idle: Arc<Mutex<Vec<Bounded>>>,
    errors: Errors,
}

impl Readers {
    pub(crate) fn new(path: &Path, count: usize, config: &SqliteConfig, errors: &Errors) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            path: path.into(),
            lock_timeout: config.lock_timeout,
            timeout: config.timeout,
            count,
            free: Semaphore::new(count as usize),
            idle: Arc::default(),
            errors: errors.clone(),
        }
    }

    /// Reads in one snapshot.
    pub(crate) async fn read<T: Send + 'static>(&self, work: impl Work<T>) -> Answer<T> {
        let timeout = self.timeout;
        self.with_reader(move |reader| read_at_once(reader.within(timeout), work)).await
    }

    /// Uses a connection without a bound, and outside a transaction.
    pub(crate) async fn read_unbounded<T: Send + 'static>(&self, mut work: impl Work<T>) -> Answer<T> {
        self.with_reader(move |reader| work(reader.unbounded())).await
    }

    async fn with_reader<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Bounded) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        let closed = || self.errors.backend("the store was closed");
        let _permit = self.free.acquire().await.map_err(|_| closed())?;
        let (path, idle, timeout) = (Arc::clone(&self.path), Arc::clone(&self.idle), self.lock_timeout);
        let work = move || {
            let idle_one = locked(&idle).pop();
            let reader = idle_one.map_or_else(|| open_reader(&path, timeout), Ok)?;
            let done = work(&reader);
            locked(&idle).push(reader);
            done
        };
        self.errors.blocking(work).await
    }

    /// Later reads fail; those under way have ended.
    pub(crate) async fn close(&self) {
        let _all = self.free.acquire_many(self.count).await;
        self.free.close();
        locked(&self.idle).clear();
    }
}

fn locked(idle: &Mutex<Vec<Bounded>>) -> std::sync::MutexGuard<'_, Vec<Bounded>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All statements of the work see the same state.
fn read_at_once<T>(connection: &Connection, mut work: impl Work<T>) -> Result<T> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let done = work(connection);
    // It ends by itself where SQLite has rolled back.
    let end = connection.prepare_cached("COMMIT").and_then(|mut end| end.execute([]));
    if end.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}
