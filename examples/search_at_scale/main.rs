//! Search among a million messages, measured: makes two databases, of which one has ten times the organizations of the
//! other and each organization as many messages, and times the same searches in both, ours and the same SQL written by
//! hand. Then it times appends with the index and without.
//!
//! ```sh
//! cargo run --release -p chatkeep-examples --example search_at_scale            # 1,000,000 messages
//! cargo run --release -p chatkeep-examples --example search_at_scale -- --orgs 50 search
//! ```
//!
//! It starts a PostgreSQL of its own, with fsync on, and leaves nothing behind. What it prints is in `docs/search.md`.

mod append;
mod corpus;
mod generate;
mod search;

use chatkeep_testkit::{PgOptions, PgServer};
use clap::{Parser, ValueEnum};

/// Measures search on PostgreSQL, and what its index costs an append.
#[derive(Debug, Parser)]
struct Options {
    /// Organizations of the larger database, with 1,000 messages each; the smaller has a tenth of them
    #[arg(long, default_value_t = 1_000)]
    orgs: usize,
    /// How often each search is run, by ours and by hand in turn
    #[arg(long, default_value_t = 1_000)]
    runs: usize,
    /// How long each round of appends takes, in seconds
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// What to measure; all of it if nothing is named
    #[arg(value_enum)]
    only: Option<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Search,
    Append,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    // A server as a deployment would set it up for a few gigabytes: the defaults are for 128 MB.
    let settings = PgOptions::default()
        .fsync(true)
        .set("shared_buffers", "2GB")
        .set("work_mem", "32MB")
        .set("maintenance_work_mem", "512MB")
        .set("max_wal_size", "8GB");
    let server = PgServer::start(settings)?;
    println!("PostgreSQL {}", server.version()?);
    if options.only != Some(Part::Append) {
        search::measure(&server, options.orgs, options.runs).await?;
    }
    if options.only != Some(Part::Search) {
        append::measure(&server, options.seconds).await?;
    }
    Ok(())
}
