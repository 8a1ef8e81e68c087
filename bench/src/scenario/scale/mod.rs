//! A large store, as it is after years: how large it is, how long its calls take, and how long they make others wait.

mod append;
mod beside;
mod by_id;
mod delete;
pub(crate) mod figures;
mod load;
mod place;
mod plan;
mod read;
mod search;
mod text;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use chatkeep::{ConversationRepository, Scope, StateManager};
use indicatif::ProgressBar;

use self::figures::{Figure, Row};
use self::place::Place;
use self::place::postgres::PostgresPlace;
use self::place::sqlite::SqlitePlace;
use self::plan::Thread;
use crate::cases::Backend;

/// Not among the rows that are compared: it takes long.
pub(crate) const NAME: &str = "scale";

/// The backends that have it.
pub(crate) const BACKENDS: [Backend; 2] = [Backend::Postgres, Backend::Sqlite];

/// How often each latency of a read is measured; the median counts.
const ROUNDS: usize = 3;

/// How often operations by id are measured, each time on other messages.
const PARTS: usize = 2;

/// How large and how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    messages: usize,
    /// Single appends.
    appends: usize,
    /// Operations of each kind by id.
    by_id: usize,
    readers: usize,
    /// How long a round of reads is.
    round: Duration,
}

impl Size {
    pub(crate) fn new(quick: bool) -> Self {
        let (readers, by_id) = (200, 200);
        if quick {
            let round = Duration::from_millis(300);
            return Self { messages: 20_000, appends: 4_000, by_id, readers, round };
        }
        Self { messages: 2_000_000, appends: 500_000, by_id, readers, round: Duration::from_secs(5) }
    }
}

/// Where the store is, what is in it, and what is told of it.
struct Scale<'a> {
    size: Size,
    place: &'a dyn Place,
    threads: Arc<[Thread]>,
    /// What the names of reads end with.
    suffix: &'static str,
    progress: &'a ProgressBar,
    report: &'a mut dyn FnMut(Row) -> Result<()>,
}

type Store = Arc<dyn ConversationRepository>;

fn state(store: &Store, scope: Scope) -> StateManager {
    StateManager::new(Arc::clone(store), scope)
}

impl Scale<'_> {
    fn begin(&self, what: &str) {
        self.progress.set_message(format!("{}: {what}", self.place.name()));
    }

    fn report(&mut self, figures: impl IntoIterator<Item = Figure>) -> Result<()> {
        let backend = self.place.name();
        figures.into_iter().try_for_each(|figure| (self.report)(Row { backend, figure }))
    }

    /// The row of a call that failed.
    fn failed(&self, name: &str, until: Duration, error: &anyhow::Error) -> Figure {
        self.tell(&format!("{name}: {error:#}"));
        Figure::millis(format!("{name}_failed"), until).at_most(0.0)
    }

    /// The row of how many calls failed.
    fn count_errors(&self, name: &str, errors: &[anyhow::Error]) -> Figure {
        if let Some(first) = errors.first() {
            self.tell(&format!("{name}, the first of {} errors: {first:#}", errors.len()));
        }
        Figure::count(format!("{name}_errors"), "errors", errors.len()).at_most(0.0)
    }

    /// Also where no progress is shown.
    fn tell(&self, what: &str) {
        self.progress.suspend(|| eprintln!("{}: {what}", self.place.name()));
    }
}

/// Loads and measures, and hands on each row as soon as it is there.
pub(crate) async fn run(
    backend: Backend,
    size: Size,
    progress: &ProgressBar,
    mut report: impl FnMut(Row) -> Result<()>,
) -> Result<()> {
    progress.set_message("starting");
    let place: Box<dyn Place> = match backend {
        Backend::Postgres => Box::new(PostgresPlace::new().await?),
        Backend::Sqlite => Box::new(SqlitePlace::new()?),
        Backend::Memory => bail!("nothing in memory is as large"),
    };
    let threads = plan::threads(size.messages).into();
    let mut scale = Scale { size, place: &*place, threads, suffix: "", progress, report: &mut report };
    all(&mut scale).await
}

async fn all(scale: &mut Scale<'_>) -> Result<()> {
    let store = scale.place.open(Some(append::CALLERS)).await?;
    load::all(scale, &store).await?;
    append::measure(scale, &store).await?;
    store.close().await?;
    reads(scale, 0).await?;
    let store = scale.place.open(None).await?;
    beside::measure(scale, &store).await?;
    store.close().await?;
    with_statistics(scale).await?;
    let store = scale.place.open(None).await?;
    delete::measure(scale, &store).await?;
    Ok(store.close().await?)
}

/// What one caller does, on one connection: its statements are planned alike throughout.
async fn reads(scale: &mut Scale<'_>, part: usize) -> Result<()> {
    let store = scale.place.open(Some(1)).await?;
    search::all(scale, &store).await?;
    read::lists(scale, &store).await?;
    by_id::measure(scale, &store, part).await?;
    Ok(store.close().await?)
}

/// The same again after `ANALYZE`.
async fn with_statistics(scale: &mut Scale<'_>) -> Result<()> {
    scale.begin("ANALYZE");
    scale.place.analyze()?;
    scale.report(scale.place.sizes()?.figures("analyzed"))?;
    scale.suffix = "_analyzed";
    reads(scale, 1).await?;
    scale.place.forget_statistics()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn small(backend: Backend) -> Vec<String> {
        let round = Duration::from_millis(5);
        let size = Size { messages: 2_000, appends: 200, by_id: 5, readers: 10, round };
        let mut rows = Vec::new();
        let report = |row| {
            rows.push(row);
            Ok(())
        };
        Box::pin(run(backend, size, &ProgressBar::hidden(), report)).await.unwrap();
        assert!(rows.iter().all(|row| row.figure.value.is_finite() && row.figure.value >= 0.0), "{rows:?}");
        let names: Vec<_> = rows.into_iter().map(|row| row.figure.name).collect();
        for wanted in [
            "load",
            "bytes_ratio",
            "append_worst",
            "relevance",
            "operator_absent",
            "prefix_tiny_analyzed",
            "sender_list",
            "delete_ratio_analyzed",
            "last50_ratio",
            "delete_call",
        ] {
            assert!(names.iter().any(|name| name == wanted), "{wanted}: {names:?}");
        }
        let mut failed = names.iter().filter(|name| name.ends_with("_failed") && *name != "searches_failed");
        assert_eq!(failed.next(), None);
        names
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn on_sqlite_every_row_has_a_figure() {
        Box::pin(small(Backend::Sqlite)).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs PostgreSQL: run `cargo xtask test`"]
    async fn on_postgres_every_row_has_a_figure() {
        let names = Box::pin(small(Backend::Postgres)).await;
        for wanted in ["bytes_chat_message", "append_log", "append_log_pages"] {
            assert!(names.iter().any(|name| name == wanted), "{wanted}: {names:?}");
        }
    }
}
