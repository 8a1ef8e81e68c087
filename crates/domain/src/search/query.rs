//! What a search asks for, and what it finds.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Snippet;
use crate::metadata::{all_match, check_filters};
use crate::query::{check_limit, check_range, is_of, is_within};
use crate::{
    ChatMessage, Cursor, DEFAULT_PAGE_LEN, Hidden, InvalidArgument, MetadataFilter, OrgId, Role, ThreadId,
    Timestamp, UserId, time,
};

/// The longest text of a search, in bytes of UTF-8.
pub const MAX_SEARCH_BYTES: usize = 4_096;

/// How many hits [`SearchOrder::Relevance`] ranks: the newest ones.
pub const MAX_RANKED: usize = 1_000;

/// The order of what a search finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchOrder {
    /// From the latest back. Within one thread by position; across threads by `created_at`, then by thread id, then by
    /// position.
    #[default]
    Newest,
    /// The same the other way round.
    Oldest,
    /// The best first, equals newest first. The newest [`MAX_RANKED`] hits are ranked. A hit's score says how often the
    /// message has the words, how short it is, and how near to its start they are; it depends on the message and the
    /// query alone, so that every store gives the same. Without words, as [`SearchOrder::Newest`].
    ///
    /// An edit between two pages that changes a message's score may move it from one to the other: it is then left out
    /// or given again.
    Relevance,
}

/// Which messages to find.
///
/// The text is for people: nothing that they type into it is an error, as long as it is no longer than
/// [`MAX_SEARCH_BYTES`].
///
/// | what is typed | what it means |
/// |---|---|
/// | `monad burrito` | both words |
/// | `"a monad is"` | these words, one behind the other; also between “these” quotes |
/// | `-burrito`, `-"a burrito"`, `-(a OR b)` | not this |
/// | `monad OR monoid` | one of the two sides, each of which may be several words: a space holds tighter |
/// | `mona*`, `"a mona"*` | the beginning of the last word |
/// | `(…)` | groups, up to 8 deep |
/// | `v2.0`, `foo_bar`, `ada@example.org` | words without a space between them are a phrase |
/// | `getUserName`, `PR1137`, `Anna's`, `1,234` | the word as it is written, or its parts as a phrase |
///
/// A word is found by its parts too: `getUserName` by `user`, `getUser` or `"user name"`, `Anna's` by `Anna`,
/// `2026-11-26T10:00:00Z` by `2026-11-26` or `10:00`, `1,234,567` by `1234567`.
///
/// # Exclusions that find nothing
///
/// Text that was copied out of a message has hyphens that exclude nothing: `rm -rf node_modules`, `a temperature of -5
/// degrees`. So an exclusion is tried as one, and where the first page finds nothing, the same text is searched as text:
/// every sign is a space, and every word is wanted. So is a text that only excludes, at once.
/// [`SearchPage::reading`](super::SearchPage::reading) says which of the two was taken, and the pages that follow keep to
/// it. Where the query finds something, that is the answer, also if the text was copied out of another message.
///
/// # Other signs
///
/// Quotes and parentheses without a partner, and a `-` or `*` that belongs to nothing, are read as spaces; an `OR` that
/// lacks a side is the word. Case and diacritics do not count. Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese
/// are found by any run of characters.
///
/// Without text, or with blank text, the filters alone decide. A text of punctuation alone finds nothing.
///
/// `Debug` shows the length of the text, not what it says.
///
/// ```
/// use chatkeep_domain::{Role, SearchOrder, SearchQuery};
/// let query = SearchQuery::new("monad -burrito").role(Role::User).order(SearchOrder::Oldest).limit(20);
/// assert_eq!(query.limit, 20);
/// ```
#[derive(Clone, PartialEq)]
pub struct SearchQuery {
    /// At most [`MAX_SEARCH_BYTES`] bytes.
    pub text: String,
    /// Only messages of this thread; then an absent thread is an error, as it is for a list.
    pub thread: Option<ThreadId>,
    /// Only messages of this role.
    pub role: Option<Role>,
    /// Only messages of this sender.
    pub sender_id: Option<UserId>,
    /// Only messages created at this moment or later.
    pub created_from: Option<Timestamp>,
    /// Only messages created before this moment.
    pub created_until: Option<Timestamp>,
    /// Only messages whose content's `metadata` has all of these, at most
    /// [`MAX_METADATA_FILTERS`](crate::MAX_METADATA_FILTERS).
    pub metadata: Vec<MetadataFilter>,
    /// The order of the hits.
    pub order: SearchOrder,
    /// The most hits of the page, at most [`MAX_PAGE_LEN`](crate::MAX_PAGE_LEN). 0 gives an empty page.
    pub limit: usize,
    /// Goes on behind an earlier page of the same search.
    pub cursor: Option<Cursor>,
}

impl Default for SearchQuery {
    /// The newest [`DEFAULT_PAGE_LEN`] messages of the scope.
    fn default() -> Self {
        Self {
            text: String::new(),
            thread: None,
            role: None,
            sender_id: None,
            created_from: None,
            created_until: None,
            metadata: Vec::new(),
            order: SearchOrder::Newest,
            limit: DEFAULT_PAGE_LEN,
            cursor: None,
        }
    }
}

impl SearchQuery {
    /// The newest messages of the scope that match the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Only messages of this thread.
    #[must_use]
    pub fn thread(mut self, thread: ThreadId) -> Self {
        self.thread = Some(thread);
        self
    }

    /// Only messages of this role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// Only messages of this sender.
    #[must_use]
    pub fn sender_id(mut self, sender: UserId) -> Self {
        self.sender_id = Some(sender);
        self
    }

    /// Only messages created in `[from, until)`, to the microsecond.
    #[must_use]
    pub fn created(
        mut self,
        from: impl Into<Option<Timestamp>>,
        until: impl Into<Option<Timestamp>>,
    ) -> Self {
        self.created_from = from.into().map(time::ceil_to_micros);
        self.created_until = until.into().map(time::ceil_to_micros);
        self
    }

    /// Only messages whose content's `metadata` has this too.
    #[must_use]
    pub fn metadata(mut self, filter: MetadataFilter) -> Self {
        self.metadata.push(filter);
        self
    }

    /// The order of the hits.
    #[must_use]
    pub fn order(mut self, order: SearchOrder) -> Self {
        self.order = order;
        self
    }

    /// The most hits of the page.
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

    /// Whether the filters let a message through: its role, its sender, its metadata and when it was created. The text
    /// and the thread are not looked at.
    pub fn matches_filters(&self, message: &ChatMessage) -> bool {
        is_of(message, self.role, self.sender_id.as_ref())
            && is_within(message.created_at, self.created_from, self.created_until)
            && all_match(&self.metadata, &message.content)
    }

    /// Checks the limits, except those of the text's own grammar and of the cursor.
    pub(super) fn check(&self) -> Result<(), InvalidArgument> {
        check_limit(self.limit)?;
        if self.text.len() > MAX_SEARCH_BYTES {
            let rule = format!("must be at most {MAX_SEARCH_BYTES} bytes long");
            return Err(InvalidArgument::new("text", rule, format!("{} bytes", self.text.len())));
        }
        check_range(["created_from", "created_until"], self.created_from, self.created_until)?;
        check_filters(&self.metadata)
    }
}

impl fmt::Debug for SearchQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchQuery")
            .field("text", &Hidden::text(&self.text))
            .field("thread", &self.thread)
            .field("role", &self.role)
            .field("sender_id", &self.sender_id)
            .field("created", &(self.created_from, self.created_until))
            .field("metadata", &self.metadata)
            .field("order", &self.order)
            .field("limit", &self.limit)
            .field("cursor", &self.cursor)
            .finish()
    }
}

/// A message that a search found. `Debug` shows no content and no name.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchHit {
    /// The message; its `chat_thread_id` is the thread's id.
    pub message: ChatMessage,
    /// The organization of the thread.
    pub org_id: OrgId,
    /// The name of the thread.
    pub thread_name: String,
    /// How well it fits, greater than 0, where the order is [`SearchOrder::Relevance`] and the query has words. It
    /// compares hits of one query.
    pub score: Option<f64>,
    /// A part of the message's text, with what was found in it.
    pub snippet: Snippet,
}

impl fmt::Debug for SearchHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchHit")
            .field("message", &self.message)
            .field("org_id", &self.org_id)
            .field("thread_name", &Hidden::text(&self.thread_name))
            .field("score", &self.score)
            .field("snippet", &self.snippet)
            .finish()
    }
}
