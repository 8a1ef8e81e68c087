//! The connection of those who look after a database.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatkeep_domain::StoreError;
use rusqlite::Connection;

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
        let opened = errors.blocking({
            let (errors, path, timeout) = (errors.clone(), config.path.clone(), config.lock_timeout);
            let check = move |connection: &Connection| schema::check(connection, &errors).map(drop);
            move || patiently(timeout, || open_writer(path.as_deref(), timeout, &check))
        });
        let connection = opened.await?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), lock_timeout: config.lock_timeout, errors })
    }

    pub(crate) async fn run<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (connection, timeout) = (Arc::clone(&self.connection), self.lock_timeout);
        let work = move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            patiently(timeout, || work(connection.unbounded_mut()))
        };
        self.errors.blocking(work).await
    }
}
