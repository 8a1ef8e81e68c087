//! A part of a list.

use serde::{Deserialize, Serialize};

use crate::Cursor;

/// A part of a list, and where the rest begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// At most as many as the query's limit, in the query's order.
    pub items: Vec<T>,
    /// Give it to the next query for what follows. `None`: this was the end when it was read.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// A page without items and without a next one.
    pub const fn empty() -> Self {
        Self { items: Vec::new(), next: None }
    }

    /// Cuts a list that was read one longer than `limit`, and points the cursor behind its last item.
    pub fn cut(mut items: Vec<T>, limit: usize, cursor: impl FnOnce(&T) -> Cursor) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(cursor);
        Self { items, next }
    }
}
