//! Branches.

use async_trait::async_trait;
use chatkeep_domain::{
    Branch, BranchId, BranchRename, BranchRepository, ChatThread, Entity, Fork, NewBranch, Path, Position,
    Removal, Scope, StoreError, ThreadId,
};
use rusqlite::OptionalExtension as _;

use crate::error::{Answer, Result};
use crate::in_thread::InThread;
use crate::removals::End;
use crate::row::{self, BRANCH_COLUMNS};
use crate::store::SqliteRepository;

const COUNT: &str = "SELECT COUNT(*) FROM chat_branch WHERE thread = ?1";

const INSERT: &str = "
    INSERT INTO chat_branch (thread, branch, request, name, from_branch, from_position, head, created_at, path)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

/// The thread has a branch more.
const ADD: &str = "
    UPDATE chat_thread
    SET updated_at = MAX(updated_at, ?2), next_branch = ?3, version = version + 1
    WHERE key = ?1";

const RENAME: &str = "UPDATE chat_branch SET name = ?3 WHERE thread = ?1 AND branch = ?2";

impl InThread<'_> {
    fn create_branch(&self, new: &NewBranch) -> Result<Branch> {
        if let Some(made) = self.branch_of(new)? {
            return Ok(made);
        }
        let (thread, id) = (&self.thread, self.thread.next_branch);
        let parent = self.any_branch(new.from.branch)?;
        let others: u32 = self.connection.prepare_cached(COUNT)?.query_row([thread.key], |row| row.get(0))?;
        let at = (1 + others as usize, thread.version);
        let branch = new.clone().into_branch(&parent, id, thread.allotted, at)?;
        let path = serde_json::to_string(&branch.path)
            .map_err(|_| self.context.errors.backend("a path cannot be written"))?;
        let values = (
            thread.key,
            id.get(),
            new.request.as_uuid().as_bytes(),
            &branch.name,
            new.from.branch.get(),
            new.from.through.get(),
            branch.head.get(),
            branch.created_at.timestamp_micros(),
            path,
        );
        self.connection.prepare_cached(INSERT)?.execute(values)?;
        let added = (thread.key, new.at.timestamp_micros(), id.next().get());
        self.connection.prepare_cached(ADD)?.execute(added)?;
        Ok(branch)
    }

    /// The one that the same request has made before.
    fn branch_of(&self, new: &NewBranch) -> Result<Option<Branch>> {
        let text =
            format!("SELECT {BRANCH_COLUMNS} FROM chat_branch b WHERE b.thread = ?1 AND b.request = ?2");
        let values = (self.thread.key, new.request.as_uuid().as_bytes());
        let mut statement = self.connection.prepare_cached(&text)?;
        let found = statement.query_row(values, |row| Ok(row::branch(row, self.id))).optional()?;
        Ok(found.transpose()?)
    }

    fn rename_branch(&self, id: BranchId, rename: &BranchRename) -> Result<Branch> {
        let (thread, mut branch) = (&self.thread, self.other_branch(id)?);
        if branch.name != rename.name {
            thread.check_expected(rename.expect_version)?;
            branch.name.clone_from(&rename.name);
            self.connection.prepare_cached(RENAME)?.execute((thread.key, id.get(), &branch.name))?;
            self.touch(rename.at, 0)?;
        }
        Ok(branch)
    }

    /// A branch that others may start from.
    pub(crate) fn any_branch(&self, id: BranchId) -> Result<Branch> {
        if id.is_main() {
            let created_at = row::moment_of(self.thread.created_at)
                .map_err(|error| StoreError::corrupt_row(Entity::Thread, self.id, error))?;
            return Ok(Branch::new(id, self.id, Path::main(), self.thread.head, created_at));
        }
        self.branch(id)
    }

    /// A branch that has a name and can be deleted.
    pub(crate) fn other_branch(&self, id: BranchId) -> Result<Branch> {
        id.require_other()?;
        self.branch(id)
    }
}

fn list(found: &InThread<'_>) -> Result<Vec<Branch>> {
    let mut branches = vec![found.any_branch(BranchId::MAIN)?];
    if found.thread.is_branched() {
        let text =
            format!("SELECT {BRANCH_COLUMNS} FROM chat_branch b WHERE b.thread = ?1 ORDER BY b.branch");
        let mut statement = found.connection.prepare_cached(&text)?;
        for branch in statement.query_map([found.thread.key], |row| Ok(row::branch(row, found.id)))? {
            branches.push(branch??);
        }
    }
    Ok(branches)
}

#[async_trait]
impl BranchRepository for SqliteRepository {
    async fn create_branch(&self, scope: &Scope, thread: ThreadId, new: NewBranch) -> Answer<Branch> {
        new.validate()?;
        self.write_in(scope, thread, move |found| found.create_branch(&new)).await
    }

    async fn list_branches(&self, scope: &Scope, thread: ThreadId) -> Answer<Vec<Branch>> {
        self.read_in(scope, thread, list).await
    }

    async fn rename_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        rename: BranchRename,
    ) -> Answer<Branch> {
        rename.validate()?;
        self.write_in(scope, thread, move |found| found.rename_branch(branch, &rename)).await
    }

    async fn delete_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        removal: Removal,
    ) -> Answer<u64> {
        removal.validate()?;
        self.remove_end(scope, thread, End { branch, after: None }, removal).await
    }

    async fn truncate_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        after: Position,
        removal: Removal,
    ) -> Answer<u64> {
        removal.validate()?;
        self.remove_end(scope, thread, End { branch, after: Some(after) }, removal).await
    }

    async fn fork_thread(&self, scope: &Scope, thread: ThreadId, fork: Fork) -> Answer<ChatThread> {
        fork.validate(scope)?;
        self.fork(scope, thread, fork).await
    }
}
