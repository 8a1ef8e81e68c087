//! A message: as it is stored, and as a model sees it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Content, InvalidArgument, MessageId, Role, StoreError, ThreadId, Timestamp, UserId, time, to_micros,
};

/// A message's place in its thread, from 1 on. Allotted by the store in the append itself, unique in the thread,
/// strictly increasing, never reused. Order is by position, never by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Position(i64);

impl Position {
    /// Before the first message: the head of a thread that never had one.
    pub const ZERO: Self = Self(0);

    /// A position from its number.
    ///
    /// # Errors
    /// [`InvalidArgument`] when it is negative.
    pub fn new(number: i64) -> Result<Self, InvalidArgument> {
        if number < 0 {
            return Err(InvalidArgument::new("position", "must not be negative", number.to_string()));
        }
        Ok(Self(number))
    }

    /// Its number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The position `count` places further on.
    ///
    /// # Errors
    /// [`InvalidArgument`] past the last position, 2⁶³ − 1.
    pub fn advance(self, count: usize) -> Result<Self, InvalidArgument> {
        i64::try_from(count).ok().and_then(|count| self.0.checked_add(count)).map(Self).ok_or_else(|| {
            InvalidArgument::new("position", "must be below 2^63", format!("{self} + {count}"))
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<i64> for Position {
    type Error = InvalidArgument;

    fn try_from(number: i64) -> Result<Self, InvalidArgument> {
        Self::new(number)
    }
}

impl From<Position> for i64 {
    fn from(position: Position) -> Self {
        position.0
    }
}

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Unique within the thread.
    pub id: MessageId,
    /// The thread that it is in.
    pub chat_thread_id: ThreadId,
    /// Its place in the thread.
    pub position: Position,
    /// The user who sent it, where the sender is one.
    pub sender_id: Option<UserId>,
    /// What the sender is to the model.
    pub sender_role: Role,
    /// What was said, equal to what was given.
    pub content: Content,
    /// As [`NewMessage::created_at`](crate::NewMessage::created_at) said. It says nothing about order.
    pub created_at: Timestamp,
    /// When the content was last edited; `created_at` until then. Never goes back.
    pub updated_at: Timestamp,
}

/// A message as a model sees it.
///
/// ```
/// use chatkeep_domain::{Message, Role};
/// let message = Message::new(Role::User, "hello");
/// assert_eq!(message.content.as_text(), Some("hello"));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Loses nothing of the content.
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
#[derive(Debug, Clone, PartialEq)]
pub struct MessageEdit {
    /// The new content, with the limits of every [`Content`].
    pub content: Content,
    /// When, in whole microseconds.
    pub at: Timestamp,
}

impl MessageEdit {
    /// An edit. `at` is cut to microseconds.
    pub fn new(content: impl Into<Content>, at: Timestamp) -> Self {
        Self { content: content.into(), at: to_micros(at) }
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageRevision {
    /// 1 for the first content, 2 for the next.
    pub revision: u32,
    /// What was said.
    pub content: Content,
    /// When this content was written: the message's `updated_at` of then.
    pub written_at: Timestamp,
}
