//! Measures chatkeep, as a program uses it, against the plainest code by hand on the same backend, in the same run. What
//! the rows are is told in `bench/README.md`.

mod cases;
mod data;
mod floor;
mod load;
mod measure;
mod report;
mod scenario;

use anyhow::{Result, ensure};
use chatkeep_testkit::PgServer;
use clap::{Parser, ValueEnum as _};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cases::{Backend, Case};

/// Measures chatkeep against code by hand
#[derive(Debug, Parser)]
struct Options {
    /// Only this backend
    #[arg(long, value_enum)]
    backend: Option<Backend>,
    /// Only this scenario, and those whose names go on behind it: `batch` is `batch_10`, `batch_100` and `batch_1000`
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Short rounds and smaller sizes, for a first look
    #[arg(long)]
    quick: bool,
    /// Prints a JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let backends = options.backend.map_or(Backend::value_variants().to_vec(), |backend| vec![backend]);
    let scenario = options.scenario.as_deref();
    let cases = |backend| cases::of_backend(backend, scenario, options.quick);
    let count: usize = backends.iter().map(|backend| cases(*backend).len()).sum();
    ensure!(count > 0, "there is no such scenario on this backend");
    let progress = ProgressBar::new(count as u64)
        .with_style(ProgressStyle::with_template("{pos}/{len} {msg} {elapsed}")?);
    let mut rows = Vec::new();
    for backend in backends {
        let cases = cases(backend);
        let server = start(backend, &cases)?;
        let plan = cases::plan(options.quick, cases.len());
        for case in &cases {
            progress.set_message(format!("{} {}", case.name, case.callers));
            let row = scenario::run(backend, server.as_ref(), case, plan).await?;
            if options.json {
                println!("{}", serde_json::to_string(&row)?);
            }
            rows.push(row);
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    if !options.json {
        println!("{}", report::table(&rows));
    }
    Ok(())
}

/// PostgreSQL is started where something is measured on it.
fn start(backend: Backend, cases: &[Case]) -> Result<Option<PgServer>> {
    (backend == Backend::Postgres && !cases.is_empty()).then(load::postgres::start).transpose()
}
