//! What a search asks for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::hidden::Hidden;
use crate::id::ThreadId;
use crate::invalid::InvalidArgument;
use crate::message_filter::MessageFilter;
use crate::page::{DEFAULT_PAGE_LEN, check_limit};
use crate::path::BranchId;

/// The longest text of a search, in bytes of UTF-8.
pub const MAX_SEARCH_BYTES: usize = 4_096;

/// How many hits [`SearchOrder::Relevance`] ranks: the newest ones.
pub const MAX_RANKED: usize = 1_000;

/// The order of what a search finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SearchOrder {
    /// From the latest back. Within one thread by position; across threads by `created_at`, then by thread id, then by
    /// position.
    #[default]
    Newest,
    /// The reverse of [`SearchOrder::Newest`].
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
/// Text that people paste has hyphens that exclude nothing: `rm -rf node_modules`, `a temperature of -5 degrees`. So
/// a search first takes a `-` as an exclusion. If the first page finds nothing, the search takes the same text as
/// plain words: every sign is a space, and every word is wanted. A text that only excludes is taken as plain words at
/// once. [`SearchPage::reading`](super::SearchPage::reading) says which of the two was done, and the following pages
/// keep to it. If the exclusion finds something, that is the answer, even if the text was pasted.
///
/// # Other signs
///
/// Quotes and parentheses without a partner, and a `-` or `*` that belongs to nothing, are read as spaces; an `OR`
/// that lacks a side is the word "or". Case and diacritics do not count. Chinese, Japanese, Korean, Thai, Lao, Khmer
/// and Burmese are found by any run of characters.
///
/// Without text, or with blank text, the filters alone decide. A text of punctuation alone finds nothing.
///
/// `Debug` shows the length of the text, not what it says.
///
/// ```
/// use chatkeep_domain::{MessageFilter, Role, SearchOrder, SearchQuery};
/// let of_users = MessageFilter::new().role(Role::User);
/// let query = SearchQuery::new("monad -burrito").filter(of_users).order(SearchOrder::Oldest).limit(20);
/// assert_eq!(query.limit, 20);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SearchQuery {
    /// At most [`MAX_SEARCH_BYTES`] bytes.
    pub text: String,
    /// Only messages of this thread. An absent thread is an error, as it is for a list.
    pub thread: Option<ThreadId>,
    /// Only what this branch of the thread shows. `None`: the messages of all branches, each once.
    pub branch: Option<BranchId>,
    /// Only messages that pass this filter.
    pub filter: MessageFilter,
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
            branch: None,
            filter: MessageFilter::default(),
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

    /// Only what this branch of the thread shows. The query names the thread too.
    #[must_use]
    pub fn branch(mut self, branch: BranchId) -> Self {
        self.branch = Some(branch);
        self
    }

    /// Only messages that pass this filter, in place of an earlier one.
    #[must_use]
    pub fn filter(mut self, filter: MessageFilter) -> Self {
        self.filter = filter;
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

    /// Checks the limits, except those of the text's own grammar and of the cursor.
    pub(super) fn check(&self) -> Result<(), InvalidArgument> {
        check_limit(self.limit)?;
        if let (Some(branch), None) = (self.branch, self.thread) {
            let rule = "must come with the thread that it is of";
            return Err(InvalidArgument::new("branch", rule, branch.to_string()));
        }
        if self.text.len() > MAX_SEARCH_BYTES {
            let rule = format!("must be at most {MAX_SEARCH_BYTES} bytes long");
            return Err(InvalidArgument::new("text", rule, format!("{} bytes", self.text.len())));
        }
        self.filter.validate()
    }
}

impl From<&str> for SearchQuery {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<&String> for SearchQuery {
    fn from(text: &String) -> Self {
        Self::new(text)
    }
}

impl From<String> for SearchQuery {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for SearchQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchQuery")
            .field("text", &Hidden::text(&self.text))
            .field("thread", &self.thread)
            .field("branch", &self.branch)
            .field("filter", &self.filter)
            .field("order", &self.order)
            .field("limit", &self.limit)
            .field("cursor", &self.cursor)
            .finish()
    }
}
