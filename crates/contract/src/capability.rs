//! What a case needs that a store, or the test of a store, may do without.

use std::fmt;

/// What a [case](crate::Case) needs, beside what every store does. A suite [declines](crate::Suite::declining) what its
/// store does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// Messages can be searched.
    Search,
    /// Threads have branches, and can be forked.
    Branches,
    /// The test can damage rows behind the store's back. It is nothing of the store: such cases run in a suite
    /// [with damage](crate::Suite::with_damage), and are left out elsewhere.
    CorruptRows,
    /// A limit: pages of more than 100 and up to 1,000 items.
    WideLists,
    /// A limit: contents of more than 256 KiB and up to 8 MiB.
    LargeContents,
    /// A limit: appends, and calls of several appends, of 1,000 to 10,000 messages or of many MiB.
    LargeBatches,
}

impl Capability {
    /// Every capability.
    pub const ALL: &[Self] = &[
        Self::Search,
        Self::Branches,
        Self::CorruptRows,
        Self::WideLists,
        Self::LargeContents,
        Self::LargeBatches,
    ];
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
