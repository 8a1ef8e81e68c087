//! A change to a thread.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Expected, StoreError};
use crate::hidden::Hidden;
use crate::json;
use crate::metadata::{Metadata, check_metadata, is_identical};
use crate::path::BranchId;
use crate::thread::{ChatThread, check_name};
use crate::time::{self, Timestamp, to_micros};
use crate::version::Version;

/// A change to a thread. A field that is `None` leaves its value as it is.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ThreadUpdate {
    /// The new name, with [`NewThread::name`](crate::NewThread::name)'s limits.
    pub name: Option<String>,
    /// The new metadata, in place of all of the old, with [`NewThread::metadata`](crate::NewThread::metadata)'s limits.
    #[serde(default, deserialize_with = "json::deserialize_optional_object")]
    pub metadata: Option<Metadata>,
    /// The branch that a later session goes on with.
    #[serde(default)]
    pub active_branch: Option<BranchId>,
    /// When, in whole microseconds.
    pub at: Timestamp,
    /// Compare-and-update: only if the thread has this version.
    pub expect_version: Option<Version>,
}

impl ThreadUpdate {
    /// A change that changes nothing but `updated_at`. `at` is cut to microseconds.
    pub fn new(at: Timestamp) -> Self {
        Self { name: None, metadata: None, active_branch: None, at: to_micros(at), expect_version: None }
    }

    /// Update only if the thread has this version: [`StoreError::Conflict`] when somebody wrote to it since.
    #[must_use]
    pub fn expect_version(mut self, version: Version) -> Self {
        self.expect_version = Some(version);
        self
    }

    /// With a new name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// With another active branch.
    #[must_use]
    pub fn active_branch(mut self, branch: BranchId) -> Self {
        self.active_branch = Some(branch);
        self
    }

    /// With new metadata.
    #[must_use]
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Whether it would change something of this thread. An update that came before and comes again would not.
    pub fn changes(&self, thread: &ChatThread) -> bool {
        self.name.as_ref().is_some_and(|name| *name != thread.name)
            || self.metadata.as_ref().is_some_and(|metadata| !is_identical(metadata, &thread.metadata))
            || self.active_branch.is_some_and(|branch| branch != thread.active_branch)
            || self.at > thread.updated_at
    }

    /// Makes the change. Where there is none to make, the thread stays as it is, whatever version is expected.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another version is expected; the thread stays as it is.
    pub fn apply(self, thread: &mut ChatThread) -> Result<(), StoreError> {
        if !self.changes(thread) {
            return Ok(());
        }
        StoreError::unless_expected(Expected::Version, self.expect_version, thread.version)?;
        if let Some(name) = self.name {
            thread.name = name;
        }
        if let Some(metadata) = self.metadata {
            thread.metadata = metadata;
        }
        thread.active_branch = self.active_branch.unwrap_or(thread.active_branch);
        thread.updated_at = thread.updated_at.max(self.at);
        thread.version = thread.version.next();
        Ok(())
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

impl fmt::Debug for ThreadUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, metadata, active_branch, at, expect_version } = self;
        f.debug_struct("ThreadUpdate")
            .field("name", &name.as_deref().map(Hidden::text))
            .field("metadata", &metadata.as_ref().map(Hidden::keys))
            .field("active_branch", active_branch)
            .field("at", at)
            .field("expect_version", expect_version)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn debug_shows_neither_the_name_nor_metadata() {
        let metadata: Metadata = serde_json::from_value(json!({"secret": "secret", "b": 1, "c": 2})).unwrap();
        let update = ThreadUpdate::new(Timestamp::UNIX_EPOCH).name("secret").metadata(metadata);
        let text = format!("{update:?}");
        assert!(
            text.contains("name: Some(6 bytes), metadata: Some(3 keys)") && !text.contains("secret"),
            "{text}"
        );
    }
}
