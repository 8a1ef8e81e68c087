//! What differs between the backends: where the store is, and how it is looked at from outside.

pub(super) mod postgres;
pub(super) mod sqlite;

use anyhow::Result;
use async_trait::async_trait;

use super::Store;
use super::figures::{Figure, Times};
use super::plan::Thread;

/// The messages of a transaction of the disk's own measure: as many as callers wait.
const GROUP: usize = 16;

/// Where the store is. The store goes when its place is dropped.
#[async_trait]
pub(super) trait Place: Sync {
    /// The backend's name.
    fn name(&self) -> &'static str;

    /// How much longer the worst single append may take than the disk's own worst, in milliseconds.
    fn worst_append(&self) -> f64;

    /// Opens the store, with so many connections or with the default. SQLite always takes the default.
    async fn open(&self, connections: Option<u32>) -> Result<Store>;

    /// Waits until the search index has all messages.
    async fn indexed(&self) -> Result<()>;

    /// What is to be done behind the loading before anything is measured.
    async fn loaded(&self) -> Result<()>;

    /// Makes the statistics. The store is closed meanwhile.
    fn analyze(&self) -> Result<()>;

    /// Takes the statistics away again, where a user's store has none.
    fn forget_statistics(&self) -> Result<()>;

    /// What is on the disk.
    fn sizes(&self) -> Result<Sizes>;

    /// What the backend wrote to its log so far; `None` where that is not counted.
    fn log(&self) -> Result<Option<Log>>;

    /// What the disk does by itself: the plainest program that writes as many groups of messages, each group timed.
    fn disk(&self, name: &str, groups: usize) -> Result<Times>;

    /// Whether no row of a deleted thread is left.
    fn is_gone(&self, thread: &Thread) -> Result<bool>;
}

/// Bytes on the disk.
pub(super) struct Sizes {
    /// The large parts, which together are the whole.
    pub(super) parts: Vec<(&'static str, u64)>,
    /// Each table and index by itself, the largest first, where the backend tells.
    pub(super) shares: Vec<(String, u64)>,
}

impl Sizes {
    pub(super) fn total(&self) -> u64 {
        self.parts.iter().map(|(_, bytes)| bytes).sum()
    }

    /// The parts in megabytes.
    pub(super) fn figures(&self, when: &str) -> Vec<Figure> {
        let figure =
            |(part, bytes): &(&str, u64)| Figure::new(format!("{part}_{when}"), "MB", per(*bytes, 1_000_000));
        self.parts.iter().map(figure).collect()
    }
}

/// What a log has had so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log {
    pub(super) bytes: u64,
    /// Whole pages in it: the first change of a page behind a checkpoint.
    pub(super) pages: u64,
}

/// One number divided by another.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(super) fn per(amount: u64, count: usize) -> f64 {
    amount as f64 / count as f64
}

/// The groups that so many appends would need.
pub(super) fn groups(appends: usize) -> usize {
    (appends / GROUP).max(1)
}
