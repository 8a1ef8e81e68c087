//! What an append takes.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::error::StoreError;
use crate::id::{MessageId, ThreadId, UserId};
use crate::invalid::InvalidArgument;
use crate::message::ChatMessage;
use crate::position::Position;
use crate::role::Role;
use crate::scope::Scope;
use crate::time::{self, Timestamp, to_micros};

/// The most messages of one append.
pub const MAX_BATCH_LEN: usize = 10_000;

/// The largest append, in bytes of its contents' JSON: 256 MiB, a quarter of what one PostgreSQL protocol message
/// can hold.
pub const MAX_BATCH_BYTES: usize = 256 * 1_024 * 1_024;

/// A message to be stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewMessage {
    /// Keep it across retries: a message id that the thread already holds is not stored again.
    pub id: MessageId,
    /// The user who sent it, where the sender is one.
    pub sender_id: Option<UserId>,
    /// What the sender is to the model.
    pub sender_role: Role,
    /// At most 8 MiB of JSON: see [`Content::validate`].
    pub content: Content,
    /// When the message was created, in whole microseconds. Order does not depend on it.
    pub created_at: Timestamp,
}

impl NewMessage {
    /// A message without a sender id. `created_at` is cut to microseconds.
    pub fn new(id: MessageId, role: Role, content: impl Into<Content>, created_at: Timestamp) -> Self {
        let created_at = to_micros(created_at);
        Self { id, sender_id: None, sender_role: role, content: content.into(), created_at }
    }

    /// The message as it is stored at this position.
    pub fn into_message(self, thread: ThreadId, position: Position) -> ChatMessage {
        let Self { id, sender_id, sender_role, content, created_at } = self;
        let mut message = ChatMessage::new(id, thread, position, sender_role, content, created_at);
        message.sender_id = sender_id;
        message
    }

    /// With the user who sent it.
    #[must_use]
    pub fn with_sender(mut self, sender_id: UserId) -> Self {
        self.sender_id = Some(sender_id);
        self
    }
}

/// Messages to be appended together: all of them or none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Append {
    /// In the order that they get. At most [`MAX_BATCH_LEN`]; no two with the same id.
    pub messages: Vec<NewMessage>,
    /// Compare-and-append: write only if the thread's head is here.
    pub expect_head: Option<Position>,
}

impl Append {
    /// An append of these messages, wherever the head is.
    pub fn new(messages: impl IntoIterator<Item = NewMessage>) -> Self {
        Self { messages: messages.into_iter().collect(), expect_head: None }
    }

    /// Write only if the thread's head is at `head`: [`StoreError::Conflict`] when another writer was first.
    #[must_use]
    pub fn expect_head(mut self, head: Position) -> Self {
        self.expect_head = Some(head);
        self
    }

    /// Checks the limits of the batch and of each message. Gives the bytes of its contents' JSON.
    ///
    /// # Errors
    /// [`StoreError::InvalidArgument`] or [`StoreError::TooLarge`].
    pub fn validate(&self) -> Result<usize, StoreError> {
        self.validate_batch()?;
        let mut total = 0;
        for message in &self.messages {
            add_checked(&mut total, message.content.checked_size()?)?;
        }
        Ok(total)
    }

    /// Checks the same limits, and gives each message's content as JSON text, in order: one pass for stores that
    /// keep text.
    ///
    /// # Errors
    /// As [`Append::validate`].
    pub fn encode(&self) -> Result<Vec<String>, StoreError> {
        self.validate_batch()?;
        let mut total = 0;
        let mut encoded = Vec::with_capacity(self.messages.len());
        for message in &self.messages {
            let text = message.content.encode()?;
            add_checked(&mut total, text.len())?;
            encoded.push(text);
        }
        Ok(encoded)
    }

    fn validate_batch(&self) -> Result<(), StoreError> {
        if self.messages.len() > MAX_BATCH_LEN {
            return Err(StoreError::too_large("append, in messages", MAX_BATCH_LEN, self.messages.len()));
        }
        if let Some(id) = self.repeated_id() {
            let rule = "must not hold the same id twice";
            return Err(InvalidArgument::new("messages", rule, id.to_string()).into());
        }
        for message in &self.messages {
            time::check_timestamp("created_at", message.created_at)?;
        }
        Ok(())
    }

    fn repeated_id(&self) -> Option<MessageId> {
        let mut ids = self.messages.iter().map(|message| message.id);
        // As UUIDv7 comes: then none is repeated.
        if ids.clone().is_sorted_by(|one, next| one < next) {
            return None;
        }
        let mut seen = HashSet::with_capacity(ids.len());
        ids.find(|id| !seen.insert(*id))
    }
}

/// One of several appends that go to the store together: what one call of
/// [`append`](crate::MessageRepository::append) takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ThreadAppend {
    /// Who appends. The appends of one call may have different scopes.
    pub scope: Scope,
    /// The thread that gets the messages.
    pub thread: ThreadId,
    /// The messages, and where the thread's head is to be.
    pub append: Append,
}

impl ThreadAppend {
    /// An append to this thread, in this scope.
    pub const fn new(scope: Scope, thread: ThreadId, append: Append) -> Self {
        Self { scope, thread, append }
    }
}

fn add_checked(total: &mut usize, size: usize) -> Result<(), StoreError> {
    *total += size;
    if *total > MAX_BATCH_BYTES {
        return Err(StoreError::too_large("append, in bytes of JSON", MAX_BATCH_BYTES, *total));
    }
    Ok(())
}
