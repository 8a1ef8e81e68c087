//! The one error of every store.

use std::fmt;

use crate::cursor::Cursor;
use crate::id::{MessageId, ThreadId};
use crate::invalid::InvalidArgument;

/// A driver's error, kept whole as the source of a [`StoreError`].
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What a [`StoreError`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Entity {
    /// A [`ChatThread`](crate::ChatThread).
    Thread,
    /// A [`ChatMessage`](crate::ChatMessage).
    Message,
    /// A [`MessageRevision`](crate::MessageRevision).
    Revision,
    /// A [`Branch`](crate::Branch).
    Branch,
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Thread => "thread",
            Self::Message => "message",
            Self::Revision => "revision",
            Self::Branch => "branch",
        })
    }
}

/// What a write may expect to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expected {
    /// The last position of the branch: [`Branch::head`](crate::Branch::head), of the main one
    /// [`ChatThread::head`](crate::ChatThread::head).
    Head,
    /// The thread's state: [`ChatThread::version`](crate::ChatThread::version).
    Version,
    /// The content of a message: [`ChatMessage::revision`](crate::ChatMessage::revision).
    Revision,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head => "the head",
            Self::Version => "the thread's version",
            Self::Revision => "the message's revision",
        })
    }
}

/// What became of a call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Nothing was written.
    NotDone,
    /// Nobody knows: it may have been written or not.
    Unknown,
}

/// Whether the same call can succeed when it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Again {
    /// A moment later it can.
    Soon,
    /// Repeating does not help: look at what is stored, then decide.
    No,
}

/// The error of every store. Each variant says what the caller can do about it. Stores make it by its functions, such as
/// [`StoreError::not_found`].
///
/// No text and no `Debug` output of it carries message content, a password or a connection string; drivers'
/// errors are kept as the source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such thing in the caller's scope: it never was, it was deleted, or it belongs to somebody
    /// else. The three cannot be told apart.
    #[error("{entity} {id} was not found")]
    #[non_exhaustive]
    NotFound {
        /// What was looked for.
        entity: Entity,
        /// Its id.
        id: String,
    },
    /// The id is taken by something that the caller does not own. Choose another id.
    #[error("the id {id} is taken by another {entity} of the organization")]
    #[non_exhaustive]
    AlreadyExists {
        /// What the id was for.
        entity: Entity,
        /// The id.
        id: String,
    },
    /// Something is not as the write expected it, such as by [`Append::expect_head`](crate::Append::expect_head): another
    /// writer was first. Nothing was written. Read what is new, then decide.
    #[error("{of} is {actual}, not {expected} as expected")]
    #[non_exhaustive]
    Conflict {
        /// What is not as expected.
        of: Expected,
        /// The number that the caller expected.
        expected: i64,
        /// The number that is there.
        actual: i64,
    },
    /// Others stand on what was to be removed. Nothing was written. Remove those first.
    #[error("{entity} {id} is in use by {by}")]
    #[non_exhaustive]
    InUse {
        /// What was to be removed.
        entity: Entity,
        /// Its id.
        id: String,
        /// The one that stands on it; one of them where there are several.
        by: String,
    },
    /// A value that breaks a rule. Nothing was written.
    #[error(transparent)]
    InvalidArgument(#[from] InvalidArgument),
    /// A value over a stated limit. Nothing was written.
    #[error("{what} is too large: {actual}, where at most {limit} is allowed")]
    #[non_exhaustive]
    TooLarge {
        /// What is too large, with its unit: "content, in bytes of JSON".
        what: &'static str,
        /// The most that is allowed.
        limit: u64,
        /// What was given; for a limit of depth, the first depth that broke it.
        actual: u64,
    },
    /// This store declines the operation: the accessor of
    /// [`ConversationRepository`](crate::ConversationRepository) is `None`.
    #[error("{store} does not support {operation}")]
    #[non_exhaustive]
    Unsupported {
        /// The operation's name, such as "search".
        operation: &'static str,
        /// The store's [name](crate::ConversationRepository::name).
        store: &'static str,
    },
    /// A stored row that cannot be read back. Its neighbours can be: see [`Page::cut`](crate::Page::cut). A list goes on
    /// at `behind`.
    #[error("the stored {entity} {id} cannot be decoded")]
    #[non_exhaustive]
    CorruptRow {
        /// What the row holds.
        entity: Entity,
        /// The row's id, or its place where the id itself cannot be read.
        id: String,
        /// From a list: where it goes on behind the row. `None` where the row's place cannot be read either, or
        /// where nothing was listed.
        behind: Option<Cursor>,
        /// What was wrong.
        source: BoxError,
    },
    /// The store cannot answer now: it restarts, refuses connections, broke a deadlock, or was too slow.
    #[error("{store} is unavailable: {reason}")]
    #[non_exhaustive]
    Unavailable {
        /// The store's name.
        store: &'static str,
        /// What became of the call. After [`Outcome::Unknown`] a call with ids of its own, such as an append, is
        /// repeated without harm: the ids make it idempotent.
        outcome: Outcome,
        /// Whether repeating the call can help.
        again: Again,
        /// Why, in words.
        reason: &'static str,
        /// The driver's error.
        source: BoxError,
    },
    /// The database lacks migrations. Run the command that the text names, or let the library do it.
    #[error(
        "{store} lacks {pending} migration(s): run `chatkeep-migration up`, or open it with auto_migrate switched on"
    )]
    #[non_exhaustive]
    NotMigrated {
        /// The store's name.
        store: &'static str,
        /// How many migrations are missing.
        pending: usize,
    },
    /// The store failed in a way that calling again will not mend: the disk is full, the file is read-only, a
    /// privilege is missing.
    #[error("{store} failed")]
    #[non_exhaustive]
    Backend {
        /// The store's name.
        store: &'static str,
        /// The driver's error.
        source: BoxError,
    },
}

impl StoreError {
    /// [`StoreError::NotFound`].
    pub fn not_found(entity: Entity, id: impl fmt::Display) -> Self {
        Self::NotFound { entity, id: id.to_string() }
    }

    /// [`StoreError::NotFound`] for a thread.
    pub fn thread_not_found(id: ThreadId) -> Self {
        Self::not_found(Entity::Thread, id)
    }

    /// [`StoreError::NotFound`] for a message.
    pub fn message_not_found(id: MessageId) -> Self {
        Self::not_found(Entity::Message, id)
    }

    /// [`StoreError::NotFound`] for a branch.
    pub fn branch_not_found(id: impl fmt::Display) -> Self {
        Self::not_found(Entity::Branch, id)
    }

    /// [`StoreError::InUse`].
    pub fn in_use(entity: Entity, id: impl fmt::Display, by: impl fmt::Display) -> Self {
        Self::InUse { entity, id: id.to_string(), by: by.to_string() }
    }

    /// [`StoreError::AlreadyExists`].
    pub fn already_exists(entity: Entity, id: impl fmt::Display) -> Self {
        Self::AlreadyExists { entity, id: id.to_string() }
    }

    /// [`StoreError::Conflict`].
    pub fn conflict<T: Into<i64>>(of: Expected, expected: T, actual: T) -> Self {
        Self::Conflict { of, expected: expected.into(), actual: actual.into() }
    }

    /// [`StoreError::Conflict`] where something is expected and is not what is there.
    ///
    /// # Errors
    /// That.
    pub fn unless_expected<T: Into<i64> + PartialEq>(
        of: Expected,
        expected: Option<T>,
        actual: T,
    ) -> Result<(), Self> {
        match expected {
            Some(expected) if expected != actual => Err(Self::conflict(of, expected, actual)),
            _ => Ok(()),
        }
    }

    /// [`StoreError::TooLarge`]; `what` names the unit.
    pub const fn too_large(what: &'static str, limit: usize, actual: usize) -> Self {
        Self::TooLarge { what, limit: limit as u64, actual: actual as u64 }
    }

    /// [`StoreError::Unsupported`].
    pub const fn unsupported(operation: &'static str, store: &'static str) -> Self {
        Self::Unsupported { operation, store }
    }

    /// [`StoreError::CorruptRow`] of a row that was read by itself; a list adds where it goes on by
    /// [`going_on`](Self::going_on).
    pub fn corrupt_row(entity: Entity, id: impl fmt::Display, source: impl Into<BoxError>) -> Self {
        Self::CorruptRow { entity, id: id.to_string(), behind: None, source: source.into() }
    }

    /// [`StoreError::Unavailable`].
    pub fn unavailable(
        store: &'static str,
        outcome: Outcome,
        again: Again,
        reason: &'static str,
        source: impl Into<BoxError>,
    ) -> Self {
        Self::Unavailable { store, outcome, again, reason, source: source.into() }
    }

    /// [`StoreError::Unavailable`] of an append that was not tried, because one before it to the same thread, in the same
    /// [`append_each`](crate::MessageRepository::append_each), was answered so.
    pub fn not_tried(store: &'static str) -> Self {
        let reason = "an append before it to the same thread failed";
        Self::unavailable(store, Outcome::NotDone, Again::Soon, reason, "this one was not tried")
    }

    /// The error of a call in steps whose earlier steps were committed: [`StoreError::Unavailable`] gets the outcome
    /// [`Outcome::Unknown`], as a part of the call is done. Other errors stay as they are.
    #[must_use]
    pub fn after_a_write(self) -> Self {
        match self {
            Self::Unavailable { store, again, reason, source, .. } => {
                Self::unavailable(store, Outcome::Unknown, again, reason, source)
            }
            other => other,
        }
    }

    /// [`StoreError::NotMigrated`].
    pub const fn not_migrated(store: &'static str, pending: usize) -> Self {
        Self::NotMigrated { store, pending }
    }

    /// [`StoreError::Backend`].
    pub fn backend(store: &'static str, source: impl Into<BoxError>) -> Self {
        Self::Backend { store, source: source.into() }
    }

    /// [`StoreError::InvalidArgument`] for an id by which the operator means threads of several organizations.
    pub fn ambiguous_thread_id() -> Self {
        let rule = "must be of one organization for the operator; name the organization with Scope::org";
        InvalidArgument::new("thread_id", rule, "an id that several have").into()
    }

    /// What became of the call: only [`StoreError::Unavailable`] may leave it unknown.
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Unavailable { outcome, .. } => *outcome,
            _ => Outcome::NotDone,
        }
    }

    /// True where the same call may succeed a moment later: [`StoreError::Unavailable`] with [`Again::Soon`].
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { again: Again::Soon, .. })
    }

    /// True for [`StoreError::NotFound`].
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// The error of a row that cannot be decoded, with the cursor behind the row; any other error as it is.
    #[must_use]
    pub fn going_on(mut self, at: impl Into<Option<Cursor>>) -> Self {
        if let Self::CorruptRow { behind, .. } = &mut self {
            *behind = at.into();
        }
        self
    }
}
