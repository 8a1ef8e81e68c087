//! What is said on standard input and output.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the process is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Opens a new store, answered by [`About`].
    Open {
        /// Where.
        target: Target,
        /// The messages that are appended, in turn.
        texts: Vec<String>,
    },
    /// Makes the conversations, answered by [`Loaded`].
    Prepare {
        /// How many conversations are appended to.
        threads: usize,
        /// How many messages the one that is read has.
        history: usize,
        /// After so many seconds it has as many as there are.
        cap: f64,
    },
    /// Appends one message at a time, answered by [`Rate`].
    Append {
        /// How many callers append, each to conversations of its own.
        callers: usize,
        /// For how many seconds.
        seconds: f64,
    },
    /// Appends a message and searches until it is found, one caller, answered by [`Rate`].
    AppendAndFind {
        /// For how many seconds.
        seconds: f64,
    },
    /// Appends messages and then searches once: the search alone is measured, answered by [`Rate`].
    FirstSearch {
        /// How many messages.
        pending: usize,
    },
    /// Reads the last messages of the long conversation, one caller, answered by [`Rate`].
    Last {
        /// How many messages.
        count: usize,
        /// For how many seconds.
        seconds: f64,
    },
}

/// Where a store is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// An empty database: `postgres://user@host:port/name`.
    Postgres(String),
    /// A file that does not exist yet.
    Sqlite(PathBuf),
    /// In the process.
    Memory,
}

/// What was opened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct About {
    /// The version of the system.
    pub version: String,
    /// How it is used, and how durable its messages are.
    pub about: String,
}

/// What the long conversation holds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Loaded {
    /// Its messages; fewer than asked for when time was up.
    pub history: usize,
}

/// What was done in a slice of time.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Rate {
    /// Calls that succeeded.
    pub done: u64,
    /// Calls that failed.
    pub errors: u64,
    /// What the first of them said.
    pub first_error: Option<String>,
    /// How long it took, until the last call returned.
    pub seconds: f64,
}

/// What the process says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer<T> {
    /// It did.
    Ok(T),
    /// It could not.
    Error(String),
}
