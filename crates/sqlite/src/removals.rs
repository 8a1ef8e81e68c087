//! The end of a branch goes, a few messages at a time: the newest first, so that what stays is whole whenever it ends early.

use chatkeep_domain::{BranchId, Entity, Position, Removal, Scope, StoreError, ThreadId};

use crate::error::{Answer, Result};
use crate::in_thread::InThread;
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

/// Where a removal is.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// Branches from this one on are not known to stand elsewhere.
    unchecked: BranchId,
    /// What is appended after the call began stays, unless the branch itself goes.
    through: Option<Position>,
    removed: u64,
    is_last: bool,
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
        let (context, mut removing) = (self.context(), None);
        let mut progress =
            Progress { unchecked: end.branch.next(), through: None, removed: 0, is_last: false };
        loop {
            let is_first = removing.is_none();
            let step = self.in_thread(scope, thread, move |found| {
                let progress = found.remove_some(end, progress, removal)?;
                if !(is_first && progress.is_last) {
                    index::set_merging(found.connection, progress.is_last)?;
                }
                Ok(progress)
            });
            progress = self.write_step(step, |progress| progress.is_last).await?;
            if progress.is_last {
                return Ok(progress.removed);
            }
            removing.get_or_insert_with(|| context.backlog.remove());
            removal.expect_version = None;
        }
    }
}

impl InThread<'_> {
    fn remove_some(&self, end: End, progress: Progress, removal: Removal) -> Result<Progress> {
        let End { branch: id, after } = end;
        let branch = match after {
            None => Some(self.other_branch(id)?),
            Some(after) if !id.is_main() => {
                let branch = self.branch(id)?;
                branch.check_truncation(after)?;
                Some(branch)
            }
            Some(_) => None,
        };
        let through = progress.through.unwrap_or(self.thread.allotted);
        let mut rows = self.last_rows(end, through)?;
        let is_last = rows.len() <= STEP;
        rows.truncate(STEP);
        let removed = progress.removed + rows.len() as u64;
        let next = Progress {
            unchecked: self.thread.next_branch,
            through: after.and(Some(through)),
            removed,
            is_last,
        };
        if rows.is_empty() && after.is_some() {
            return Ok(next);
        }
        self.check_unused(end, progress.unchecked)?;
        self.thread.check_expected(removal.expect_version)?;
        for (key, is_indexed) in &rows {
            stored::delete_row(self.connection, *key, *is_indexed)?;
        }
        if is_last && after.is_none() {
            self.connection.prepare_cached(DELETE)?.execute((self.thread.key, id.get()))?;
            let parent = branch.and_then(|branch| branch.from).map(|from| from.branch.get());
            self.connection.prepare_cached(DEACTIVATE)?.execute((self.thread.key, id.get(), parent))?;
        }
        self.touch(removal.at, i64::try_from(rows.len()).unwrap_or(i64::MAX))?;
        Ok(next)
    }

    /// The last messages of a branch's own, one more than a step takes: their keys, and whether they are in the index.
    fn last_rows(&self, end: End, through: Position) -> Result<Vec<(i64, bool)>> {
        let mut statement = self.connection.prepare_cached(LAST)?;
        let after = end.after.unwrap_or(Position::ZERO).get();
        let values = (self.thread.key, end.branch.get(), after, through.get(), STEP + 1);
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
