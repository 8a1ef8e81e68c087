//! The store: what its calls run on.

use std::fmt;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Instant;

use async_trait::async_trait;
use chatkeep_domain::{
    BranchRepository, Codec, Content, ContentKey, ConversationRepository, MessageSearch, StoreError,
};
use rusqlite::Connection;

use crate::blocking::blocking;
use crate::config::SqliteConfig;
use crate::connection::{open_reader, open_writer, patiently, rest};
use crate::error::{Answer, Errors, Result, STORE};
use crate::identity::Identity;
use crate::readers::{Readers, Work};
use crate::schema;
use crate::upkeep::{Backlog, Upkeep};
use crate::writer::Writer;

/// Conversations in a SQLite database. A clone is another handle to the same store.
#[derive(Clone)]
pub struct SqliteRepository(Arc<Inner>);

struct Inner {
    /// `None`: opened to read alone.
    writer: Option<Writer>,
    /// `None`: in memory, where the writer's connection is the only one.
    readers: Option<[Readers; 2]>,
    context: Arc<Context>,
}

/// What calls need beside a connection.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) codec: Arc<dyn Codec>,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) errors: Errors,
}

impl Context {
    /// A content as it is kept.
    pub(crate) fn seal(&self, content: &Content, key: &ContentKey<'_>) -> Answer<String> {
        self.codec.seal(content, key).map_err(|error| StoreError::backend(STORE, error))
    }
}

impl SqliteRepository {
    /// Opens a database, and makes or updates its tables unless that is switched off. Of a file that is there it reads no more than its
    /// header and the version of its tables.
    ///
    /// # Errors
    /// [`StoreError::Backend`] for a file that cannot be opened, is no database, is another program's, or of a newer version of
    /// chatkeep; [`StoreError::NotMigrated`] where tables are missing that are not to be made.
    pub async fn open(mut config: SqliteConfig) -> Result<Self, StoreError> {
        let errors = config.make_absolute()?;
        errors.clone().blocking(move || open(&config, &errors)).await
    }

    /// Reads in one snapshot.
    pub(crate) async fn read<T: Send + 'static>(&self, work: impl Work<T>) -> Answer<T> {
        match &self.0.readers {
            Some([readers, _]) => readers.read(work).await,
            None => self.write(work).await,
        }
    }

    /// The same, for what may take long: so few at a time that other reads go on.
    pub(crate) async fn read_long<T: Send + 'static>(&self, work: impl Work<T>) -> Answer<T> {
        match &self.0.readers {
            Some([_, searchers]) => searchers.read(work).await,
            None => self.write(work).await,
        }
    }

    /// The same, for what may take as long as it takes.
    pub(crate) async fn read_unbounded<T: Send + 'static>(&self, work: impl Work<T>) -> Answer<T> {
        match &self.0.readers {
            Some([_, searchers]) => searchers.read_unbounded(work).await,
            None => Err(StoreError::unsupported("a backup of a database in memory", STORE)),
        }
    }

    /// Writes as a whole or not at all.
    pub(crate) async fn write<T: Send + 'static>(&self, work: impl Work<T>) -> Answer<T> {
        match &self.0.writer {
            Some(writer) => writer.write(work).await,
            None => Err(self.0.context.errors.backend("the file was opened to be read alone")),
        }
    }

    /// Does the next step of a long work, which is a write of its own, and leaves the lock to other processes behind it.
    pub(crate) async fn write_step<T: Send + 'static>(
        &self,
        mut work: impl Work<T>,
        is_last: impl Fn(&T) -> bool,
    ) -> Answer<T> {
        // From when the lock is held.
        let timed = move |connection: &Connection| Ok((Instant::now(), work(connection)?));
        let (begun, done) = self.write(timed).await?;
        // In memory there are no others.
        if self.0.readers.is_some() && !is_last(&done) {
            let rest = move || {
                rest(begun);
                Ok(())
            };
            self.0.context.errors.blocking(rest).await?;
        }
        Ok(done)
    }

    /// Has the writer's thread look for what can wait.
    pub(crate) fn wake(&self) {
        if let Some(writer) = &self.0.writer {
            writer.wake();
        }
    }

    pub(crate) fn backlog(&self) -> &Backlog {
        &self.0.context.backlog
    }

    pub(crate) fn context(&self) -> Arc<Context> {
        Arc::clone(&self.0.context)
    }

    pub(crate) fn codec(&self) -> Arc<dyn Codec> {
        Arc::clone(&self.0.context.codec)
    }
}

fn open(config: &SqliteConfig, errors: &Errors) -> Result<SqliteRepository> {
    let (lock_timeout, timeout) = (config.lock_timeout, config.timeout);
    let backlog = Arc::new(Backlog::default());
    let writer = if config.is_read_only {
        let path =
            config.path.as_deref().ok_or_else(|| errors.backend("a database in memory is not there yet"))?;
        schema::check_all(open_reader(path, lock_timeout)?.within(timeout), errors)?;
        None
    } else {
        let check = |connection: &Connection| schema::applied(connection, errors).map(drop);
        let connection = patiently(lock_timeout, || {
            let mut connection = open_writer(config.path.as_deref(), lock_timeout, check)?;
            if config.auto_migrate {
                schema::migrate(connection.unbounded_mut(), schema::NAMES.len(), errors)?;
            }
            Ok(connection)
        })?;
        schema::check_all(connection.unbounded(), errors)?;
        let upkeep = Upkeep::new(Arc::clone(&backlog), Arc::clone(&config.codec));
        let identity = config.path.as_deref().map(Identity::of);
        let writer = Writer::start(connection, upkeep, identity, config, errors.clone());
        Some(writer.map_err(|error| StoreError::backend(STORE, error))?)
    };
    let half = available_parallelism().map_or(1, NonZero::get) / 2;
    let open = |path| [config.readers, half.max(1)].map(|count| Readers::new(path, count, config, errors));
    let readers = config.path.as_deref().map(open);
    let context = Arc::new(Context { codec: Arc::clone(&config.codec), backlog, errors: errors.clone() });
    Ok(SqliteRepository(Arc::new(Inner { writer, readers, context })))
}

#[async_trait]
impl ConversationRepository for SqliteRepository {
    fn search(&self) -> Option<&dyn MessageSearch> {
        Some(self)
    }

    fn branches(&self) -> Option<&dyn BranchRepository> {
        Some(self)
    }

    fn name(&self) -> &'static str {
        STORE
    }

    async fn close(&self) -> Result<(), StoreError> {
        for readers in self.0.readers.iter().flatten() {
            readers.close().await;
        }
        if let Some(thread) = self.0.writer.as_ref().and_then(Writer::close) {
            blocking(move || drop(thread.join())).await;
        }
        Ok(())
    }
}

impl fmt::Debug for SqliteRepository {
    /// Shows nothing of what is kept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteRepository").finish_non_exhaustive()
    }
}
