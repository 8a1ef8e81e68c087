//! The one error of the application crate.

use std::sync::Arc;

use chatkeep_domain::{BranchId, InvalidArgument, StoreError, ThreadId};

use crate::config::{Backend, ConfigError};

/// What can go wrong. No text and no `Debug` output of it carries message content or a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A thread needs an owner, and the scope does not say which.
    #[error("the thread has no {missing}: the scope does not name one, so name it in create_thread")]
    #[non_exhaustive]
    NoOwner {
        /// What must be named: "user" or "organization".
        missing: &'static str,
    },
    /// The store's answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A setting that cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configured backend was left out when this program was built.
    #[error(
        "the {backend} backend is not compiled in: enable the feature `{feature}` of the crate `chatkeep`"
    )]
    #[non_exhaustive]
    NotCompiledIn {
        /// The backend that was asked for.
        backend: Backend,
        /// The feature that brings it.
        feature: &'static str,
    },
    /// The backend has no schema, and so no migrations.
    #[error("the {backend} backend has nothing to migrate")]
    #[non_exhaustive]
    NothingToMigrate {
        /// The configured backend.
        backend: Backend,
    },
    /// Messages that were taken earlier could not be stored yet. They are still queued; a push to their
    /// branch and a flush try them again, and [`WriteBehind::take_failed`](crate::WriteBehind::take_failed)
    /// hands them back instead. The message of the call that got this error was not taken.
    #[error(
        "{unsaved} message(s) for branch {branch} of the thread {thread} could not be stored yet: {source}"
    )]
    #[non_exhaustive]
    WriteBehind {
        /// The failing thread.
        thread: ThreadId,
        /// The branch of it that fails.
        branch: BranchId,
        /// How many messages for it are waiting.
        unsaved: usize,
        /// Why.
        source: Arc<StoreError>,
    },
    /// The write-behind queue takes no more messages: it was closed, or its task ended with the runtime.
    #[error("the write-behind queue is closed, with {unsaved} message(s) not stored")]
    #[non_exhaustive]
    Closed {
        /// How many messages it still holds.
        unsaved: usize,
    },
    /// Write-behind and streams of messages run tasks, which needs a tokio runtime.
    #[error("there is no tokio runtime to run a task on")]
    NoRuntime,
}

impl Error {
    /// True where the same call may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::WriteBehind { source, .. } => source.is_transient(),
            _ => false,
        }
    }

    /// True where the thread or the message is not there, or is not the caller's.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_not_found())
    }
}

impl From<InvalidArgument> for Error {
    fn from(error: InvalidArgument) -> Self {
        Self::Store(error.into())
    }
}
