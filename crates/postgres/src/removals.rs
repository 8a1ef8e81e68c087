//! What takes many messages out: clears, and removals of branches.
//!
//! Messages go the last ones first, some with each transaction, so that nobody who writes in the thread waits for all of them.
//! What is left at any time is what a truncation would have left. A removal that fails on its way has taken out what it
//! has, and goes on when it comes again.

use std::time::Duration;

use chatkeep_domain::{BranchId, Entity, Expected, Position, Removal, Scope, StoreError, ThreadId};
use sea_orm::{ConnectionTrait, TransactionSession as _};
use tokio::time::{Instant, sleep};

use crate::branches::number;
use crate::connection::Connections;
use crate::error::Failure;
use crate::row;
use crate::sql::Sql;
use crate::statements::{DELETE_BRANCH, REMOVE, USED_BY};
use crate::store::PostgresRepository;
use crate::threads::{LockedThread, Target};

/// How many messages go with a transaction.
const STEP: i64 = 2_000;

/// The longest that others are left alone with the thread between two transactions. It is as long as one took: who waits for the
/// thread's lock may wake up too late to get it otherwise.
const PAUSE: Duration = Duration::from_millis(20);

/// What goes.
#[derive(Debug, Clone, Copy)]
enum What {
    /// The messages of all branches.
    Messages,
    /// A branch with the messages of its own.
    Branch(BranchId),
    /// The messages of a branch's own behind a position.
    Behind(BranchId, Position),
}

/// How far a removal is.
#[derive(Debug, Clone, Copy)]
struct Progress {
    removed: u64,
    /// What comes later stays; known from the first step on.
    through: Option<i64>,
    /// Behind this position of this branch all is gone, unless it came since.
    ahead: Option<(i32, i64)>,
    is_done: bool,
}

impl<C: Connections> PostgresRepository<C> {
    /// A thread without messages has nothing to clear: that is no write.
    pub(crate) async fn clear(
        &self,
        scope: &Scope,
        thread: ThreadId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        self.remove(scope, thread, What::Messages, removal).await
    }

    pub(crate) async fn remove_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        self.remove(scope, thread, What::Branch(branch), removal).await
    }

    pub(crate) async fn truncate(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        after: Position,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        self.remove(scope, thread, What::Behind(branch, after), removal).await
    }

    async fn remove(
        &self,
        scope: &Scope,
        thread: ThreadId,
        what: What,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        let target = self.writes(self.target(scope, thread)).await?;
        let mut progress = Progress { removed: 0, through: None, ahead: None, is_done: false };
        loop {
            let begun = Instant::now();
            progress = self.writes(self.step(&target, what, removal, progress)).await?;
            if progress.is_done {
                return Ok(progress.removed);
            }
            sleep(begun.elapsed().min(PAUSE)).await;
        }
    }

    /// Takes out the next messages.
    async fn step(
        &self,
        target: &Target,
        what: What,
        removal: Removal,
        before: Progress,
    ) -> Result<Progress, Failure> {
        let transaction = self.connections.begin().await?;
        let locked = self.lock_thread(&transaction, target).await?;
        let is_first = before.through.is_none();
        let through = before.through.unwrap_or(locked.next_position - 1);
        let is_there = match self.is_there(&transaction, target, &locked, what).await {
            // Another call took the branch meanwhile.
            Err(Failure::Store(error)) if error.is_not_found() && !is_first => false,
            is_there => is_there?,
        };
        if !is_there {
            return Ok(Progress { is_done: true, ..before });
        }
        if is_first {
            StoreError::unless_expected(Expected::Version, removal.expect_version, locked.version)?;
        }
        // A branch that goes leaves nothing behind, however late it came.
        let ((first, last), after, through) = match what {
            What::Messages => ((0, i32::MAX), 0, through),
            What::Branch(branch) => ((number(branch), number(branch)), 0, i64::MAX),
            What::Behind(branch, after) => ((number(branch), number(branch)), after.get(), through),
        };
        let (last, position) = before.ahead.unwrap_or((last, i64::MAX));
        let mut values = target.key();
        values.extend([first.into(), after.into(), last.into(), position.into(), through.into()]);
        values.extend([STEP.into(), removal.at.into()]);
        let row = Sql::constant(REMOVE, values).row(&transaction).await?.ok_or_else(|| target.not_found())?;
        let count: i64 = row::value(&row, 0)?;
        let ahead = match row::value::<Option<i32>>(&row, 1)? {
            Some(branch) => Some((branch, row::value::<i64>(&row, 2)? - 1)),
            None => None,
        };
        // A long branch is looked at once more, from its end, for what came meanwhile.
        let is_seen = before.ahead.is_none() || !matches!(what, What::Branch(_));
        let is_done = ahead.is_none() && is_seen;
        if let (What::Branch(branch), true) = (what, is_done) {
            let mut values = target.key();
            values.extend([number(branch).into(), removal.at.into(), i64::from(count == 0).into()]);
            Sql::constant(DELETE_BRANCH, values).execute(&transaction).await?;
        }
        transaction.commit().await?;
        let removed = before.removed + count.unsigned_abs();
        Ok(Progress { removed, through: Some(through), ahead, is_done })
    }

    /// Whether there is something to take out. Fails where that may not be.
    async fn is_there(
        &self,
        on: &impl ConnectionTrait,
        target: &Target,
        locked: &LockedThread,
        what: What,
    ) -> Result<bool, Failure> {
        match what {
            What::Messages => Ok(locked.message_count > 0),
            What::Branch(id) => {
                id.require_other().map_err(StoreError::from)?;
                self.read_branch(on, target, locked, id).await?;
                check_unused(on, target, id, Position::ZERO).await?;
                Ok(true)
            }
            What::Behind(id, after) => {
                let branch = self.read_branch(on, target, locked, id).await?;
                branch.check_truncation(after).map_err(StoreError::from)?;
                let sql = target.messages_of(Sql::new("SELECT 1 FROM chat_message WHERE "), id);
                let sql = sql.bind(" AND position > ", after.get()).text(" LIMIT 1");
                let is_there = sql.row(on).await?.is_some();
                if is_there {
                    check_unused(on, target, id, after).await?;
                }
                Ok(is_there)
            }
        }
    }
}

/// Fails where another branch shows something of a branch's own part behind a position.
async fn check_unused(
    on: &impl ConnectionTrait,
    target: &Target,
    id: BranchId,
    after: Position,
) -> Result<(), Failure> {
    let mut values = target.key();
    values.extend([number(id).into(), after.get().into()]);
    match Sql::constant(USED_BY, values).row(on).await? {
        Some(row) => {
            let by = row::branch_id(row::value(&row, 0)?)?;
            Err(StoreError::in_use(Entity::Branch, id, by).into())
        }
        None => Ok(()),
    }
}
