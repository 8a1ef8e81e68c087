//! What earlier attempts of a call leave, and what they make of an error that follows.

use chatkeep_domain::{Again, BoxError, Outcome, StoreError};

/// What a call does when it comes again after an attempt that may have done it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It reads.
    Read,
    /// The store recognizes it, by the ids or the time that it brings, and does not do it twice.
    Recognized,
    /// The store cannot tell: what it finds now may be its own work.
    Blind,
}

/// What the earlier attempts of a call leave.
#[derive(Debug)]
pub(super) struct Past {
    kind: Kind,
    /// One of them may have done it.
    may_be_done: bool,
    /// Why the last of them failed.
    last: Option<StoreError>,
}

impl Past {
    pub(super) const fn new(kind: Kind) -> Self {
        Self { kind, may_be_done: false, last: None }
    }

    /// Notes an attempt that is followed by another, and gives back why it failed.
    pub(super) fn note(&mut self, error: StoreError) -> &StoreError {
        self.may_be_done |= error.outcome() == Outcome::Unknown;
        self.last.insert(error)
    }

    /// What the caller is told where the last attempt ended with this error. It is the error itself, unless an earlier
    /// attempt may have done what the error says is not done.
    pub(super) fn judge(&self, store: &'static str, error: StoreError) -> StoreError {
        let is_honest = match self.kind {
            Kind::Read => true,
            Kind::Recognized => !self.may_be_done || has_looked(&error),
            Kind::Blind => !self.may_be_done,
        };
        if is_honest {
            return error;
        }
        let reason = "an earlier attempt may have done it";
        StoreError::unavailable(store, Outcome::Unknown, Again::No, reason, error)
    }

    /// What the caller is told where the deadline passed, while an attempt was under way or before the next.
    pub(super) fn deadline_passed(self, store: &'static str, is_under_way: bool) -> StoreError {
        let may_be_done = self.kind != Kind::Read && (self.may_be_done || is_under_way);
        let outcome = if may_be_done { Outcome::Unknown } else { Outcome::NotDone };
        let why: BoxError = match self.last {
            Some(error) => error.into(),
            None => "the first attempt did not end".into(),
        };
        StoreError::unavailable(store, outcome, Again::Soon, "the deadline passed", why)
    }
}

/// Whether a write that the store recognizes failed because of what the store found: then it is not stored, or is no more.
fn has_looked(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::NotFound { .. }
            | StoreError::AlreadyExists { .. }
            | StoreError::Conflict { .. }
            | StoreError::InvalidArgument(_)
            | StoreError::TooLarge { .. }
    )
}
