//! Compares chatkeep with its peers: the same messages, machine, server and durability, in one run. See `README.md`.
//!
//! Each system runs in a process of its own and answers a line protocol. For each store and measure the systems take
//! turns, round by round, and the medians of the rounds are compared.

mod chatkeep;
mod options;
mod peer;
mod report;
mod run;
mod systems;
mod table;
mod targets;
mod texts;

use anyhow::Result;
use chatkeep_testkit::{PgOptions, PgServer};
use clap::Parser as _;

use crate::options::Options;
use crate::report::Report;
use crate::systems::{Kind, Starter, chosen};

/// The argument with which this program is chatkeep's process.
const WORKER: &str = "--worker";

fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() == Some(WORKER) {
        return tokio::runtime::Runtime::new()?.block_on(peers_worker::serve::<chatkeep::Chatkeep>());
    }
    let options = Options::parse();
    let systems = chosen(&options)?;
    let starter = Starter::prepare(&systems)?;
    // Of the server's own settings only those that would otherwise have checkpoints in some rounds and not in others.
    let settings = PgOptions::default().fsync(true).set("shared_buffers", "512MB").set("max_wal_size", "8GB");
    let server = PgServer::start(settings)?;
    let mut report = Report::new(&server, options.plan())?;
    for kind in Kind::ALL {
        run::measure(kind, &systems, &starter, &server, &mut report)?;
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", table::render(&report));
    }
    Ok(())
}
