//! A large store, as it is after years: how long its calls take, and how long they make others wait. SQLite alone.

mod append;
mod beside;
mod delete;
mod disk;
pub(crate) mod figures;
mod load;
mod plan;
mod read;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use chatkeep::{ConversationRepository, Scope, StateManager};
use indicatif::ProgressBar;
use tempfile::TempDir;

use self::figures::Figure;
use self::plan::Thread;
use crate::floor::sqlite::connect;
use crate::load::sqlite::{Indexed, file, folder, open};

/// Not among the rows that are compared: it takes long.
pub(crate) const NAME: &str = "scale";

/// How often each latency of a read is measured; the median counts.
const ROUNDS: usize = 3;

/// How large and how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    messages: usize,
    /// Single appends.
    appends: usize,
    readers: usize,
    /// How long a round of reads is.
    round: Duration,
}

impl Size {
    pub(crate) fn new(quick: bool) -> Self {
        if quick {
            return Self {
                messages: 20_000,
                appends: 2_000,
                readers: 200,
                round: Duration::from_millis(300),
            };
        }
        Self { messages: 2_000_000, appends: 200_000, readers: 200, round: Duration::from_secs(5) }
    }
}

/// The file, what is in it, and what is told of it.
struct Scale<'a> {
    size: Size,
    folder: TempDir,
    threads: Arc<[Thread]>,
    progress: &'a ProgressBar,
    report: &'a mut dyn FnMut(Figure) -> Result<()>,
}

type Store = Arc<dyn ConversationRepository>;

fn state(store: &Store, scope: Scope) -> StateManager {
    StateManager::new(Arc::clone(store), scope)
}

impl Scale<'_> {
    fn file(&self) -> PathBuf {
        file(&self.folder, "scale")
    }

    async fn open(&self) -> Result<Store> {
        open(self.file()).await
    }

    /// On a connection of its own.
    fn indexed(&self) -> Result<Indexed> {
        Indexed::new(&self.file())
    }

    fn begin(&self, what: &'static str) {
        self.progress.set_message(what);
    }

    fn report(&mut self, figures: impl IntoIterator<Item = Figure>) -> Result<()> {
        figures.into_iter().try_for_each(&mut self.report)
    }
}

/// Loads and measures, and hands on each figure as soon as it is there.
pub(crate) async fn run(
    size: Size,
    progress: &ProgressBar,
    mut report: impl FnMut(Figure) -> Result<()>,
) -> Result<()> {
    let threads = plan::threads(size.messages).into();
    let mut scale = Scale { size, folder: folder()?, threads, progress, report: &mut report };
    let store = scale.open().await?;
    load::all(&mut scale, &store).await?;
    append::measure(&mut scale, &store).await?;
    read::searches(&mut scale, &store, "").await?;
    read::lists(&mut scale, &store).await?;
    beside::measure(&mut scale, &store).await?;
    let store = with_statistics(&mut scale, store).await?;
    delete::measure(&mut scale, &store).await?;
    Ok(store.close().await?)
}

/// The searches again after `ANALYZE`. Then the file is as before, and the store is opened anew.
async fn with_statistics(scale: &mut Scale<'_>, store: Store) -> Result<Store> {
    store.close().await?;
    scale.begin("ANALYZE");
    connect(&scale.file())?.execute_batch("ANALYZE")?;
    let store = scale.open().await?;
    read::searches(scale, &store, "_analyzed").await?;
    store.close().await?;
    connect(&scale.file())?.execute_batch("DROP TABLE sqlite_stat1; DROP TABLE IF EXISTS sqlite_stat4")?;
    scale.open().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn every_row_has_a_figure() {
        let size = Size { messages: 2_000, appends: 200, readers: 10, round: Duration::from_millis(5) };
        let mut figures = Vec::new();
        let report = |figure| {
            figures.push(figure);
            Ok(())
        };
        Box::pin(run(size, &ProgressBar::hidden(), report)).await.unwrap();
        let names: Vec<_> = figures.iter().map(|figure| figure.name.as_str()).collect();
        for wanted in
            ["load", "append_worst", "relevance", "prefix_tiny_analyzed", "last50_ratio", "delete_call"]
        {
            assert!(names.contains(&wanted), "{names:?}");
        }
        assert!(figures.iter().all(|figure| figure.value.is_finite() && figure.value >= 0.0), "{figures:?}");
    }
}
