//! Identifiers: of threads and messages (UUIDs), of organizations and users, and those that callers have of their own.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::invalid::InvalidArgument;

/// The longest [`OrgId`], [`UserId`] or [`ExternalId`], in bytes of UTF-8. It fits every backend's index key.
pub const MAX_ID_BYTES: usize = 255;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        ///
        /// chatkeep makes them as UUIDv7 by an [`IdGenerator`](crate::IdGenerator); any UUID of the caller's is
        /// accepted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id as a UUID.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidArgument;

            fn from_str(text: &str) -> Result<Self, InvalidArgument> {
                text.parse().map(Self).map_err(|_| {
                    InvalidArgument::new($field, "must be a UUID", format!("{} bytes", text.len()))
                })
            }
        }
    };
}

uuid_id!(
    /// A thread's id: unique within its organization.
    ThreadId,
    "thread_id"
);
uuid_id!(
    /// A message's id: unique within its thread. It makes an append idempotent: keep it across retries.
    MessageId,
    "message_id"
);

uuid_id!(
    /// What a caller names a request by that makes something without an id of its own: a branch. It makes the request
    /// idempotent: keep it across retries.
    RequestId,
    "request_id"
);

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        ///
        /// Not empty, at most [`MAX_ID_BYTES`] bytes, no control characters. Compared byte by byte. Cheap to clone.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the rules above.
            ///
            /// # Errors
            /// [`InvalidArgument`] names the rule that was broken and the length that was given.
            pub fn new(id: impl Into<String>) -> Result<Self, InvalidArgument> {
                let id = id.into();
                let length = || format!("{} bytes", id.len());
                if id.is_empty() {
                    return Err(InvalidArgument::new($field, "must not be empty", length()));
                }
                if id.len() > MAX_ID_BYTES {
                    return Err(InvalidArgument::new(
                        $field,
                        format!("must be at most {MAX_ID_BYTES} bytes long"),
                        length(),
                    ));
                }
                if let Some(at) = id.find(char::is_control) {
                    return Err(InvalidArgument::new(
                        $field,
                        "must not hold a control character",
                        format!("one at byte {at}"),
                    ));
                }
                Ok(Self(id.into()))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidArgument;

            fn from_str(text: &str) -> Result<Self, InvalidArgument> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidArgument;

            fn try_from(text: String) -> Result<Self, InvalidArgument> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidArgument;

            fn try_from(text: &str) -> Result<Self, InvalidArgument> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }
    };
}

text_id!(
    /// An organization: the tenant. Nothing is ever shared between two of them.
    OrgId,
    "org_id"
);
text_id!(
    /// A user of an organization.
    UserId,
    "user_id"
);
text_id!(
    /// An id that the caller has of their own for a thread or a message: of a UI kit, a ticket, a mail. The UUID is
    /// derived from it ([`ThreadId::of_external`], [`MessageId::of_external`]), and so it is looked up, is unique, and makes
    /// a write idempotent, as the UUID is and does.
    ExternalId,
    "external_id"
);

/// The namespaces of the derived ids: random UUIDs, fixed for ever.
const THREADS: Uuid = Uuid::from_u128(0x9b1c_4a57_3d0e_4c1f_8f62_5d7a_0e34_b6c9);
const MESSAGES: Uuid = Uuid::from_u128(0x51e7_d2b8_66fa_4b93_a40d_c8f1_927b_3e05);

impl ThreadId {
    /// The id of the thread that a user of an organization knows by an id of their own. Users cannot take or notice each
    /// other's: the same external id is another thread for each of them.
    ///
    /// ```
    /// use chatkeep_domain::{ExternalId, OrgId, ThreadId, UserId};
    ///
    /// let (acme, ada, bob) = (OrgId::new("acme")?, UserId::new("ada")?, UserId::new("bob")?);
    /// let ticket = ExternalId::new("ticket-7")?;
    /// assert_eq!(ThreadId::of_external(&acme, &ada, &ticket), ThreadId::of_external(&acme, &ada, &ticket));
    /// assert_ne!(ThreadId::of_external(&acme, &ada, &ticket), ThreadId::of_external(&acme, &bob, &ticket));
    /// # Ok::<(), chatkeep_domain::InvalidArgument>(())
    /// ```
    pub fn of_external(org: &OrgId, user: &UserId, external: &ExternalId) -> Self {
        derived(THREADS, &[org.as_str(), user.as_str(), external.as_str()]).into()
    }
}

impl MessageId {
    /// The id of the message that a caller knows by an id of their own: the same in every thread, since a message's id
    /// is unique within its thread alone.
    pub fn of_external(external: &ExternalId) -> Self {
        derived(MESSAGES, &[external.as_str()]).into()
    }

    /// The id that a message has in another form on a branch which a request made: the message of the same id stays where
    /// it is, on the branch that it is on. The same request gives the same id, so that a retry is one.
    #[must_use]
    pub fn on_branch(self, request: RequestId) -> Self {
        Uuid::new_v5(request.as_uuid(), self.as_uuid().as_bytes()).into()
    }
}

/// A UUIDv5 of parts, each behind its length in bytes, so that no parts mean the same as others.
fn derived(namespace: Uuid, parts: &[&str]) -> Uuid {
    let mut name = Vec::new();
    for part in parts {
        name.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        name.extend(part.as_bytes());
    }
    Uuid::new_v5(&namespace, &name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owner_ids_name_the_rule_and_the_length_but_not_the_value() {
        for (bad, message) in [
            (String::new(), "user_id must not be empty (got 0 bytes)"),
            ("é".repeat(128), "user_id must be at most 255 bytes long (got 256 bytes)"),
            ("se\u{7}cret".to_owned(), "user_id must not hold a control character (got one at byte 2)"),
        ] {
            assert_eq!(UserId::new(bad).unwrap_err().to_string(), message);
        }
        assert_eq!(UserId::new("é".repeat(127)).unwrap().as_str().len(), 254);
    }

    #[test]
    fn owner_ids_are_checked_when_deserialized() {
        assert!(serde_json::from_str::<OrgId>("\"acme\"").is_ok());
        assert!(serde_json::from_str::<OrgId>("\"\"").is_err());
    }

    #[test]
    fn uuids_of_any_version_are_ids() {
        let id: ThreadId = "00000000-0000-0000-0000-000000000001".parse().unwrap();
        assert_eq!(id.to_string(), "00000000-0000-0000-0000-000000000001");
        assert_eq!(
            "x1".parse::<MessageId>().unwrap_err().to_string(),
            "message_id must be a UUID (got 2 bytes)"
        );
    }
}
