//! How a store writes a content down, and which of its words an index keeps.

use std::fmt::Debug;

use crate::content::Content;
use crate::error::BoxError;
use crate::id::{MessageId, OrgId, ThreadId};
use crate::search::SearchDocument;

/// Where a content belongs: what [`Codec::seal`] binds it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ContentKey<'a> {
    /// The organization of the thread.
    pub org_id: &'a OrgId,
    /// The thread.
    pub thread: ThreadId,
    /// The message.
    pub message: MessageId,
}

impl<'a> ContentKey<'a> {
    /// The place of the contents of one message: of the current one and of its revisions.
    pub const fn new(org_id: &'a OrgId, thread: ThreadId, message: MessageId) -> Self {
        Self { org_id, thread, message }
    }
}

/// What stands between a store and the contents that it keeps. [`PlainCodec`] writes them as JSON; another one may encrypt.
///
/// A store calls it at every place where a content is written down, read back or indexed, and so knows neither a cipher nor
/// the analyzer. Ids, times, roles and the names of threads are not sealed.
pub trait Codec: Send + Sync + Debug {
    /// The content as text, bound to its place: [`open`](Self::open) refuses the text at another one.
    ///
    /// # Errors
    /// Whatever kept it from being sealed, such as a key that is not there. Nothing is written then.
    fn seal(&self, content: &Content, key: &ContentKey<'_>) -> Result<String, BoxError>;

    /// The content that was sealed for this place.
    ///
    /// # Errors
    /// A text that was not sealed for this place. The store answers
    /// [`StoreError::CorruptRow`](crate::StoreError::CorruptRow).
    fn open(&self, sealed: &str, key: &ContentKey<'_>) -> Result<Content, BoxError>;

    /// What an index may keep of the content, in plain words; `None` keeps it out of the index, and then no word finds
    /// the message.
    fn document(&self, content: &Content) -> Option<SearchDocument>;

    /// Whether a sealed text fits its own place alone. A store that copies messages, such as for a fork, copies the text of
    /// one that fits everywhere as it is, and seals the others again.
    fn is_bound(&self) -> bool {
        true
    }
}

/// Contents as JSON, indexed by all their words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlainCodec;

impl Codec for PlainCodec {
    fn seal(&self, content: &Content, _: &ContentKey<'_>) -> Result<String, BoxError> {
        Ok(serde_json::to_string(content)?)
    }

    fn open(&self, sealed: &str, _: &ContentKey<'_>) -> Result<Content, BoxError> {
        Ok(Content::from_json(sealed)?)
    }

    fn document(&self, content: &Content) -> Option<SearchDocument> {
        Some(SearchDocument::of(content))
    }

    fn is_bound(&self) -> bool {
        false
    }
}
