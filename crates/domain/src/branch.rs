//! Branches: the alternatives of a conversation.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Expected, StoreError};
use crate::hidden::Hidden;
use crate::id::{OrgId, RequestId, ThreadId};
use crate::invalid::InvalidArgument;
use crate::path::{BranchId, BranchPoint, ForkPoint, MAX_BRANCHES, Path};
use crate::position::Position;
use crate::scope::Scope;
use crate::thread::{ChatThread, NewThread, check_name};
use crate::time::{self, Timestamp, to_micros};
use crate::version::Version;

/// A branch of a thread. `Debug` shows the length of the name, not its text.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Branch {
    /// Unique within the thread.
    pub id: BranchId,
    /// The thread that it is of.
    pub chat_thread_id: ThreadId,
    /// What it was created by; `None` of the main one.
    pub request: Option<RequestId>,
    /// For people. May be empty.
    pub name: String,
    /// Where it starts; `None` of the main one.
    pub from: Option<BranchPoint>,
    /// The last position that it shows or ever had. Never goes back, whatever is deleted.
    pub head: Position,
    /// Which messages it shows.
    pub path: Path,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Branch {
    /// The main branch of a thread.
    pub fn main(thread: &ChatThread) -> Self {
        Self {
            id: BranchId::MAIN,
            chat_thread_id: thread.id,
            request: None,
            name: String::new(),
            from: None,
            head: thread.head,
            path: Path::main(),
            created_at: thread.created_at,
        }
    }

    /// A branch that was stored: a store that reads a row sets the other fields.
    pub fn new(
        id: BranchId,
        chat_thread_id: ThreadId,
        path: Path,
        head: Position,
        created_at: Timestamp,
    ) -> Self {
        Self { id, chat_thread_id, request: None, name: String::new(), from: None, head, path, created_at }
    }

    /// Checks that a truncation behind this position leaves what the branch shares: see
    /// [`BranchRepository::truncate_branch`](crate::BranchRepository::truncate_branch).
    ///
    /// # Errors
    /// [`InvalidArgument`] for a position ahead of the branch's own part.
    pub fn check_truncation(&self, after: Position) -> Result<(), InvalidArgument> {
        let start = self.from.map_or(Position::ZERO, |from| from.through);
        if after < start {
            let rule = format!("must be at least {start}, where the part of the branch's own begins");
            return Err(InvalidArgument::new("after", rule, after.to_string()));
        }
        Ok(())
    }
}

impl fmt::Debug for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, chat_thread_id, request, name, from, head, path, created_at } = self;
        f.debug_struct("Branch")
            .field("id", id)
            .field("chat_thread_id", chat_thread_id)
            .field("request", request)
            .field("name", &Hidden::text(name))
            .field("from", from)
            .field("head", head)
            .field("path", path)
            .field("created_at", created_at)
            .finish()
    }
}

/// What a branch is created from. `Debug` shows the length of the name, not its text.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewBranch {
    /// Keep it across retries: creating again with the same gives back the branch that is there.
    pub request: RequestId,
    /// Where it starts.
    pub from: BranchPoint,
    /// With the limits of a [thread's name](NewThread::name).
    pub name: String,
    /// When, in whole microseconds.
    pub at: Timestamp,
    /// Compare-and-create: only if the thread has this version.
    pub expect_version: Option<Version>,
}

impl NewBranch {
    /// A branch without a name that starts there. `at` is cut to microseconds.
    pub fn new(request: RequestId, from: BranchPoint, at: Timestamp) -> Self {
        Self { request, from, name: String::new(), at: to_micros(at), expect_version: None }
    }

    /// With a name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Create only if the thread has this version: [`StoreError::Conflict`] when somebody wrote to it since.
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
        check_name(&self.name)?;
        Ok(time::check_timestamp("at", self.at)?)
    }

    /// The branch as it is stored, off its parent. `id` is the thread's next, `allotted` the last position that the thread
    /// allotted, `count` how many branches it has, `version` what it has.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another version is expected; [`StoreError::InvalidArgument`] for a point behind the
    /// parent's head; [`StoreError::TooLarge`] for one branch, or one segment of the path, too many.
    pub fn into_branch(
        self,
        parent: &Branch,
        id: BranchId,
        allotted: Position,
        (count, version): (usize, Version),
    ) -> Result<Branch, StoreError> {
        StoreError::unless_expected(Expected::Version, self.expect_version, version)?;
        check_point(self.from, parent)?;
        if count >= MAX_BRANCHES {
            return Err(StoreError::too_large("thread, in branches", MAX_BRANCHES, count + 1));
        }
        Ok(Branch {
            id,
            chat_thread_id: parent.chat_thread_id,
            request: Some(self.request),
            name: self.name,
            from: Some(self.from),
            head: self.from.through,
            path: parent.path.branch_off(self.from.through, id, allotted)?,
            created_at: self.at,
        })
    }
}

/// Checks that a point is not behind the head of its branch.
fn check_point(point: BranchPoint, branch: &Branch) -> Result<(), InvalidArgument> {
    if point.through > branch.head {
        let rule = format!("must be at most the head of its branch, {}", branch.head);
        return Err(InvalidArgument::new("from", rule, point.through.to_string()));
    }
    Ok(())
}

impl fmt::Debug for NewBranch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, from, name, at, expect_version } = self;
        f.debug_struct("NewBranch")
            .field("request", request)
            .field("from", from)
            .field("name", &Hidden::text(name))
            .field("at", at)
            .field("expect_version", expect_version)
            .finish()
    }
}

/// A new name of a branch. `Debug` shows the length of the name, not its text.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BranchRename {
    /// With the limits of a [thread's name](NewThread::name).
    pub name: String,
    /// When, in whole microseconds.
    pub at: Timestamp,
    /// Compare-and-rename: only if the thread has this version.
    pub expect_version: Option<Version>,
}

impl BranchRename {
    /// A new name. `at` is cut to microseconds.
    pub fn new(name: impl Into<String>, at: Timestamp) -> Self {
        Self { name: name.into(), at: to_micros(at), expect_version: None }
    }

    /// Rename only if the thread has this version: [`StoreError::Conflict`] when somebody wrote to it since.
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
        check_name(&self.name)?;
        Ok(time::check_timestamp("at", self.at)?)
    }
}

impl fmt::Debug for BranchRename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, at, expect_version } = self;
        f.debug_struct("BranchRename")
            .field("name", &Hidden::text(name))
            .field("at", at)
            .field("expect_version", expect_version)
            .finish()
    }
}

/// A fork: a thread of its own with a copy of what a branch shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fork {
    /// The thread to be made. Its id is what a fork is recognized by when it comes again.
    pub new: NewThread,
    /// What is copied: all that the branch shows up to here.
    pub from: BranchPoint,
}

impl Fork {
    /// A fork of what a branch shows up to this point.
    pub const fn new(new: NewThread, from: BranchPoint) -> Self {
        Self { new, from }
    }

    /// Checks the limits, and that the owner is within the scope.
    ///
    /// # Errors
    /// As [`NewThread::validate`].
    pub fn validate(&self, scope: &Scope) -> Result<(), StoreError> {
        self.new.validate(scope)
    }

    /// The thread as it is stored, without its messages. `parent` is the branch that is copied, of a thread of `org`.
    ///
    /// # Errors
    /// [`StoreError::InvalidArgument`] for an owner in another organization, and for a point behind the branch's head.
    pub fn into_thread(self, org: &OrgId, parent: &Branch) -> Result<ChatThread, StoreError> {
        if self.new.org_id != *org {
            let rule = "must be in the organization of the thread";
            return Err(InvalidArgument::new("org_id", rule, "another one").into());
        }
        check_point(self.from, parent)?;
        let mut thread = self.new.into_thread();
        (thread.head, thread.forked_from) =
            (self.from.through, Some(ForkPoint::new(parent.chat_thread_id, self.from)));
        Ok(thread)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::id::UserId;

    #[test]
    fn debug_shows_no_name() {
        let request = RequestId::from(Uuid::from_u128(7));
        let new =
            NewBranch::new(request, BranchPoint::new(BranchId::MAIN, Position::ZERO), Timestamp::UNIX_EPOCH)
                .name("secret");
        let (org, user) = (OrgId::new("acme").unwrap(), UserId::new("ada").unwrap());
        let thread = NewThread::new(Uuid::from_u128(1).into(), org, user, "a thread", Timestamp::UNIX_EPOCH);
        let main = Branch::main(&thread.into_thread());
        let (first, at) = (BranchId::new(1), (1, Version::beginning(0)));
        let branch = new.clone().into_branch(&main, first, Position::ZERO, at).unwrap();
        let rename = BranchRename::new("secret", Timestamp::UNIX_EPOCH);
        for text in [format!("{new:?}"), format!("{branch:?}"), format!("{rename:?}")] {
            assert!(text.contains("name: 6 bytes") && !text.contains("secret"), "{text}");
        }
    }
}
