//! A thread: one conversation of one user.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::content::json_size;
use crate::json;
use crate::{
    Hidden, InvalidArgument, OrgId, Position, StoreError, ThreadId, Timestamp, UserId, time, to_micros,
};

/// The longest name of a thread, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 1_024;

/// The largest metadata of a thread, in bytes of JSON. It leaves room beside it in the smallest backend's item
/// (DynamoDB: 400 KB).
pub const MAX_METADATA_BYTES: usize = 64 * 1_024;

/// Free data about a thread: a JSON object. [`metadata_from_json`] reads it from text without loss.
pub type Metadata = Map<String, Value>;

/// Reads metadata from JSON text, of which nothing is rounded or lost: `serde_json` alone would round a large integer.
///
/// ```
/// use chatkeep_domain::metadata_from_json;
///
/// assert_eq!(metadata_from_json(r#"{"stars": 5}"#)?["stars"], 5);
/// assert!(metadata_from_json(r#"{"id": 18446744073709551616}"#).is_err());
/// # Ok::<(), chatkeep_domain::InvalidArgument>(())
/// ```
///
/// # Errors
/// [`InvalidArgument`] for what is not a JSON object, and otherwise as
/// [`Content::from_json`](crate::Content::from_json).
pub fn metadata_from_json(text: &str) -> Result<Metadata, InvalidArgument> {
    json::read_object("metadata", text)
}

/// A conversation. `Debug` shows how long the name is and how much metadata there is, never what they say.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatThread {
    /// Unique within the organization.
    pub id: ThreadId,
    /// The organization that it belongs to.
    pub org_id: OrgId,
    /// The user that it belongs to.
    pub user_id: UserId,
    /// For people. May be empty.
    pub name: String,
    /// Free data; empty unless it was given.
    #[serde(deserialize_with = "json::deserialize_object")]
    pub metadata: Metadata,
    /// The position that was allotted last, [`Position::ZERO`] when none was. Deleting messages leaves it alone.
    pub head: Position,
    /// When it was created, as [`NewThread::created_at`] said.
    pub created_at: Timestamp,
    /// The latest moment that any write to the thread or its messages brought; never goes back.
    pub updated_at: Timestamp,
}

/// What a thread is created from.
#[derive(Clone, PartialEq)]
pub struct NewThread {
    /// Creating again with the same id and owner gives back the stored thread.
    pub id: ThreadId,
    /// The organization; must be within the scope.
    pub org_id: OrgId,
    /// The owner; must be within the scope.
    pub user_id: UserId,
    /// At most [`MAX_NAME_BYTES`] bytes, without U+0000.
    pub name: String,
    /// At most [`MAX_METADATA_BYTES`] bytes of JSON.
    pub metadata: Metadata,
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
        Self { id, org_id, user_id, name: name.into(), metadata: Metadata::new(), created_at }
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
    pub fn validate(&self, scope: &crate::Scope) -> Result<(), StoreError> {
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
        ChatThread {
            id: self.id,
            org_id: self.org_id,
            user_id: self.user_id,
            name: self.name,
            metadata: self.metadata,
            head: Position::ZERO,
            created_at: self.created_at,
            updated_at: self.created_at,
        }
    }
}

/// A change to a thread: what is `None` stays.
#[derive(Clone, PartialEq)]
pub struct ThreadUpdate {
    /// The new name, with [`NewThread::name`]'s limits.
    pub name: Option<String>,
    /// The new metadata, in place of all of the old, with [`NewThread::metadata`]'s limits.
    pub metadata: Option<Metadata>,
    /// When, in whole microseconds.
    pub at: Timestamp,
}

impl ThreadUpdate {
    /// A change that changes nothing but `updated_at`. `at` is cut to microseconds.
    pub fn new(at: Timestamp) -> Self {
        Self { name: None, metadata: None, at: to_micros(at) }
    }

    /// With a new name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// With new metadata.
    #[must_use]
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Makes the change.
    pub fn apply(self, thread: &mut ChatThread) {
        if let Some(name) = self.name {
            thread.name = name;
        }
        if let Some(metadata) = self.metadata {
            thread.metadata = metadata;
        }
        thread.updated_at = thread.updated_at.max(self.at);
    }

    /// Checks the limits.
    ///
    /// # Errors
    /// [`StoreError::InvalidArgument`] or [`StoreError::TooLarge`].
    pub fn validate(&self) -> Result<(), StoreError> {
        self.name.as_deref().map_or(Ok(()), check_name)?;
        self.metadata.as_ref().map_or(Ok(()), check_metadata)?;
        time::check_timestamp("at", self.at)?;
        Ok(())
    }
}

impl fmt::Debug for ChatThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, org_id, user_id, name, metadata, head, created_at, updated_at } = self;
        f.debug_struct("ChatThread")
            .field("id", id)
            .field("org_id", org_id)
            .field("user_id", user_id)
            .field("name", &Hidden::text(name))
            .field("metadata", &Hidden::keys(metadata))
            .field("head", head)
            .field("created_at", created_at)
            .field("updated_at", updated_at)
            .finish()
    }
}

impl fmt::Debug for NewThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, org_id, user_id, name, metadata, created_at } = self;
        f.debug_struct("NewThread")
            .field("id", id)
            .field("org_id", org_id)
            .field("user_id", user_id)
            .field("name", &Hidden::text(name))
            .field("metadata", &Hidden::keys(metadata))
            .field("created_at", created_at)
            .finish()
    }
}

impl fmt::Debug for ThreadUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, metadata, at } = self;
        f.debug_struct("ThreadUpdate")
            .field("name", &name.as_deref().map(Hidden::text))
            .field("metadata", &metadata.as_ref().map(Hidden::keys))
            .field("at", at)
            .finish()
    }
}

fn check_name(name: &str) -> Result<(), InvalidArgument> {
    if name.len() > MAX_NAME_BYTES {
        let rule = format!("must be at most {MAX_NAME_BYTES} bytes long");
        return Err(InvalidArgument::new("name", rule, format!("{} bytes", name.len())));
    }
    match name.find('\0') {
        Some(at) => Err(InvalidArgument::new("name", "must not hold U+0000", format!("one at byte {at}"))),
        None => Ok(()),
    }
}

fn check_metadata(metadata: &Metadata) -> Result<(), StoreError> {
    let actual = json_size(metadata)?;
    if actual > MAX_METADATA_BYTES {
        let (limit, actual) = (MAX_METADATA_BYTES as u64, actual as u64);
        return Err(StoreError::TooLarge { what: "metadata, in bytes of JSON", limit, actual });
    }
    Ok(())
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
        let new =
            NewThread::new(id, org, user, "secret", Timestamp::UNIX_EPOCH).with_metadata(metadata.clone());
        let update = ThreadUpdate::new(Timestamp::UNIX_EPOCH).name("secret").metadata(metadata);
        let hidden = "name: 6 bytes, metadata: 3 keys";
        for (text, hidden) in [
            (format!("{new:?}"), hidden),
            (format!("{:?}", new.clone().into_thread()), hidden),
            (format!("{update:?}"), "name: Some(6 bytes), metadata: Some(3 keys)"),
        ] {
            assert!(text.contains(hidden) && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn metadata_is_read_whole_or_refused() {
        assert_eq!(metadata_from_json(r#"{"type":"text","text":"x"}"#).unwrap().len(), 2);
        for (bad, told) in [
            ("[]", "metadata must be a JSON object (got an array)"),
            ("7", "metadata must be a JSON object (got a number)"),
            ("{", "metadata must be JSON (got an error at line 1 column 1: EOF while parsing an object)"),
            (
                r#"{"n":-9223372036854775809}"#,
                "metadata must have integers from -2^63 to 2^64 - 1, and others written as strings \
                 (got another one at line 1 column 6)",
            ),
            (
                r#"{"secret":1,"secret":2}"#,
                "metadata must be JSON that can be kept whole (got an error at line 1 column 20: \
                 invalid value: a key twice in one object, expected each key once)",
            ),
        ] {
            assert_eq!(metadata_from_json(bad).unwrap_err().to_string(), told);
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
