//! What takes many messages out: clears, and removals of branches.
//!
//! Messages go the last ones first, some with each transaction, so that nobody who writes in the thread waits for all of them.
//! What is left at any time is what a truncation would have left. A removal that fails on its way has taken out what it
//! has, and goes on when it comes again.

use std::time::Duration;

use chatkeep_domain::{
    Branch, BranchId, Entity, Expected, Position, Removal, RequestId, Scope, StoreError, ThreadId, Timestamp,
    Version,
};
use sea_orm::{ConnectionTrait, TransactionSession as _};
use tokio::time::{Instant, sleep};

use crate::connection::Connections;
use crate::error::Failure;
use crate::row;
use crate::sql::Sql;
use crate::statements::{DELETE_BRANCH, REMOVE, USED_BY};
use crate::store::PostgresRepository;
use crate::target::{LockedThread, Target};

/// How many messages go with a transaction.
const STEP: i64 = 2_000;

/// The longest that others are left alone with the thread between two transactions. It is as long as one took: who waits for the
/// thread's lock may wake up too late to get it otherwise.
const PAUSE: Duration = Duration::from_millis(20);

/// What goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    /// The messages of all branches.
    Messages,
    /// A branch with the messages of its own.
    Branch(BranchId),
    /// The messages of a branch's own behind a position.
    Behind(BranchId, Position),
}

impl What {
    fn branch(self) -> Option<BranchId> {
        match self {
            Self::Messages => None,
            Self::Branch(branch) | Self::Behind(branch, _) => Some(branch),
        }
    }
}

/// How far a removal is after a step that was committed.
#[derive(Debug, Clone)]
struct Progress {
    removed: u64,
    /// What comes later stays.
    through: i64,
    /// Behind this position of this branch all is gone, unless it came since.
    ahead: Option<(i32, i64)>,
    /// Branches from this number on are not known to show nothing of what goes.
    unchecked: i32,
    /// The thread as it was, and the request of its branch: others may have got the ids since.
    thread: Identity,
    branch: Option<RequestId>,
    is_done: bool,
}

/// What tells a thread from one that was made with its id after it was deleted: its user, when it was created, and that its
/// version and its positions go up.
#[derive(Debug, Clone)]
struct Identity {
    user: String,
    created_at: Timestamp,
    version: Version,
    next_position: i64,
}

impl Identity {
    fn of(locked: &LockedThread) -> Self {
        let LockedThread { created_at, version, next_position, .. } = *locked;
        Self { user: locked.user.clone(), created_at, version, next_position }
    }

    fn is_of(&self, locked: &LockedThread) -> bool {
        (&self.user, self.created_at) == (&locked.user, locked.created_at)
            && self.version <= locked.version
            && self.next_position <= locked.next_position
    }
}

impl<C: Connections> PostgresRepository<C> {
    /// Takes messages out; gives their number.
    pub(crate) async fn remove(
        &self,
        scope: &Scope,
        thread: ThreadId,
        what: What,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        let target = self.writes(self.target(scope, thread)).await?;
        let mut begun = Instant::now();
        let Some(mut progress) = self.writes(self.first_step(&target, what, removal)).await? else {
            return Ok(0);
        };
        while !progress.is_done {
            sleep(begun.elapsed().min(PAUSE)).await;
            begun = Instant::now();
            // What is gone is gone, whatever this step says of itself.
            let step = self.writes(self.next_step(&target, what, removal, &progress)).await;
            progress = step.map_err(StoreError::after_a_write)?;
        }
        Ok(progress.removed)
    }

    /// `None`: there is nothing to take out.
    async fn first_step(
        &self,
        target: &Target,
        what: What,
        removal: Removal,
    ) -> Result<Option<Progress>, Failure> {
        let transaction = self.connections.begin().await?;
        let locked = self.lock_thread(&transaction, target).await?;
        let branch = self.find_branch(&transaction, target, &locked, what).await?;
        if let (What::Messages, 0) = (what, locked.message_count) {
            return Ok(None);
        }
        let before = Progress {
            removed: 0,
            through: locked.next_position - 1,
            ahead: None,
            unchecked: 0,
            thread: Identity::of(&locked),
            branch: branch.and_then(|branch| branch.request),
            is_done: false,
        };
        let progress = remove_some(&transaction, target, &locked, (what, removal), &before).await?;
        if progress.removed == 0 && !matches!(what, What::Branch(_)) {
            return Ok(None);
        }
        StoreError::unless_expected(Expected::Version, removal.expect_version, locked.version)?;
        transaction.commit().await?;
        Ok(Some(progress))
    }

    async fn next_step(
        &self,
        target: &Target,
        what: What,
        removal: Removal,
        before: &Progress,
    ) -> Result<Progress, Failure> {
        let done = Progress { is_done: true, ..before.clone() };
        let transaction = self.connections.begin().await?;
        let locked = match self.lock_thread(&transaction, target).await {
            // Somebody deleted the rest.
            Err(Failure::Store(error)) if error.is_not_found() => return Ok(done),
            locked => locked?,
        };
        if !before.thread.is_of(&locked) {
            return Ok(done);
        }
        let branch = match self.find_branch(&transaction, target, &locked, what).await {
            Err(Failure::Store(error)) if error.is_not_found() => return Ok(done),
            branch => branch?,
        };
        if branch.and_then(|branch| branch.request) != before.branch {
            return Ok(done);
        }
        let progress = remove_some(&transaction, target, &locked, (what, removal), before).await?;
        transaction.commit().await?;
        Ok(progress)
    }

    /// The branch that is meant. Fails where there is none, or where that may not be done to it.
    async fn find_branch(
        &self,
        on: &impl ConnectionTrait,
        target: &Target,
        locked: &LockedThread,
        what: What,
    ) -> Result<Option<Branch>, Failure> {
        let Some(id) = what.branch() else { return Ok(None) };
        if matches!(what, What::Branch(_)) {
            id.require_other().map_err(StoreError::from)?;
        }
        let branch = self.read_branch(on, target, locked, id).await?;
        if let What::Behind(_, after) = what {
            branch.check_truncation(after).map_err(StoreError::from)?;
        }
        Ok(Some(branch))
    }
}

/// Takes out the next messages of a thread that is locked. Fails where another branch shows some of them.
async fn remove_some(
    on: &impl ConnectionTrait,
    target: &Target,
    locked: &LockedThread,
    (what, removal): (What, Removal),
    before: &Progress,
) -> Result<Progress, Failure> {
    let number = what.branch().map(row::branch_number);
    let (first, last) = number.map_or((0, i32::MAX), |number| (number, number));
    let (after, through) = match what {
        What::Messages => (Position::ZERO, before.through),
        What::Behind(_, after) => (after, before.through),
        // A branch that goes leaves nothing behind, however late it came.
        What::Branch(_) => (Position::ZERO, i64::MAX),
    };
    let goes = matches!(what, What::Branch(_));
    let is_unchecked = before.unchecked < locked.next_branch;
    if let (What::Branch(id), true) = (what, is_unchecked) {
        check_unused(on, target, id, after).await?;
    }
    let (last, position) = before.ahead.unwrap_or((last, i64::MAX));
    let mut values = target.key();
    values.extend([first.into(), after.get().into(), last.into(), position.into(), through.into()]);
    values.extend([STEP.into(), removal.at.into()]);
    let row = Sql::constant(REMOVE, values).row(on).await?.ok_or_else(|| target.not_found())?;
    let count: i64 = row::value(&row, 0)?;
    let ahead = match row::value::<Option<i32>>(&row, 1)? {
        Some(branch) => Some((branch, row::value::<i64>(&row, 2)? - 1)),
        None => None,
    };
    if let (What::Behind(id, after), true) = (what, count > 0 && is_unchecked) {
        check_unused(on, target, id, after).await?;
    }
    // A long branch is looked at once more, from its end, for what came meanwhile.
    let is_done = ahead.is_none() && (before.ahead.is_none() || !goes);
    if let (Some(number), true) = (number, goes && is_done) {
        let mut values = target.key();
        values.extend([number.into(), removal.at.into(), i64::from(count == 0).into()]);
        Sql::constant(DELETE_BRANCH, values).execute(on).await?;
    }
    let removed = before.removed + count.unsigned_abs();
    let (unchecked, thread) = (locked.next_branch, Identity::of(locked));
    Ok(Progress { removed, ahead, unchecked, thread, is_done, ..before.clone() })
}

/// Fails where another branch shows something of a branch's own part behind a position.
async fn check_unused(
    on: &impl ConnectionTrait,
    target: &Target,
    id: BranchId,
    after: Position,
) -> Result<(), Failure> {
    let mut values = target.key();
    values.extend([row::branch_number(id).into(), after.get().into()]);
    match Sql::constant(USED_BY, values).row(on).await? {
        Some(row) => {
            let by = row::branch_id(row::value(&row, 0)?)?;
            Err(StoreError::in_use(Entity::Branch, id, by).into())
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_was_made_anew_is_another_one() {
        let of = |user: &str, created_at: i64, version, next_position| LockedThread {
            head: Position::ZERO,
            user: user.to_owned(),
            version: Version::new(version).unwrap(),
            message_count: 0,
            next_position,
            next_branch: 1,
            created_at: Timestamp::from_timestamp(created_at, 0).unwrap(),
        };
        let locked = |created_at, version, next_position| of("ada", created_at, version, next_position);
        let first = Identity::of(&locked(7, 70, 10));
        for (later, is_same) in [
            (locked(7, 70, 10), true),
            (locked(7, 75, 12), true),
            (locked(8, 75, 12), false),
            (locked(7, 69, 12), false),
            (locked(7, 75, 9), false),
            (of("bob", 7, 75, 12), false),
        ] {
            assert_eq!(first.is_of(&later), is_same);
        }
    }
}
