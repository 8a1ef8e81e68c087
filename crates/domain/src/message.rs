//! A message: as it is stored, and as a model sees it.

use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::error::{Expected, StoreError};
use crate::id::{ExternalId, MessageId, ThreadId, UserId};
use crate::path::BranchId;
use crate::position::Position;
use crate::role::Role;
use crate::time::{self, Timestamp, to_micros};
use crate::version::Version;

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatMessage {
    /// Unique within the thread.
    pub id: MessageId,
    /// The id that the caller has of their own for it, as [`NewMessage::external_id`](crate::NewMessage::external_id) said.
    pub external_id: Option<ExternalId>,
    /// The thread that it is in.
    pub chat_thread_id: ThreadId,
    /// The branch whose own it is. Other branches may show it too.
    #[serde(default)]
    pub branch: BranchId,
    /// Its place in the thread.
    pub position: Position,
    /// The user who sent it, where the sender is one.
    pub sender_id: Option<UserId>,
    /// What the sender is to the model.
    pub sender_role: Role,
    /// What was said, equal to what was given.
    pub content: Content,
    /// The number of the content: 1 for the first, 1 more after each edit, never given again.
    pub revision: u32,
    /// When the message was created, as [`NewMessage::created_at`](crate::NewMessage::created_at) said. Order does
    /// not depend on it.
    pub created_at: Timestamp,
    /// When the content was last edited; `created_at` until then. Never goes back.
    pub updated_at: Timestamp,
}

impl ChatMessage {
    /// A message without a sender that was never edited: a store that reads a row sets these fields.
    pub const fn new(
        id: MessageId,
        chat_thread_id: ThreadId,
        position: Position,
        sender_role: Role,
        content: Content,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            external_id: None,
            chat_thread_id,
            branch: BranchId::MAIN,
            position,
            sender_id: None,
            sender_role,
            content,
            revision: 1,
            created_at,
            updated_at: created_at,
        }
    }
}

/// A message as a model sees it.
///
/// ```
/// use chatkeep_domain::{Message, Role};
/// let message = Message::new(Role::User, "hello");
/// assert_eq!(message.content.as_text(), Some("hello"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: Content,
}

impl Message {
    /// A message of any content; a `&str` or a `String` is text.
    pub fn new(role: Role, content: impl Into<Content>) -> Self {
        Self { role, content: content.into() }
    }
}

impl From<ChatMessage> for Message {
    /// The message without its place in the store. The content stays as it is.
    fn from(message: ChatMessage) -> Self {
        Self { role: message.sender_role, content: message.content }
    }
}

impl From<&ChatMessage> for Message {
    fn from(message: &ChatMessage) -> Self {
        Self { role: message.sender_role, content: message.content.clone() }
    }
}

/// A correction of a message, in place. The earlier content is kept as a [`MessageRevision`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MessageEdit {
    /// The new content, with the limits of every [`Content`].
    pub content: Content,
    /// When, in whole microseconds.
    pub at: Timestamp,
    /// Compare-and-edit: only if the message has this [revision](ChatMessage::revision).
    pub expect_revision: Option<u32>,
    /// Compare-and-edit: only if the thread has this version.
    pub expect_version: Option<Version>,
}

impl MessageEdit {
    /// An edit, whatever the message says. `at` is cut to microseconds.
    pub fn new(content: impl Into<Content>, at: Timestamp) -> Self {
        Self { content: content.into(), at: to_micros(at), expect_revision: None, expect_version: None }
    }

    /// Edit only if the message has this revision: [`StoreError::Conflict`] when somebody edited it since.
    #[must_use]
    pub fn expect_revision(mut self, revision: u32) -> Self {
        self.expect_revision = Some(revision);
        self
    }

    /// Edit only if the thread has this version: [`StoreError::Conflict`] when somebody wrote to it since.
    #[must_use]
    pub fn expect_version(mut self, version: Version) -> Self {
        self.expect_version = Some(version);
        self
    }

    /// Checks what the edit expects. A store calls it before an edit that would change something.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: of the revision first, then of the version.
    pub fn check_expected(&self, revision: u32, version: Version) -> Result<(), StoreError> {
        StoreError::unless_expected(Expected::Revision, self.expect_revision, revision)?;
        StoreError::unless_expected(Expected::Version, self.expect_version, version)
    }

    /// Checks the limits.
    ///
    /// # Errors
    /// [`StoreError::InvalidArgument`] or [`StoreError::TooLarge`].
    pub fn validate(&self) -> Result<(), StoreError> {
        time::check_timestamp("at", self.at)?;
        self.content.validate()
    }
}

/// What a message said before an edit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MessageRevision {
    /// 1 for the first content, 2 for the next.
    pub revision: u32,
    /// What was said.
    pub content: Content,
    /// When this content was written: the message's `updated_at` at that time.
    pub written_at: Timestamp,
}

impl MessageRevision {
    /// What a message said; `revision` counts from 1.
    pub const fn new(revision: u32, content: Content, written_at: Timestamp) -> Self {
        Self { revision, content, written_at }
    }
}
