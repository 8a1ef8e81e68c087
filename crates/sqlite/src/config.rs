//! How a database is opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chatkeep_domain::{Codec, PlainCodec, StoreError};

use crate::error::Errors;

/// Where a SQLite database is, and how it is opened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SqliteConfig {
    /// `None`: in memory, and gone with the store.
    pub(crate) path: Option<PathBuf>,
    pub(crate) readers: usize,
    pub(crate) lock_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) auto_migrate: bool,
    pub(crate) is_read_only: bool,
    pub(crate) codec: Arc<dyn Codec>,
}

impl SqliteConfig {
    /// A file. Opening makes it, and the folders above it. A relative path is taken from the current folder once, at
    /// opening.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), ..Self::in_memory() }
    }

    /// A database in memory, which is gone with the store.
    pub fn in_memory() -> Self {
        Self {
            path: None,
            readers: 4,
            lock_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            auto_migrate: true,
            is_read_only: false,
            codec: Arc::new(PlainCodec),
        }
    }

    /// How many connections read at the same time, at least one; 4. Searches have connections beside these. A database in
    /// memory has one connection for everything.
    #[must_use]
    pub fn readers(mut self, connections: usize) -> Self {
        self.readers = connections.max(1);
        self
    }

    /// How long a call may wait for the lock that another process holds; 10 s, at most a day.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout.min(Duration::from_hours(24));
        self
    }

    /// How long a call may work, once it has the lock; 30 s, at most a day.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(Duration::from_hours(24));
        self
    }

    /// Whether opening makes and updates the tables; on.
    #[must_use]
    pub fn auto_migrate(mut self, on: bool) -> Self {
        self.auto_migrate = on;
        self
    }

    /// Opens an existing file, and never writes to it: an archive, or a file in a folder that cannot be written.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.is_read_only = true;
        self
    }

    /// Takes a relative path from the current folder, once and for all. Gives what names the file in errors.
    pub(crate) fn make_absolute(&mut self) -> Result<Errors, StoreError> {
        let errors = Errors::of(self.path.as_deref());
        let absolute = self.path.take().map(std::path::absolute).transpose();
        self.path = absolute.map_err(|_| errors.backend("the path cannot be used"))?;
        Ok(Errors::of(self.path.as_deref()))
    }

    /// Keeps each content as this codec seals it, and indexes the words that it gives; [`PlainCodec`].
    #[must_use]
    pub fn codec(mut self, codec: Arc<dyn Codec>) -> Self {
        self.codec = codec;
        self
    }
}
