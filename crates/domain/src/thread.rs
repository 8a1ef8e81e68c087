//! A thread: one conversation of one user.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::append::check_external;
use crate::error::{Entity, StoreError};
use crate::hidden::Hidden;
use crate::id::{ExternalId, OrgId, ThreadId, UserId};
use crate::invalid::InvalidArgument;
use crate::json;
use crate::message::ChatMessage;
use crate::metadata::{Metadata, check_metadata};
use crate::path::{BranchId, ForkPoint};
use crate::position::Position;
use crate::time::{self, Timestamp, to_micros};
use crate::version::Version;

/// The longest name of a thread, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 1_024;

/// A conversation. `Debug` shows the length of the name and of the metadata, never their text.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatThread {
    /// Unique within the organization.
    pub id: ThreadId,
    /// The id that the caller has of their own for it, as [`NewThread::external_id`] said.
    pub external_id: Option<ExternalId>,
    /// The organization that it belongs to.
    pub org_id: OrgId,
    /// The user that it belongs to.
    pub user_id: UserId,
    /// For people. May be empty.
    pub name: String,
    /// Free data; empty unless it was given.
    #[serde(deserialize_with = "json::deserialize_object")]
    pub metadata: Metadata,
    /// The position that was allotted last on the main branch, [`Position::ZERO`] when none was. Deleting messages leaves
    /// it alone.
    pub head: Position,
    /// The branch that was chosen last, for a later session to go on with: [`ThreadUpdate::active_branch`](crate::ThreadUpdate::active_branch).
    #[serde(default)]
    pub active_branch: BranchId,
    /// Where it was [forked](crate::BranchRepository::fork_thread) from, where it was.
    pub forked_from: Option<ForkPoint>,
    /// What its state is compared by.
    pub version: Version,
    /// When it was created, as [`NewThread::created_at`] said.
    pub created_at: Timestamp,
    /// The latest time of any write to the thread or its messages. Never goes back.
    pub updated_at: Timestamp,
    /// What a list of threads shows of it, where [`ThreadQuery::with_preview`](crate::ThreadQuery::with_preview) asks for
    /// that; `None` elsewhere.
    pub preview: Option<Box<ThreadPreview>>,
}

/// What a list of threads shows of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ThreadPreview {
    /// The last message that the [active branch](ChatThread::active_branch) shows; `None` where there is none.
    pub last_message: Option<ChatMessage>,
    /// The number of messages, on all branches.
    pub message_count: u64,
}

impl ThreadPreview {
    /// What is shown.
    pub const fn new(last_message: Option<ChatMessage>, message_count: u64) -> Self {
        Self { last_message, message_count }
    }
}

impl ChatThread {
    /// A thread without metadata, messages or later writes: a store that reads a row sets these fields.
    pub fn new(
        id: ThreadId,
        org_id: OrgId,
        user_id: UserId,
        name: impl Into<String>,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            external_id: None,
            org_id,
            user_id,
            name: name.into(),
            metadata: Metadata::new(),
            head: Position::ZERO,
            active_branch: BranchId::MAIN,
            forked_from: None,
            version: Version::beginning_of(id, created_at),
            created_at,
            updated_at: created_at,
            preview: None,
        }
    }
}

/// What a thread is created from.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewThread {
    /// Creating again with the same id and owner gives back the stored thread.
    pub id: ThreadId,
    /// The id that the caller has of their own for it. It comes back with the thread. Where a thread of this id is there
    /// already, it must be that thread's.
    pub external_id: Option<ExternalId>,
    /// The organization; must be within the scope.
    pub org_id: OrgId,
    /// The owner; must be within the scope.
    pub user_id: UserId,
    /// At most [`MAX_NAME_BYTES`] bytes, without U+0000.
    pub name: String,
    /// At most [`MAX_METADATA_BYTES`](crate::MAX_METADATA_BYTES) bytes of JSON.
    #[serde(default, deserialize_with = "json::deserialize_object")]
    pub metadata: Metadata,
    /// Where its [version](ChatThread::version) begins: the [`IdGenerator`](crate::IdGenerator) makes one. A number of the
    /// id and the time unless it is given.
    pub version: Version,
    /// In whole microseconds.
    pub created_at: Timestamp,
}

impl NewThread {
    /// A thread without metadata. `created_at` is cut to microseconds.
    pub fn new(
        id: ThreadId,
        org_id: OrgId,
        user_id: UserId,
        name: impl Into<String>,
        created_at: Timestamp,
    ) -> Self {
        let created_at = to_micros(created_at);
        Self {
            id,
            external_id: None,
            org_id,
            user_id,
            name: name.into(),
            metadata: Metadata::new(),
            version: Version::beginning_of(id, created_at),
            created_at,
        }
    }

    /// A thread that the caller knows by an id of their own, from which the id is derived: see
    /// [`ThreadId::of_external`].
    pub fn of_external(
        external: ExternalId,
        org_id: OrgId,
        user_id: UserId,
        name: impl Into<String>,
        created_at: Timestamp,
    ) -> Self {
        let id = ThreadId::of_external(&org_id, &user_id, &external);
        let mut new = Self::new(id, org_id, user_id, name, created_at);
        new.external_id = Some(external);
        new
    }

    /// Beginning at this version.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// With metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Checks the limits, and that the owner is within the scope.
    ///
    /// # Errors
    /// [`StoreError::InvalidArgument`] or [`StoreError::TooLarge`].
    pub fn validate(&self, scope: &crate::scope::Scope) -> Result<(), StoreError> {
        if !scope.contains(&self.org_id, &self.user_id) {
            return Err(InvalidArgument::new("owner", "must be within the scope", "another owner").into());
        }
        check_name(&self.name)?;
        check_metadata(&self.metadata)?;
        time::check_timestamp("created_at", self.created_at)?;
        Ok(())
    }

    /// The thread as it is stored.
    pub fn into_thread(self) -> ChatThread {
        let mut thread = ChatThread::new(self.id, self.org_id, self.user_id, self.name, self.created_at);
        (thread.external_id, thread.metadata, thread.version) =
            (self.external_id, self.metadata, self.version);
        thread
    }

    /// The answer where there is a thread of this id already: that one.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] where it is another user's; [`StoreError::InvalidArgument`] where it has another
    /// external id than the one that is given.
    pub fn held(&self, stored: ChatThread) -> Result<ChatThread, StoreError> {
        if stored.user_id != self.user_id {
            return Err(StoreError::already_exists(Entity::Thread, self.id));
        }
        check_external(self.external_id.as_ref(), stored.external_id.as_ref())?;
        Ok(stored)
    }
}

impl fmt::Debug for ChatThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            external_id,
            org_id,
            user_id,
            name,
            metadata,
            head,
            active_branch,
            forked_from,
            version,
            created_at,
            updated_at,
            preview,
        } = self;
        f.debug_struct("ChatThread")
            .field("id", id)
            .field("external_id", external_id)
            .field("org_id", org_id)
            .field("user_id", user_id)
            .field("name", &Hidden::text(name))
            .field("metadata", &Hidden::keys(metadata))
            .field("head", head)
            .field("active_branch", active_branch)
            .field("forked_from", forked_from)
            .field("version", version)
            .field("created_at", created_at)
            .field("updated_at", updated_at)
            .field("preview", preview)
            .finish()
    }
}

impl fmt::Debug for NewThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, external_id, org_id, user_id, name, metadata, version, created_at } = self;
        f.debug_struct("NewThread")
            .field("id", id)
            .field("external_id", external_id)
            .field("org_id", org_id)
            .field("user_id", user_id)
            .field("name", &Hidden::text(name))
            .field("metadata", &Hidden::keys(metadata))
            .field("version", version)
            .field("created_at", created_at)
            .finish()
    }
}

pub(crate) fn check_name(name: &str) -> Result<(), InvalidArgument> {
    if name.len() > MAX_NAME_BYTES {
        let rule = format!("must be at most {MAX_NAME_BYTES} bytes long");
        return Err(InvalidArgument::new("name", rule, format!("{} bytes", name.len())));
    }
    match name.find('\0') {
        Some(at) => Err(InvalidArgument::new("name", "must not hold U+0000", format!("one at byte {at}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn debug_shows_neither_the_name_nor_metadata() {
        let metadata: Metadata = serde_json::from_value(json!({"secret": "secret", "b": 1, "c": 2})).unwrap();
        let (org, user) = (OrgId::new("acme").unwrap(), UserId::new("ada").unwrap());
        let id: ThreadId = "0198c0de-0000-7000-8000-000000000001".parse().unwrap();
        let new = NewThread::new(id, org, user, "secret", Timestamp::UNIX_EPOCH).with_metadata(metadata);
        for text in [format!("{new:?}"), format!("{:?}", new.clone().into_thread())] {
            assert!(text.contains("name: 6 bytes, metadata: 3 keys") && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn the_metadata_of_a_thread_that_is_deserialized_has_each_key_once() {
        let id: ThreadId = "0198c0de-0000-7000-8000-000000000001".parse().unwrap();
        let (org, user) = (OrgId::new("acme").unwrap(), UserId::new("ada").unwrap());
        let thread = NewThread::new(id, org, user, "n", Timestamp::UNIX_EPOCH).into_thread();
        let text = serde_json::to_string(&thread).unwrap();
        assert_eq!(serde_json::from_str::<ChatThread>(&text).unwrap(), thread);
        for (bad, told) in
            [(r#"{"a":1,"a":2}"#, "a key twice"), ("[]", "invalid type: an array, expected an object")]
        {
            let text = text.replace(r#""metadata":{}"#, &format!(r#""metadata":{bad}"#));
            let error = serde_json::from_str::<ChatThread>(&text).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
