//! The port for the branches of threads.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::branch::{Branch, BranchRename, Fork, NewBranch};
use crate::error::StoreError;
use crate::id::ThreadId;
use crate::path::BranchId;
use crate::position::Position;
use crate::removal::Removal;
use crate::scope::Scope;
use crate::thread::ChatThread;

/// Keeps alternatives of a conversation: branches of a thread, and forks of it.
///
/// A thread is a tree kept as branches. The main branch is always there. Another one starts at a
/// [`BranchPoint`](crate::BranchPoint), and shows what its parent shows up to there, without a copy, and behind it
/// messages of its own. Which messages a branch shows is its [`Path`](crate::Path).
///
/// # Contract
///
/// - Every call names its thread; one that is absent or outside the scope is [`StoreError::NotFound`], and nothing is written.
/// - Positions are of the thread: unique across its branches, never given again, and growing along every branch.
/// - What is edited or deleted in a part that several branches share is so on all of them.
/// - The number of a branch is never given again; nor do cursors of one branch fit another.
/// - A write that changes something raises the thread's version and `updated_at`, as every write does.
///
/// A store without branches answers `None` in [`ConversationRepository::branches`](crate::ConversationRepository::branches).
#[async_trait]
pub trait BranchRepository: Send + Sync + Debug {
    /// Makes a branch: one small write, however long the thread is. Creating again with the same
    /// [request](NewBranch::request) gives back the branch as it is by now, unchanged.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread or for the branch where it starts; [`StoreError::Conflict`] with
    /// [`NewBranch::expect_version`]; [`StoreError::InvalidArgument`] for a point behind the head of its branch;
    /// [`StoreError::TooLarge`] for more than [`MAX_BRANCHES`](crate::MAX_BRANCHES) or a path of more than
    /// [`MAX_PATH_LEN`](crate::MAX_PATH_LEN) segments; what [`NewBranch::validate`] refuses.
    async fn create_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        new: NewBranch,
    ) -> Result<Branch, StoreError>;

    /// All branches of a thread, in the order of their numbers: the main one first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn list_branches(&self, scope: &Scope, thread: ThreadId) -> Result<Vec<Branch>, StoreError>;

    /// Renames a branch. To the name that it has changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread or for the branch; [`StoreError::Conflict`] with
    /// [`BranchRename::expect_version`]; [`StoreError::InvalidArgument`] for the main branch, which has no name, and for
    /// what [`BranchRename::validate`] refuses.
    async fn rename_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        rename: BranchRename,
    ) -> Result<Branch, StoreError>;

    /// Deletes a branch with the messages of its own. Gives their number. What it shares stays. If it was the
    /// [active](ChatThread::active_branch) one, the branch where it started is now.
    ///
    /// A long branch goes in steps, the last messages first, so that others can write in between. Each step is a write of its own:
    /// if the call fails on its way, what is gone is gone, also where the error's [outcome](StoreError::outcome) is that this step was
    /// not done. The call can be made again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread or for the branch; [`StoreError::InUse`] while another branch shows some of
    /// its own part; [`StoreError::Conflict`] with [`Removal::expect_version`]; [`StoreError::InvalidArgument`] for the main
    /// branch, and for what [`Removal::validate`] refuses.
    async fn delete_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        removal: Removal,
    ) -> Result<u64, StoreError>;

    /// Deletes the messages of a branch's own behind a position, and their revisions. Gives their number. The head stays. Many go
    /// in steps, as those of a branch that is deleted; what is appended after the call began stays. Where there are none, nothing
    /// changes, whatever is expected.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread or for the branch; [`StoreError::InvalidArgument`] for a position ahead of the
    /// branch's own part; [`StoreError::InUse`] while another branch starts in the branch's own part behind the position;
    /// [`StoreError::Conflict`] with [`Removal::expect_version`]; what [`Removal::validate`] refuses.
    async fn truncate_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        after: Position,
        removal: Removal,
    ) -> Result<u64, StoreError>;

    /// Copies what a branch shows up to a point into a thread of its own, with ids, positions, contents and revisions. The
    /// copy is independent: what is done to the one is not done to the other, and it outlives its origin. It
    /// [remembers](ChatThread::forked_from) where it comes from. It is not there until it is whole. What is edited or deleted in
    /// the origin while the copy is made may be in it as it was before or after. Forking again with the same id gives back the
    /// fork as it is by now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread or for the branch; [`StoreError::AlreadyExists`] where a thread of the id is
    /// there that is no fork from this point; [`StoreError::InvalidArgument`] for a point behind the head of its branch, for an
    /// owner in another organization, and for what [`Fork::validate`] refuses.
    async fn fork_thread(
        &self,
        scope: &Scope,
        thread: ThreadId,
        fork: Fork,
    ) -> Result<ChatThread, StoreError>;
}
