//! The rows of a backend, one after the other.

use std::sync::Arc;

use anyhow::Result;
use indicatif::ProgressBar;

use crate::cases::{Backend, Case};
use crate::floor::Pair;
use crate::load::memory::MemoryPair;
use crate::load::postgres::{self, PostgresPair};
use crate::load::sqlite::SqlitePair;
use crate::measure::Plan;
use crate::report::Row;
use crate::scenario;

/// Measures them, and hands on each as soon as it is there.
pub(crate) async fn all(
    backend: Backend,
    cases: &[Case],
    plan: impl Fn(&Case) -> Plan,
    progress: &ProgressBar,
    report: impl FnMut(Row) -> Result<()>,
) -> Result<()> {
    match backend {
        _ if cases.is_empty() => Ok(()),
        Backend::Postgres => {
            let server = Arc::new(postgres::start()?);
            on::<PostgresPair>(&server, cases, plan, progress, report).await
        }
        Backend::Sqlite => on::<SqlitePair>(&(), cases, plan, progress, report).await,
        Backend::Memory => on::<MemoryPair>(&(), cases, plan, progress, report).await,
    }
}

async fn on<P: Pair>(
    server: &P::Server,
    cases: &[Case],
    plan: impl Fn(&Case) -> Plan,
    progress: &ProgressBar,
    mut report: impl FnMut(Row) -> Result<()>,
) -> Result<()> {
    for together in cases.chunk_by(|one, other| one.what.shape() == other.what.shape()) {
        let Some(first) = together.first() else { continue };
        progress.set_message(format!("{}: loading for {}", P::BACKEND, first.name));
        let mut pair = Box::pin(P::load(server, first.what.shape())).await?;
        for case in together {
            Box::pin(pair.renew()).await?;
            progress.set_message(format!("{}: {} of {} callers", P::BACKEND, case.name, case.callers));
            let measured = Box::pin(scenario::measure(&pair, case, plan(case))).await?;
            report(Row::new(case.name.clone(), P::BACKEND, case.callers, case.what.unit(), measured))?;
            progress.inc(1);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cases;

    /// Each row of a backend once, and its name; what takes long to load is left out or smaller.
    async fn small(backend: Backend, name: &str) -> Vec<String> {
        let cases = cases::of_backend(backend, None, true);
        let is_large =
            |case: &Case| matches!(case.what, cases::What::Stream(_)) || case.name.ends_with("_100000");
        let mut cases: Vec<_> = cases.into_iter().filter(|case| !is_large(case)).collect();
        if let Some(search) = cases.iter_mut().find(|case| case.name == "search") {
            search.what = cases::What::Search(2);
        }
        let plan = Plan { pairs: 1, round: Duration::from_millis(1) };
        let mut rows = Vec::new();
        let report = |row| {
            rows.push(row);
            Ok(())
        };
        all(backend, &cases, |_| plan, &ProgressBar::hidden(), report).await.unwrap();
        for row in &rows {
            let figures = [row.ours, row.floor, row.ratio, row.ratio_min, row.ratio_max];
            assert!(figures.iter().all(|figure| figure.is_finite() && *figure > 0.0), "{row:?}");
            assert_eq!(row.backend, name);
        }
        rows.iter().map(|row| format!("{} {}", row.scenario, row.callers)).collect()
    }

    const NAMES: [&str; 14] = [
        "append 1",
        "append 16",
        "append 64",
        "append_one_thread 16",
        "append_join_all 1",
        "window 1",
        "batch_10 1",
        "batch_100 1",
        "batch_1000 1",
        "last50_100 1",
        "last50_10000 1",
        "list_10000 1",
        "previews 1",
        "search 1",
    ];

    #[tokio::test(flavor = "multi_thread")]
    async fn on_memory_every_row_has_figures() {
        assert_eq!(Box::pin(small(Backend::Memory, "memory")).await, NAMES);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn on_sqlite_every_row_has_figures() {
        let mut names = Box::pin(small(Backend::Sqlite, "sqlite")).await;
        names.retain(|name| name != "cold_start 1");
        assert_eq!(names, NAMES);
    }
}
