//! What the command takes.

use clap::Parser;

/// Compares chatkeep with its peers on this machine, in one run.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// A short run: fewer rounds, shorter slices, less time to load the long conversation
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
    /// The same for many callers on a SQLite file: more than the 5 seconds for which its users commonly wait for the
    /// lock, or nobody would see that some wait in vain.
    pub(crate) contended: f64,
    /// The messages of the conversation that is read.
    pub(crate) history: usize,
    /// How long a system may take to load them, in seconds.
    pub(crate) cap: f64,
}

impl Options {
    pub(crate) fn plan(&self) -> Plan {
        if self.quick {
            Plan { rounds: 3, slice: 0.5, contended: 0.5, history: 10_000, cap: 6.0 }
        } else {
            Plan { rounds: 5, slice: 1.0, contended: 8.0, history: 10_000, cap: 45.0 }
        }
    }
}
