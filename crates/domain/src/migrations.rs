//! The port of a store whose tables have versions.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::StoreError;

/// One version of a store's tables.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationState {
    /// Its name; names sort in the order in which they are applied.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

impl MigrationState {
    /// The state of the version with this name.
    pub fn new(name: impl Into<String>, applied: bool) -> Self {
        Self { name: name.into(), applied }
    }
}

/// A database whose tables are to be looked at or changed, whatever state they are in.
///
/// Each change happens whole or not at all, and processes that start together wait for each other. Calls have no deadline: a
/// large table takes its time.
#[async_trait]
pub trait Migrations: Send + Sync + Debug {
    /// Every version, in order, and whether it is applied. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; [`StoreError::Backend`] also where the database is of a newer version of chatkeep.
    async fn status(&self) -> Result<Vec<MigrationState>, StoreError>;

    /// Applies the next `steps` missing versions, or all of them. Gives the names of those that were applied.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Backend`]; then nothing was changed.
    async fn up(&self, steps: Option<u32>) -> Result<Vec<String>, StoreError>;

    /// Takes back the last `steps` versions, WITH THE DATA that they hold. Gives their names.
    ///
    /// # Errors
    /// As [`up`](Self::up).
    async fn down(&self, steps: u32) -> Result<Vec<String>, StoreError>;

    /// Takes back every version WITH ALL DATA, and applies them again. Tables that are not chatkeep's stay.
    ///
    /// # Errors
    /// As [`up`](Self::up).
    async fn fresh(&self) -> Result<(), StoreError>;

    /// How many messages the database holds: what [`down`](Self::down) and [`fresh`](Self::fresh) would lose.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Backend`].
    async fn count_messages(&self) -> Result<u64, StoreError>;

    /// How many threads and messages there are.
    ///
    /// # Errors
    /// [`StoreError::NotMigrated`], [`StoreError::Unavailable`] or [`StoreError::Backend`].
    async fn count_indexable(&self) -> Result<u64, StoreError>;

    /// How many of them are not in the index of searches and filters, or were put there by another version of the analyzer.
    ///
    /// # Errors
    /// As [`count_indexable`](Self::count_indexable).
    async fn count_unindexed(&self) -> Result<u64, StoreError>;

    /// Begins to put into the index what is not in it, or, with `all`, everything anew. Nothing happens before
    /// [`Reindex::next_batch`].
    fn reindex(&self, all: bool) -> Box<dyn Reindex + '_>;
}

/// An index that is being filled again: see [`Migrations::reindex`].
#[async_trait]
pub trait Reindex: Send + Debug {
    /// Does the next rows in one transaction, and gives their number; 0 when all is done. The store may be used
    /// meanwhile. What a batch has done stays done: stop at any time, dropping the future included, and begin again.
    ///
    /// # Errors
    /// [`StoreError::NotMigrated`], [`StoreError::Unavailable`] or [`StoreError::Backend`]; call again to try the same
    /// batch again.
    async fn next_batch(&mut self) -> Result<u64, StoreError>;

    /// How many threads and messages could not be decoded, so far: they are left as they are.
    fn corrupt(&self) -> u64;

    /// The first hundred of them: each a [`StoreError::CorruptRow`], which names it.
    fn corrupt_rows(&self) -> &[StoreError];
}
