//! What a removal of messages takes.

use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::time::{self, Timestamp, to_micros};
use crate::version::Version;

/// A removal of messages: when, and of which state of their thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Removal {
    /// When, in whole microseconds.
    pub at: Timestamp,
    /// Compare-and-remove: only if the thread has this version.
    pub expect_version: Option<Version>,
}

impl Removal {
    /// A removal, whatever state the thread is in. `at` is cut to microseconds.
    pub fn new(at: Timestamp) -> Self {
        Self { at: to_micros(at), expect_version: None }
    }

    /// Remove only if the thread has this version: [`StoreError::Conflict`] when somebody wrote to it since.
    #[must_use]
    pub fn expect_version(mut self, version: Version) -> Self {
        self.expect_version = Some(version);
        self
    }

    /// Checks the limits.
    ///
    /// # Errors
    /// [`StoreError::InvalidArgument`].
    pub fn validate(&self) -> Result<(), StoreError> {
        Ok(time::check_timestamp("at", self.at)?)
    }
}

impl From<Timestamp> for Removal {
    /// A removal at this time, whatever state the thread is in.
    fn from(at: Timestamp) -> Self {
        Self::new(at)
    }
}
