//! What a list of threads asks for.

use std::fmt;

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cursor::Cursor;
use crate::fold::fold_text;
use crate::hidden::Hidden;
use crate::id::{OrgId, ThreadId, UserId};
use crate::invalid::InvalidArgument;
use crate::metadata_filter::{MetadataFilter, check_filters};
use crate::page::{DEFAULT_PAGE_LEN, check_limit};
use crate::thread::{ChatThread, MAX_NAME_BYTES};
use crate::time::{TimeRange, Timestamp};

/// The place of a thread in the list of threads, newest update first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct ThreadKey {
    /// The first key of the order.
    pub updated_at: Timestamp,
    /// The second key.
    pub id: ThreadId,
    /// The third key: across organizations, ids may repeat.
    pub org_id: OrgId,
}

/// The kind of the cursors of lists of threads.
const KIND: u8 = b't';

impl ThreadKey {
    /// The place of a thread of this id that was updated then.
    pub const fn new(updated_at: Timestamp, id: ThreadId, org_id: OrgId) -> Self {
        Self { updated_at, id, org_id }
    }

    fn seal(&self) -> Cursor {
        let mut key = self.updated_at.timestamp_micros().to_be_bytes().to_vec();
        key.extend_from_slice(self.id.as_uuid().as_bytes());
        key.extend_from_slice(self.org_id.as_str().as_bytes());
        Cursor::seal(KIND, &[], &key)
    }

    fn open(cursor: &Cursor) -> Result<Self, InvalidArgument> {
        let bytes = cursor.open(KIND, &[])?;
        Self::read(&bytes).ok_or_else(Cursor::damaged)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (micros, rest) = bytes.split_first_chunk()?;
        let (id, org) = rest.split_first_chunk()?;
        Some(Self {
            updated_at: DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?,
            id: Uuid::from_bytes(*id).into(),
            org_id: OrgId::new(std::str::from_utf8(org).ok()?).ok()?,
        })
    }
}

impl From<&ChatThread> for ThreadKey {
    fn from(thread: &ChatThread) -> Self {
        Self::new(thread.updated_at, thread.id, thread.org_id.clone())
    }
}

/// Which threads, the newest update first.
///
/// A filter outside the scope finds nothing. `Debug` shows the length of `name_contains`, not its text.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ThreadQuery {
    /// Only threads of this organization.
    pub org_id: Option<OrgId>,
    /// Only threads of this user.
    pub user_id: Option<UserId>,
    /// Only threads whose name holds this, with case and diacritics folded ([`fold_text`](crate::search::fold_text)):
    /// "cafe" is in "My Café". At most [`MAX_NAME_BYTES`] bytes. A text that folds to nothing is in every name.
    pub name_contains: Option<String>,
    /// Only threads created in this range.
    pub created: TimeRange,
    /// Only threads last updated in this range.
    pub updated: TimeRange,
    /// Only threads whose metadata has all of these, at most
    /// [`MAX_METADATA_FILTERS`](crate::MAX_METADATA_FILTERS).
    pub metadata: Vec<MetadataFilter>,
    /// Only threads that were [forked](crate::BranchRepository::fork_thread) from this one, which may be deleted by now.
    pub forked_from: Option<ThreadId>,
    /// The most items of the page, at most [`MAX_PAGE_LEN`](crate::MAX_PAGE_LEN). 0 gives an empty page.
    pub limit: usize,
    /// Goes on behind an earlier page.
    pub cursor: Option<Cursor>,
    /// Each thread with its [preview](ChatThread::preview): the last message, and how many there are.
    pub with_preview: bool,
}

impl Default for ThreadQuery {
    /// The first [`DEFAULT_PAGE_LEN`] threads of the scope.
    fn default() -> Self {
        Self {
            org_id: None,
            user_id: None,
            name_contains: None,
            created: TimeRange::default(),
            updated: TimeRange::default(),
            metadata: Vec::new(),
            forked_from: None,
            limit: DEFAULT_PAGE_LEN,
            cursor: None,
            with_preview: false,
        }
    }
}

impl ThreadQuery {
    /// The first `limit` threads of the scope.
    pub fn first(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Only threads of this organization.
    #[must_use]
    pub fn org_id(mut self, org: OrgId) -> Self {
        self.org_id = Some(org);
        self
    }

    /// Only threads of this user.
    #[must_use]
    pub fn user_id(mut self, user: UserId) -> Self {
        self.user_id = Some(user);
        self
    }

    /// Only threads whose name holds this, with case and diacritics folded.
    #[must_use]
    pub fn name_contains(mut self, words: impl Into<String>) -> Self {
        self.name_contains = Some(words.into());
        self
    }

    /// Only threads created in `[from, until)`; `None` is an open end.
    #[must_use]
    pub fn created(
        mut self,
        from: impl Into<Option<Timestamp>>,
        until: impl Into<Option<Timestamp>>,
    ) -> Self {
        self.created = TimeRange::new(from, until);
        self
    }

    /// Only threads last updated in `[from, until)`; `None` is an open end.
    #[must_use]
    pub fn updated(
        mut self,
        from: impl Into<Option<Timestamp>>,
        until: impl Into<Option<Timestamp>>,
    ) -> Self {
        self.updated = TimeRange::new(from, until);
        self
    }

    /// Only threads whose metadata has this too.
    #[must_use]
    pub fn metadata(mut self, filter: MetadataFilter) -> Self {
        self.metadata.push(filter);
        self
    }

    /// Only forks of this thread.
    #[must_use]
    pub fn forked_from(mut self, thread: ThreadId) -> Self {
        self.forked_from = Some(thread);
        self
    }

    /// The most items of the page.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The page behind an earlier one.
    #[must_use]
    pub fn behind(mut self, cursor: Cursor) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// Each thread with its [preview](ChatThread::preview).
    #[must_use]
    pub fn with_preview(mut self) -> Self {
        self.with_preview = true;
        self
    }

    /// Whether a thread passes the filters on its name, its metadata, and when it was created and updated. Its owner
    /// is not looked at.
    pub fn matches(&self, thread: &ChatThread) -> bool {
        self.created.contains(thread.created_at)
            && self.updated.contains(thread.updated_at)
            && self.folded_name().is_none_or(|words| fold_text(&thread.name).contains(&words))
            && self.metadata.iter().all(|filter| filter.matches(&thread.metadata))
            && self
                .forked_from
                .is_none_or(|origin| thread.forked_from.is_some_and(|from| from.thread == origin))
    }

    /// `name_contains` as it is looked for in folded names; `None` where every name holds it.
    pub fn folded_name(&self) -> Option<String> {
        self.name_contains.as_deref().map(fold_text).filter(|words| !words.is_empty())
    }

    /// Checks the limits and reads the cursor.
    ///
    /// # Errors
    /// [`InvalidArgument`] for a limit over [`MAX_PAGE_LEN`](crate::MAX_PAGE_LEN), a moment out of range, a name over its limit, too many
    /// filters, or a cursor that is damaged or of another list.
    pub fn validate(&self) -> Result<Option<ThreadKey>, InvalidArgument> {
        check_limit(self.limit)?;
        self.created.check(["created.from", "created.until"])?;
        self.updated.check(["updated.from", "updated.until"])?;
        check_filters(&self.metadata)?;
        if let Some(words) = self.name_contains.as_ref().filter(|words| words.len() > MAX_NAME_BYTES) {
            let rule = format!("must be at most {MAX_NAME_BYTES} bytes long");
            return Err(InvalidArgument::new("name_contains", rule, format!("{} bytes", words.len())));
        }
        self.cursor.as_ref().map(ThreadKey::open).transpose()
    }

    /// The cursor behind the thread at this place.
    pub fn cursor_behind(&self, place: &ThreadKey) -> Cursor {
        place.seal()
    }
}

impl fmt::Debug for ThreadQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadQuery")
            .field("org_id", &self.org_id)
            .field("user_id", &self.user_id)
            .field("name_contains", &self.name_contains.as_deref().map(Hidden::text))
            .field("created", &self.created)
            .field("updated", &self.updated)
            .field("metadata", &self.metadata)
            .field("forked_from", &self.forked_from)
            .field("limit", &self.limit)
            .field("cursor", &self.cursor)
            .field("with_preview", &self.with_preview)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        let key =
            ThreadKey::new(DateTime::UNIX_EPOCH, Uuid::from_u128(7).into(), OrgId::new("acme").unwrap());
        let query = ThreadQuery::default();
        assert_eq!(query.clone().behind(query.cursor_behind(&key)).validate(), Ok(Some(key)));
        let short = Cursor::seal(KIND, &[], b"short");
        assert_eq!(query.behind(short).validate(), Err(Cursor::damaged()));
    }
}
