//! What an append takes.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::error::{Expected, StoreError};
use crate::id::{ExternalId, MessageId, ThreadId, UserId};
use crate::invalid::InvalidArgument;
use crate::message::ChatMessage;
use crate::path::{BranchId, Path};
use crate::position::Position;
use crate::role::Role;
use crate::scope::Scope;
use crate::time::{self, Timestamp, to_micros};
use crate::version::Version;

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
    /// The id that the caller has of their own for it. It comes back with the message. Where the thread holds the id
    /// already, it must be that message's.
    pub external_id: Option<ExternalId>,
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
        Self {
            id,
            external_id: None,
            sender_id: None,
            sender_role: role,
            content: content.into(),
            created_at,
        }
    }

    /// The message as it is stored at this position.
    pub fn into_message(self, thread: ThreadId, position: Position) -> ChatMessage {
        let Self { id, external_id, sender_id, sender_role, content, created_at } = self;
        let mut message = ChatMessage::new(id, thread, position, sender_role, content, created_at);
        (message.external_id, message.sender_id) = (external_id, sender_id);
        message
    }

    /// A message that the caller knows by an id of their own, from which the id is derived: see
    /// [`MessageId::of_external`].
    pub fn of_external(
        external: ExternalId,
        role: Role,
        content: impl Into<Content>,
        created_at: Timestamp,
    ) -> Self {
        let mut new = Self::new(MessageId::of_external(&external), role, content, created_at);
        new.external_id = Some(external);
        new
    }

    /// Checks that a message which the thread holds already is this one. Then the stored one is the answer.
    ///
    /// # Errors
    /// [`InvalidArgument`] where it has another external id than the one that is given.
    pub fn check_held(&self, stored: &ChatMessage) -> Result<(), InvalidArgument> {
        check_external(self.external_id.as_ref(), stored.external_id.as_ref())
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
    /// The branch that gets them.
    #[serde(default)]
    pub branch: BranchId,
    /// In the order that they get. At most [`MAX_BATCH_LEN`]; no two with the same id.
    pub messages: Vec<NewMessage>,
    /// Compare-and-append: write only if the branch's head is here.
    pub expect_head: Option<Position>,
    /// Compare-and-append: write only if the thread has this version.
    pub expect_version: Option<Version>,
}

impl Append {
    /// An append of these messages to the main branch, wherever its head is.
    pub fn new(messages: impl IntoIterator<Item = NewMessage>) -> Self {
        let messages = messages.into_iter().collect();
        Self { branch: BranchId::MAIN, messages, expect_head: None, expect_version: None }
    }

    /// To this branch.
    #[must_use]
    pub fn branch(mut self, branch: BranchId) -> Self {
        self.branch = branch;
        self
    }

    /// Write only if the branch's head is at `head`: [`StoreError::Conflict`] when another writer was first.
    #[must_use]
    pub fn expect_head(mut self, head: Position) -> Self {
        self.expect_head = Some(head);
        self
    }

    /// Write only if the thread has this version: [`StoreError::Conflict`] when somebody wrote to it since.
    #[must_use]
    pub fn expect_version(mut self, version: Version) -> Self {
        self.expect_version = Some(version);
        self
    }

    /// Whether it is a compare-and-append.
    pub fn expects(&self) -> bool {
        self.expect_head.is_some() || self.expect_version.is_some()
    }

    /// Checks what the append expects. A store calls it before an append that would store something.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: of the head first, then of the version.
    pub fn check_expected(&self, head: Position, version: Version) -> Result<(), StoreError> {
        StoreError::unless_expected(Expected::Head, self.expect_head, head)?;
        StoreError::unless_expected(Expected::Version, self.expect_version, version)
    }

    /// Checks a message that the thread holds already: the append's branch, whose path this is, has to show it, and it has to be
    /// the one that `new` means.
    ///
    /// # Errors
    /// [`StoreError::InvalidArgument`]; as [`NewMessage::check_held`].
    pub fn check_held(&self, new: &NewMessage, held: &ChatMessage, path: &Path) -> Result<(), StoreError> {
        if !path.contains(held.branch, held.position) {
            let rule = "must hold no id that the thread holds on a branch which this one does not show";
            return Err(InvalidArgument::new("messages", rule, new.id.to_string()).into());
        }
        Ok(new.check_held(held)?)
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

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Appended {
    /// The messages as they are stored, in the order given.
    pub messages: Vec<ChatMessage>,
    /// The branch's head after the append.
    pub head: Position,
    /// The thread's version after the append.
    pub version: Version,
}

impl Appended {
    /// What an append did.
    pub const fn new(messages: Vec<ChatMessage>, head: Position, version: Version) -> Self {
        Self { messages, head, version }
    }
}

/// Checks an external id that is given for what is stored under its id already.
pub(crate) fn check_external(
    given: Option<&ExternalId>,
    stored: Option<&ExternalId>,
) -> Result<(), InvalidArgument> {
    match given {
        Some(given) if stored != Some(given) => {
            let rule = "must be the one that is stored with this id";
            Err(InvalidArgument::new("external_id", rule, "another one"))
        }
        _ => Ok(()),
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
