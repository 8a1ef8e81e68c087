//! How a search took its text.

use serde::{Deserialize, Serialize};

/// How a search took its text: see [`SearchQuery`](crate::SearchQuery).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SearchReading {
    /// As a query, with its signs: `-x` excludes, and so on.
    #[default]
    Query,
    /// As plain words: every sign is a space, and every word is wanted.
    Text,
}
