//! What a search gives.

use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::search::hit::SearchHit;
use crate::search::reading::SearchReading;

/// A part of what a search found, and where the rest begins.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SearchPage {
    /// At most as many as the query's limit, in the query's order.
    pub items: Vec<SearchHit>,
    /// Give it to the next query for what follows. `None`: this was the end when it was read.
    pub next: Option<Cursor>,
    /// How the text was read. All pages of a search have the reading of the first.
    pub reading: SearchReading,
}

impl SearchPage {
    /// A page of these hits.
    pub const fn new(items: Vec<SearchHit>, next: Option<Cursor>, reading: SearchReading) -> Self {
        Self { items, next, reading }
    }

    /// A page without hits and without a next one, of a text that was read as a query.
    pub const fn empty() -> Self {
        Self::new(Vec::new(), None, SearchReading::Query)
    }
}
