//! What the command takes.

use clap::Parser;

/// Compares chatkeep with its peers on this machine, in one run.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// A short run: fewer rounds, shorter slices, a shorter conversation
    #[arg(long)]
    pub(crate) quick: bool,
    /// Prints JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Measures only these peers, beside chatkeep
    #[arg(long, num_args = 1.., value_name = "NAME")]
    pub(crate) only: Vec<String>,
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Rounds that count, after one that does not.
    pub(crate) rounds: usize,
    /// How long a system is measured in a round, in seconds.
    pub(crate) slice: f64,
    /// The messages of the conversation that is read.
    pub(crate) history: usize,
    /// How long a system may take to load them, in seconds.
    pub(crate) cap: f64,
}

impl Options {
    pub(crate) fn plan(&self) -> Plan {
        if self.quick {
            Plan { rounds: 3, slice: 0.7, history: 10_000, cap: 10.0 }
        } else {
            Plan { rounds: 5, slice: 2.0, history: 10_000, cap: 90.0 }
        }
    }
}
