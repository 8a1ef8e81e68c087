//! The connection of those who look after a database.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatkeep_domain::{Codec, StoreError};
use rusqlite::Connection;

use crate::config::SqliteConfig;
use crate::connection::{Bounded, open_writer, patiently};
use crate::error::{Answer, Errors, Result};
use crate::schema;

/// The tables of a database, to be looked at or changed. Each version is one transaction.
#[derive(Debug, Clone)]
pub struct SqliteMigrations {
    /// Without bounds, one call after the other.
    connection: Arc<Mutex<Bounded>>,
    lock_timeout: Duration,
    pub(crate) codec: Arc<dyn Codec>,
    errors: Errors,
}

impl SqliteMigrations {
    /// Opens a database, whatever state its tables are in.
    ///
    /// # Errors
    /// As [`SqliteRepository::open`](crate::SqliteRepository::open), except for missing tables.
    pub async fn open(mut config: SqliteConfig) -> Result<Self, StoreError> {
        let errors = config.make_absolute()?;
        let (checks, lock_timeout, codec) = (errors.clone(), config.lock_timeout, Arc::clone(&config.codec));
        let open = move || {
            let check = |connection: &Connection| schema::applied(connection, &checks).map(drop);
            patiently(lock_timeout, || open_writer(config.path.as_deref(), lock_timeout, check))
        };
        let connection = Arc::new(Mutex::new(errors.blocking(open).await?));
        Ok(Self { connection, lock_timeout, codec, errors })
    }

    pub(crate) async fn run<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut Connection, &Errors) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        let (connection, errors, timeout) =
            (Arc::clone(&self.connection), self.errors.clone(), self.lock_timeout);
        let work = move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            patiently(timeout, || work(connection.unbounded_mut(), &errors))
        };
        self.errors.blocking(work).await
    }
}
