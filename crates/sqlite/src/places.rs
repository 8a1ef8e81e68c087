//! Places of messages in an order, and the bounds between which they are asked for.

use chatkeep_domain::search::{SearchKey, SearchRead};
use chatkeep_domain::{ChatMessage, OrgId, Position, StoreError, ThreadId};
use rusqlite::{Connection, Row};

use crate::error::Result;
use crate::row::{MESSAGE_COLUMNS, MESSAGE_WIDTH, Opener};

/// A message that may match, and its place in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) key: SearchKey,
    pub(crate) row: i64,
    /// The index says for certain that the words match.
    pub(crate) is_exact: bool,
}

impl Place {
    /// A place in one thread, where the position alone decides.
    pub(crate) fn in_thread(thread: ThreadId, position: Position, org: &OrgId) -> Self {
        Self { key: SearchKey::new(None, thread, position, org.clone()), row: 0, is_exact: false }
    }

    /// The message, and the name of its thread.
    pub(crate) fn message(
        &self,
        connection: &Connection,
        opener: Opener<'_>,
    ) -> Result<(Result<ChatMessage, StoreError>, String)> {
        let text = format!(
            "SELECT {MESSAGE_COLUMNS}, t.name FROM chat_message m JOIN chat_thread t ON t.key = m.thread WHERE m.key = ?1"
        );
        let read = |row: &Row<'_>| Ok((opener.message(row), row.get(MESSAGE_WIDTH)?));
        Ok(connection.prepare_cached(&text)?.query_row([self.row], read)?)
    }
}

/// What is asked for: the first `limit` places in this order, between these places.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) newest_first: bool,
    /// From this place on.
    pub(crate) from: Option<Place>,
    /// Behind this place.
    pub(crate) behind: Option<Place>,
    /// Ahead of this place.
    pub(crate) ahead: Option<Place>,
    /// Up to this place.
    pub(crate) until: Option<Place>,
    pub(crate) limit: usize,
}

impl Bounds {
    pub(crate) fn new(newest_first: bool, limit: usize) -> Self {
        Self { newest_first, from: None, behind: None, ahead: None, until: None, limit }
    }

    pub(crate) fn of(read: &SearchRead) -> Self {
        let place = |key: &Option<SearchKey>| key.clone().map(|key| Place { key, row: 0, is_exact: false });
        Self {
            newest_first: read.newest_first,
            from: place(&read.from),
            behind: place(&read.behind),
            ahead: None,
            until: place(&read.until),
            limit: read.limit,
        }
    }

    pub(crate) fn contains(&self, place: &Place) -> bool {
        let is_behind =
            |other: &Place| if self.newest_first { place.key < other.key } else { place.key > other.key };
        let is_at = |other: &Place| place.key == other.key;
        self.from.as_ref().is_none_or(|from| is_at(from) || is_behind(from))
            && self.behind.as_ref().is_none_or(is_behind)
            && self.ahead.as_ref().is_none_or(|ahead| !is_at(ahead) && !is_behind(ahead))
            && self.until.as_ref().is_none_or(|until| !is_behind(until))
    }

    pub(crate) fn sort(&self, places: &mut [Place]) {
        places.sort_unstable_by(|one, other| {
            if self.newest_first { other.key.cmp(&one.key) } else { one.key.cmp(&other.key) }
        });
    }
}
