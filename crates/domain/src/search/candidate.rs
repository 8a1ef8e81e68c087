//! What a store reads for a search.

use std::fmt;

use crate::error::StoreError;
use crate::id::OrgId;
use crate::message::ChatMessage;
use crate::search::place::SearchKey;

/// A message that a store found in its index. `Debug` shows no name and no content.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct SearchCandidate {
    /// The organization of the thread.
    pub org_id: OrgId,
    /// The name of the thread.
    pub thread_name: String,
    /// The message.
    pub message: ChatMessage,
    /// The store knows that the words match.
    pub(super) has_words: bool,
}

impl SearchCandidate {
    /// A message of a thread of this name and organization.
    pub const fn new(org_id: OrgId, thread_name: String, message: ChatMessage) -> Self {
        Self { org_id, thread_name, message, has_words: false }
    }

    /// Says that the store's index is exact for this message: its words match [`expr`](super::SearchPlan::expr). The plan does not check
    /// them again then, and the filters alone.
    #[must_use]
    pub fn with_exact_words(mut self) -> Self {
        self.has_words = true;
        self
    }
}

impl fmt::Debug for SearchCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchCandidate")
            .field("org_id", &self.org_id)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// A message that a store found in its index and cannot decode. Nobody can say that it does not match, so it counts as
/// a hit, and is reported in its place.
#[derive(Debug)]
#[non_exhaustive]
pub struct CorruptCandidate {
    /// The row's place among the candidates; `None` if the place cannot be decoded either.
    pub key: Option<SearchKey>,
    /// [`StoreError::CorruptRow`]. The plan adds the cursor behind the row.
    pub error: StoreError,
}

impl CorruptCandidate {
    /// A row at this place that cannot be decoded.
    pub fn new(key: impl Into<Option<SearchKey>>, error: StoreError) -> Self {
        Self { key: key.into(), error }
    }
}

/// What a store is to read: the first `limit` candidates in this order, between these places.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchRead {
    /// From the newest back, or from the oldest on.
    pub newest_first: bool,
    /// Where to begin. Candidates before this place in the order need not be read, because the plan leaves them out.
    pub from: Option<SearchKey>,
    /// Only candidates behind this place in the order.
    pub behind: Option<SearchKey>,
    /// Where to end: no candidates behind this place in the order.
    pub until: Option<SearchKey>,
    /// How many candidates to read at most.
    pub limit: usize,
}

impl SearchRead {
    /// Whether a place is within the bounds.
    pub fn contains(&self, key: &SearchKey) -> bool {
        let is_behind = |other: &SearchKey| if self.newest_first { key < other } else { key > other };
        self.from.as_ref().is_none_or(|from| key == from || is_behind(from))
            && self.behind.as_ref().is_none_or(is_behind)
            && !self.until.as_ref().is_some_and(is_behind)
    }
}
