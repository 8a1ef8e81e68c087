//! The one error of every store, and the error of every constructor.

use std::borrow::Cow;
use std::fmt;

use crate::{Cursor, Position};

/// A driver's error, kept whole as the source of a [`StoreError`].
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A value that a constructor or a query refused.
///
/// Says which field, the rule that it broke, and what was given: a length, a number, or a short word such as an
/// unknown role. It never holds message content.
///
/// ```
/// use chatkeep_domain::OrgId;
/// let error = OrgId::new("x".repeat(300)).unwrap_err();
/// assert_eq!(error.to_string(), "org_id must be at most 255 bytes long (got 300 bytes)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {rule} (got {actual})")]
#[non_exhaustive]
pub struct InvalidArgument {
    /// The field or variable, as it is named in the API.
    pub field: Cow<'static, str>,
    /// What must hold, as the words after the field's name: "must be at most 255 bytes long".
    pub rule: Cow<'static, str>,
    /// What was given, never content: "300 bytes".
    pub actual: Cow<'static, str>,
}

impl InvalidArgument {
    /// An error that reads "`field` `rule` (got `actual`)".
    pub fn new(
        field: impl Into<Cow<'static, str>>,
        rule: impl Into<Cow<'static, str>>,
        actual: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { field: field.into(), rule: rule.into(), actual: actual.into() }
    }
}

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
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Thread => "thread",
            Self::Message => "message",
            Self::Revision => "revision",
        })
    }
}

/// The error of every store. Each variant says what the caller can do about it.
///
/// No text and no `Debug` output of it carries message content, a password or a connection string; drivers'
/// errors are kept as the source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such thing in the caller's scope: it never was, it was deleted, or it belongs to somebody
    /// else. The three cannot be told apart.
    #[error("{entity} {id} was not found")]
    NotFound {
        /// What was looked for.
        entity: Entity,
        /// Its id.
        id: String,
    },
    /// The id is taken by something that the caller does not own. Choose another id.
    #[error("the id {id} is taken by another {entity} of the organization")]
    AlreadyExists {
        /// What the id was for.
        entity: Entity,
        /// The id.
        id: String,
    },
    /// The thread's head was not where [`Append::expect_head`](crate::Append::expect_head) wanted it: another
    /// writer was first. Nothing was written. Read what is new, then decide.
    #[error("the thread's head is at position {actual}, not at {expected}")]
    Conflict {
        /// The head that the caller expected.
        expected: Position,
        /// The head that the thread has.
        actual: Position,
    },
    /// A value that breaks a rule. Nothing was written.
    #[error(transparent)]
    InvalidArgument(#[from] InvalidArgument),
    /// A value over a stated limit. Nothing was written.
    #[error("{what} is too large: {actual}, where at most {limit} is allowed")]
    TooLarge {
        /// What is too large, with its unit: "content, in bytes of JSON".
        what: &'static str,
        /// The most that is allowed.
        limit: u64,
        /// What was given; for a limit of depth, the first depth that broke it.
        actual: u64,
    },
    /// This store does not offer the operation. Its README says which groups of the contract it takes.
    #[error("{store} does not support {operation}")]
    Unsupported {
        /// The operation's name.
        operation: &'static str,
        /// The store's name.
        store: &'static str,
    },
    /// A stored row that cannot be read back. Its neighbours can be: see [`Page::cut`](crate::Page::cut). A list goes on
    /// at `behind`.
    #[error("the stored {entity} {id} cannot be decoded")]
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
    /// The store cannot answer now: it restarts, refuses connections, broke a deadlock, or was too slow. The
    /// outcome of a write is unknown; calling again is safe, appends included, for their ids make them
    /// idempotent.
    #[error("{store} is unavailable: {reason}")]
    Unavailable {
        /// The store's name.
        store: &'static str,
        /// Why, in words.
        reason: &'static str,
        /// The driver's error.
        source: BoxError,
    },
    /// The database lacks migrations. Run the command that the text names, or let the library do it.
    #[error(
        "{store} lacks {pending} migration(s): run `chatkeep-migration up`, or open it with auto_migrate switched on"
    )]
    NotMigrated {
        /// The store's name.
        store: &'static str,
        /// How many migrations are missing.
        pending: usize,
    },
    /// The store failed in a way that calling again will not mend: the disk is full, the file is read-only, a
    /// privilege is missing.
    #[error("{store} failed")]
    Backend {
        /// The store's name.
        store: &'static str,
        /// The driver's error.
        source: BoxError,
    },
}

impl StoreError {
    /// True where the same call may succeed a moment later: [`StoreError::Unavailable`].
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// True for [`StoreError::NotFound`].
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// The error of a row that cannot be decoded, with the cursor behind the row; any other error as it is.
    #[must_use]
    pub fn going_on(self, at: impl Into<Option<Cursor>>) -> Self {
        match self {
            Self::CorruptRow { entity, id, source, .. } => {
                Self::CorruptRow { entity, id, behind: at.into(), source }
            }
            other => other,
        }
    }

    /// [`StoreError::NotFound`] for a thread.
    pub fn thread_not_found(id: crate::ThreadId) -> Self {
        Self::NotFound { entity: Entity::Thread, id: id.to_string() }
    }

    /// [`StoreError::InvalidArgument`] for an id by which the operator means threads of several organizations.
    pub fn ambiguous_thread_id() -> Self {
        let rule = "must be of one organization for the operator; name the organization with Scope::org";
        InvalidArgument::new("thread_id", rule, "an id that several have").into()
    }

    /// [`StoreError::NotFound`] for a message.
    pub fn message_not_found(id: crate::MessageId) -> Self {
        Self::NotFound { entity: Entity::Message, id: id.to_string() }
    }
}
