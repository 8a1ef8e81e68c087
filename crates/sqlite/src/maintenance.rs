//! The connection of those who look after a database.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatkeep_domain::StoreError;
use rusqlite::Connection;

use crate::blocking::blocking;
use crate::config::SqliteConfig;
use crate::connection::{Bounded, open_writer, patiently};
use crate::error::{Errors, Result};
use crate::schema;

/// A connection without bounds, one call after the other.
#[derive(Debug, Clone)]
pub(crate) struct Maintenance {
    connection: Arc<Mutex<Bounded>>,
    lock_timeout: Duration,
    pub(crate) errors: Errors,
}

impl Maintenance {
    /// Opens a database, whatever tables it has, unless it is not ours.
    pub(crate) async fn open(config: &SqliteConfig, errors: Errors) -> Result<Self, StoreError> {
        let opened = blocking({
            let (errors, path, timeout) = (errors.clone(), config.path.clone(), config.lock_timeout);
            move || {
                let check = |connection: &Connection| schema::check(connection, &errors).map(drop);
                patiently(timeout, || open_writer(path.as_deref(), timeout, check))
                    .map_err(|failure| errors.from(failure))
            }
        });
        let connection = opened.await.ok_or_else(|| errors.backend("the runtime is shutting down"))??;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), lock_timeout: config.lock_timeout, errors })
    }

    pub(crate) async fn run<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (connection, errors) = (Arc::clone(&self.connection), self.errors.clone());
        let timeout = self.lock_timeout;
        let done = blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            patiently(timeout, || work(connection.unbounded_mut())).map_err(|failure| errors.from(failure))
        });
        done.await.ok_or_else(|| self.errors.backend("the runtime is shutting down"))?
    }
}
