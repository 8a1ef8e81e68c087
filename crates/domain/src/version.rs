//! The version of a thread.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::ThreadId;
use crate::invalid::InvalidArgument;
use crate::time::Timestamp;

/// The state of a thread, as a number to compare: what was read at a version is what is there as long as the thread has
/// that version. It is what caches, ETags and compare-and-write hold on to.
///
/// A new thread begins at a [random number](crate::IdGenerator::version), so that a thread whose id was used before is
/// not taken for the earlier one. Each write that changes something makes it greater by 1; a write of several steps,
/// such as a clear of very many messages, by 1 for each step; a call that changes nothing leaves it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Version(i64);

impl Version {
    /// New threads begin below this number, 2⁵²: so a version stays below 2⁵³, up to which a number of JavaScript is exact.
    pub const BEGINNINGS: i64 = 1 << 52;

    /// A version from its number.
    ///
    /// # Errors
    /// [`InvalidArgument`] when it is negative.
    pub fn new(number: i64) -> Result<Self, InvalidArgument> {
        if number < 0 {
            return Err(InvalidArgument::new("version", "must not be negative", number.to_string()));
        }
        Ok(Self(number))
    }

    /// Where a new thread begins, out of random bits.
    pub const fn beginning(random: u64) -> Self {
        Self((random % Self::BEGINNINGS.unsigned_abs()).cast_signed())
    }

    /// Where a new thread begins unless somebody says: another number for each id and each time of creation.
    pub(crate) fn beginning_of(id: ThreadId, created_at: Timestamp) -> Self {
        let hash = Uuid::new_v5(id.as_uuid(), &created_at.timestamp_micros().to_be_bytes());
        Self::beginning(hash.as_u64_pair().1)
    }

    /// Its number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The version after one more change.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<i64> for Version {
    type Error = InvalidArgument;

    fn try_from(number: i64) -> Result<Self, InvalidArgument> {
        Self::new(number)
    }
}

impl From<Version> for i64 {
    fn from(version: Version) -> Self {
        version.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_begin_below_2_to_the_52nd_each_elsewhere() {
        assert_eq!(Version::beginning(u64::MAX).get(), (1 << 52) - 1);
        assert_eq!(Version::beginning(1 << 52).get(), 0);
        let (one, other): (ThreadId, ThreadId) = (Uuid::from_u128(1).into(), Uuid::from_u128(2).into());
        let (now, later) =
            (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + chrono::TimeDelta::microseconds(1));
        let begun = Version::beginning_of(one, now);
        assert_eq!(begun, Version::beginning_of(one, now));
        assert_ne!(begun, Version::beginning_of(one, later));
        assert_ne!(begun, Version::beginning_of(other, now));
    }

    #[test]
    fn a_negative_version_is_refused() {
        assert!(serde_json::from_str::<Version>("-1").is_err());
        assert_eq!(serde_json::from_str::<Version>("7").unwrap().next().get(), 8);
    }
}
