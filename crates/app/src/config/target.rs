//! What a configuration points at.

use std::path::PathBuf;

/// What a URL must be.
pub(super) const RULE: &str = "must be postgres://…, postgresql://…, sqlite://path, sqlite::memory: or memory:, with special \
                               characters percent-encoded";

/// What is to be opened.
#[derive(Debug)]
pub(crate) enum Target {
    Memory,
    SqliteInMemory,
    /// `None` is the default place.
    SqliteFile(Option<PathBuf>),
    /// By its URL, or by its parts.
    Postgres,
}
