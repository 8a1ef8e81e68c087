//! The end of a branch goes, a few messages at a time: the newest first, so that what stays is whole whenever it ends early.
//! A removal that fails on its way has taken out what it has, and goes on when it comes again.

use chatkeep_domain::{Branch, BranchId, Entity, Position, Removal, RequestId, Scope, StoreError, ThreadId};
use rusqlite::Connection;

use crate::error::{Answer, Failure, Result};
use crate::in_thread::{Found, InThread};
use crate::index;
use crate::row;
use crate::store::SqliteRepository;
use crate::stored;

/// How many messages go with a write: the others write in between.
const STEP: usize = 100;

const LAST: &str = "
    SELECT key, pending FROM chat_message
    WHERE thread = ?1 AND branch = ?2 AND position > ?3 AND position <= ?4
    ORDER BY position DESC LIMIT ?5";

/// Those that may start in a branch have greater numbers.
const PATHS: &str = "SELECT branch, path FROM chat_branch WHERE thread = ?1 AND branch > ?2";

const DELETE: &str = "DELETE FROM chat_branch WHERE thread = ?1 AND branch = ?2";

const DEACTIVATE: &str = "
    UPDATE chat_thread
    SET active_branch = COALESCE((SELECT branch FROM chat_branch WHERE thread = ?1 AND branch = ?3), 0)
    WHERE key = ?1 AND active_branch = ?2";

/// What is to go of a branch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) branch: BranchId,
    /// All behind this position; without it the branch itself, with all of its own.
    pub(crate) after: Option<Position>,
}

/// How far a removal is after a step that was committed.
#[derive(Debug, Clone)]
struct Progress {
    /// The thread as it was, and the request of its branch: others may have got the ids since.
    thread: Found,
    branch: Option<RequestId>,
    /// Branches from this one on are not known to show nothing of what goes.
    unchecked: BranchId,
    /// What is appended after the call began stays, unless the branch itself goes.
    through: Option<Position>,
    removed: u64,
    is_done: bool,
}

/// While a removal is under way, merging of the search index stays off.
struct Removing<'a>(&'a SqliteRepository);

impl<'a> Removing<'a> {
    fn begin(store: &'a SqliteRepository) -> Self {
        store.backlog().begin_removal();
        Self(store)
    }
}

impl Drop for Removing<'_> {
    fn drop(&mut self) {
        self.0.backlog().end_removal();
        self.0.wake();
    }
}

impl SqliteRepository {
    /// Removes the end of a branch; gives the number of messages.
    pub(crate) async fn remove_end(
        &self,
        scope: &Scope,
        thread: ThreadId,
        end: End,
        mut removal: Removal,
    ) -> Answer<u64> {
        let first = self.in_thread(scope, thread, move |found| found.begin_removal(end, removal));
        let mut progress = self.write_step(first, |progress| progress.is_done).await?;
        if progress.is_done {
            return Ok(progress.removed);
        }
        let _removing = Removing::begin(self);
        removal.expect_version = None;
        while !progress.is_done {
            let (context, scope, before) = (self.context(), scope.clone(), progress);
            let step = move |connection: &Connection| {
                let done = Progress { is_done: true, ..before.clone() };
                match InThread::find(connection, &context, &scope, thread) {
                    // Somebody deleted the rest.
                    Err(Failure::Store(error)) if error.is_not_found() => Ok(done),
                    found => found?.go_on_removing(end, removal, &before).map(|next| next.unwrap_or(done)),
                }
            };
            let step = self.write_step(step, |progress| progress.is_done).await;
            // What is gone is gone, whatever this step says of itself.
            progress = step.map_err(StoreError::after_a_write)?;
        }
        Ok(progress.removed)
    }
}

impl InThread<'_> {
    fn begin_removal(&self, end: End, removal: Removal) -> Result<Progress> {
        let branch = self.branch_to_cut(end)?;
        let before = Progress {
            thread: self.thread.clone(),
            branch: branch.and_then(|branch| branch.request),
            unchecked: end.branch.next(),
            through: end.after.map(|_| self.thread.allotted),
            removed: 0,
            is_done: false,
        };
        self.remove_some(end, removal, &before)
    }

    /// `None`: what was to go is gone, and others have got its ids.
    fn go_on_removing(&self, end: End, removal: Removal, before: &Progress) -> Result<Option<Progress>> {
        // With another key the thread was cleared, if it is still the same: nothing is left of what was to be truncated.
        let is_cleared = end.after.is_some() && self.thread.key != before.thread.key;
        if is_cleared || !self.thread.can_be(&before.thread) {
            return Ok(None);
        }
        let branch = match self.branch_to_cut(end) {
            Err(Failure::Store(error)) if error.is_not_found() => return Ok(None),
            branch => branch?,
        };
        if branch.and_then(|branch| branch.request) != before.branch {
            return Ok(None);
        }
        self.remove_some(end, removal, before).map(Some)
    }

    /// The branch that is meant; the main one is not looked at. Fails where that may not be done to it.
    fn branch_to_cut(&self, End { branch: id, after }: End) -> Result<Option<Branch>> {
        match after {
            None => Ok(Some(self.other_branch(id)?)),
            Some(_) if id.is_main() => Ok(None),
            Some(after) => {
                let branch = self.branch(id)?;
                branch.check_truncation(after)?;
                Ok(Some(branch))
            }
        }
    }

    fn remove_some(&self, end: End, removal: Removal, before: &Progress) -> Result<Progress> {
        let mut rows = self.last_rows(end, before.through)?;
        let is_done = rows.len() <= STEP;
        rows.truncate(STEP);
        let unchecked = self.thread.next_branch;
        let removed = before.removed + rows.len() as u64;
        let thread = self.thread.clone();
        let progress = Progress { thread, unchecked, removed, is_done, ..before.clone() };
        if rows.is_empty() && end.after.is_some() {
            return Ok(progress);
        }
        self.check_unused(end, before.unchecked)?;
        self.thread.check_expected(removal.expect_version)?;
        if !is_done {
            index::set_merging(self.connection, false)?;
            self.context.backlog.note_deletion();
        }
        stored::delete(self.connection, &rows)?;
        if is_done && end.after.is_none() {
            self.delete_branch_row(end.branch)?;
        }
        self.touch(removal.at, i64::try_from(rows.len()).unwrap_or(i64::MAX))?;
        Ok(progress)
    }

    /// The thread is on the branch that it started from, where it was on this one.
    fn delete_branch_row(&self, id: BranchId) -> Result<()> {
        let parent = self.branch(id)?.from.map(|from| from.branch.get());
        self.connection.prepare_cached(DELETE)?.execute((self.thread.key, id.get()))?;
        self.connection.prepare_cached(DEACTIVATE)?.execute((self.thread.key, id.get(), parent))?;
        Ok(())
    }

    /// The last messages of a branch's own, one more than a step takes: their keys, and whether they are in the index.
    fn last_rows(&self, end: End, through: Option<Position>) -> Result<Vec<(i64, bool)>> {
        let mut statement = self.connection.prepare_cached(LAST)?;
        let after = end.after.unwrap_or(Position::ZERO).get();
        let through = through.map_or(i64::MAX, Position::get);
        let values = (self.thread.key, end.branch.get(), after, through, STEP + 1);
        Ok(statement.query_map(values, stored::key)?.collect::<rusqlite::Result<_>>()?)
    }

    /// Fails where another branch shows some of what is to go. Only those from a number on are looked at.
    fn check_unused(&self, End { branch: id, after }: End, unchecked: BranchId) -> Result<()> {
        if unchecked >= self.thread.next_branch {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(PATHS)?;
        let mut rows = statement.query((self.thread.key, unchecked.get().saturating_sub(1)))?;
        while let Some(row) = rows.next()? {
            let path = row::path(row, 1).map_err(|error| row::corrupt_branch(row, error))?;
            if path.shares(id).is_some_and(|through| Some(through) > after) {
                return Err(StoreError::in_use(Entity::Branch, id, BranchId::new(row.get(0)?)).into());
            }
        }
        Ok(())
    }
}
