//! Measures chatkeep, as a program uses it, against the plainest code by hand on the same backend, in the same run. What
//! the rows are is told in `bench/README.md`.

mod cases;
mod corpus;
mod data;
mod floor;
mod load;
mod measure;
mod plot;
mod report;
mod run;
mod scenario;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum as _};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cases::Backend;
use crate::scenario::scale;

/// Measures chatkeep against code by hand
#[derive(Debug, Parser)]
struct Options {
    /// Only this backend
    #[arg(long, value_enum)]
    backend: Option<Backend>,
    /// Only this scenario, and those whose names go on behind it: `batch` is `batch_10`, `batch_100` and `batch_1000`; or `scale`,
    /// which is run by its name alone
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Short rounds and smaller sizes, for a first look
    #[arg(long)]
    quick: bool,
    /// Prints a JSON object a line instead of a table
    #[arg(long)]
    json: bool,
    /// Draws what was measured, an SVG file a backend in this folder; for one backend, this file if it ends in .svg
    #[arg(long, value_name = "FILE_OR_DIR")]
    plot: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    if options.scenario.as_deref() == Some(scale::NAME) {
        return Box::pin(scale(&options)).await;
    }
    let backends = options.backend.map_or(Backend::value_variants().to_vec(), |backend| vec![backend]);
    let cases = |backend| cases::of_backend(backend, options.scenario.as_deref(), options.quick);
    let count: usize = backends.iter().map(|backend| cases(*backend).len()).sum();
    ensure!(count > 0, "there is no such scenario on this backend");
    let progress = ProgressBar::new(count as u64);
    progress.set_style(ProgressStyle::with_template("{pos}/{len} {msg} {elapsed}")?);
    let mut rows = Vec::new();
    for backend in backends {
        let asked = cases(backend);
        let plan = |case: &cases::Case| cases::plan(options.quick, asked.len(), case.what);
        let report = |row: report::Row| {
            if options.json {
                println!("{}", serde_json::to_string(&row)?);
            }
            rows.push(row);
            Ok(())
        };
        run::all(backend, &asked, plan, &progress, report).await?;
    }
    progress.finish_and_clear();
    if !options.json {
        println!("{}", report::table(&rows));
    }
    options.plot.map_or(Ok(()), |to| plot::draw(&to, &rows))
}

/// The large store, by itself.
async fn scale(options: &Options) -> Result<()> {
    let backends: Vec<_> =
        scale::BACKENDS.into_iter().filter(|it| options.backend.is_none_or(|asked| asked == *it)).collect();
    ensure!(!backends.is_empty(), "scale is of PostgreSQL and SQLite");
    ensure!(options.plot.is_none(), "scale has nothing to compare, and so no picture");
    let progress = ProgressBar::new_spinner();
    progress.set_style(ProgressStyle::with_template("{msg} {elapsed}")?);
    let (size, mut rows, mut outcome) = (scale::Size::new(options.quick), Vec::new(), Ok(()));
    for backend in backends {
        let report = |row| {
            if options.json {
                println!("{}", serde_json::to_string(&row)?);
            }
            rows.push(row);
            Ok(())
        };
        outcome = outcome.and(Box::pin(scale::run(backend, size, &progress, report)).await);
    }
    progress.finish_and_clear();
    // What was measured before an error took long too.
    if !options.json {
        println!("{}", scale::figures::table(&rows));
    }
    outcome
}
