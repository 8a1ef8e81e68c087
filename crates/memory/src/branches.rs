//! Branches and forks.

use std::sync::Arc;

use async_trait::async_trait;
use chatkeep_domain::{
    Branch, BranchId, BranchPoint, BranchRename, BranchRepository, ChatThread, ContentKey, Entity, Expected,
    Fork, NewBranch, Position, Removal, Scope, StoreError, ThreadId,
};

use crate::index::Index;
use crate::record::{Line, Record, Result, Stored};
use crate::store::MemoryRepository;

/// How many messages a fork copies while others wait.
const COPIED_AT_ONCE: usize = 10_000;

impl Record {
    fn create_branch(&mut self, new: NewBranch) -> Result<Branch> {
        let request = Some(new.request);
        if let Some(line) = self.lines.values().find(|line| line.branch.request == request) {
            return Ok(line.branch.clone());
        }
        let (at, id) = (new.at, self.next_branch);
        let parent = &self.line(new.from.branch)?.branch;
        let branch = new.into_branch(parent, id, self.allotted, (self.lines.len(), self.thread.version))?;
        self.keep_places();
        self.next_branch = id.next();
        self.lines.insert(id, Line::new(branch.clone()));
        self.touch(at);
        Ok(branch)
    }

    fn rename_branch(&mut self, id: BranchId, rename: BranchRename) -> Result<Branch> {
        let version = self.thread.version;
        let line = self.other_line(id)?;
        if line.branch.name != rename.name {
            StoreError::unless_expected(Expected::Version, rename.expect_version, version)?;
            line.branch.name = rename.name;
            self.touch(rename.at);
        }
        Ok(self.line(id)?.branch.clone())
    }

    fn delete_branch(
        &mut self,
        id: BranchId,
        removal: Removal,
        index: &mut Option<Index>,
    ) -> Result<Vec<Stored>> {
        let from = self.other_line(id)?.branch.from;
        self.check_unused(id, None)?;
        self.check_version(removal)?;
        if self.thread.active_branch == id {
            let parent = from.map(|point| point.branch).filter(|parent| self.lines.contains_key(parent));
            self.thread.active_branch = parent.unwrap_or(BranchId::MAIN);
        }
        let gone = self.lines.remove(&id).map(|line| line.messages).unwrap_or_default();
        Ok(self.removed(gone, removal, index))
    }

    fn truncate_branch(
        &mut self,
        id: BranchId,
        after: Position,
        removal: Removal,
        index: &mut Option<Index>,
    ) -> Result<Vec<Stored>> {
        let line = self.line(id)?;
        line.branch.check_truncation(after)?;
        if line.messages.last().is_none_or(|last| last.message.position <= after) {
            return Ok(Vec::new());
        }
        self.check_unused(id, Some(after))?;
        self.check_version(removal)?;
        let line = self.lines.get_mut(&id).ok_or_else(|| StoreError::branch_not_found(id))?;
        let kept = line.messages.partition_point(|stored| stored.message.position <= after);
        let gone = line.messages.split_off(kept);
        Ok(self.removed(gone, removal, index))
    }

    /// A branch that has a name and can be deleted.
    fn other_line(&mut self, id: BranchId) -> Result<&mut Line> {
        id.require_other()?;
        self.lines.get_mut(&id).ok_or_else(|| StoreError::branch_not_found(id))
    }

    /// Fails where another branch shows something of a branch's own part behind a position.
    fn check_unused(&self, id: BranchId, after: Option<Position>) -> Result<()> {
        let shares = |line: &&Line| line.branch.path.shares(id).is_some_and(|through| Some(through) > after);
        match self.lines.values().find(shares) {
            Some(line) => Err(StoreError::in_use(Entity::Branch, id, line.branch.id)),
            None => Ok(()),
        }
    }

    /// The thread of a fork, without its messages.
    fn begin_fork(&self, fork: Fork) -> Result<Self> {
        let parent = &self.line(fork.from.branch)?.branch;
        Ok(Self::new(fork.into_thread(&self.thread.org_id, parent)?))
    }

    /// Copies what comes next of what a branch shows up to a point; gives whether there was something.
    fn copy_some(&self, from: BranchPoint, fork: &mut Self) -> Result<bool> {
        let path = &self.line(from.branch)?.branch.path;
        let (thread, main) = (fork.thread.id, fork.lines.entry(BranchId::MAIN));
        let copies = &mut main.or_insert_with(|| Line::new(Branch::main(&fork.thread))).messages;
        let (count, last) =
            (copies.len(), copies.last().map_or(Position::ZERO, |last| last.message.position));
        let shown = self.between(path, last, None);
        let next = shown.take_while(|stored| stored.message.position <= from.through).take(COPIED_AT_ONCE);
        copies.extend(next.map(|stored| {
            let mut message = stored.message.clone();
            (message.chat_thread_id, message.branch) = (thread, BranchId::MAIN);
            Stored { message, edits: stored.edits.clone(), number: 0 }
        }));
        Ok(copies.len() > count)
    }
}

#[async_trait]
impl BranchRepository for MemoryRepository {
    async fn create_branch(&self, scope: &Scope, thread: ThreadId, new: NewBranch) -> Result<Branch> {
        new.validate()?;
        let org = self.org_of(scope, thread)?;
        self.state().change(scope, &org, thread, |record, _| record.create_branch(new))
    }

    async fn list_branches(&self, scope: &Scope, thread: ThreadId) -> Result<Vec<Branch>> {
        let org = self.org_of(scope, thread)?;
        let state = self.state();
        let record = state.get(scope, &org, thread)?;
        Ok(record.lines.values().map(|line| line.branch.clone()).collect())
    }

    async fn rename_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        rename: BranchRename,
    ) -> Result<Branch> {
        rename.validate()?;
        let org = self.org_of(scope, thread)?;
        self.state().change(scope, &org, thread, |record, _| record.rename_branch(branch, rename))
    }

    async fn delete_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        removal: Removal,
    ) -> Result<u64> {
        removal.validate()?;
        let org = self.org_of(scope, thread)?;
        let delete = |record: &mut Record, index: &mut _| record.delete_branch(branch, removal, index);
        let gone = self.state().change(scope, &org, thread, delete)?;
        Ok(gone.len() as u64)
    }

    async fn truncate_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        after: Position,
        removal: Removal,
    ) -> Result<u64> {
        removal.validate()?;
        let org = self.org_of(scope, thread)?;
        let truncate =
            |record: &mut Record, index: &mut _| record.truncate_branch(branch, after, removal, index);
        let gone = self.state().change(scope, &org, thread, truncate)?;
        Ok(gone.len() as u64)
    }

    /// The lock is free between the parts of a long copy.
    async fn fork_thread(&self, scope: &Scope, thread: ThreadId, fork: Fork) -> Result<ChatThread> {
        fork.validate(scope)?;
        if let Some(known) = self.state().find_fork(thread, &fork)? {
            return Ok(known);
        }
        let org = self.org_of(scope, thread)?;
        let (mut record, life) = {
            let state = self.state();
            let origin = state.get(scope, &org, thread)?;
            (origin.begin_fork(fork.clone())?, Arc::clone(&origin.life))
        };
        loop {
            let state = self.state();
            let origin = state.get(scope, &org, thread)?;
            if !Arc::ptr_eq(&origin.life, &life) {
                return Err(StoreError::thread_not_found(thread));
            }
            if !origin.copy_some(fork.from, &mut record)? {
                break;
            }
        }
        self.reseal(&mut record, thread)?;
        record.keep_places();
        let mut state = self.state();
        // Another call may have been first.
        if let Some(known) = state.find_fork(thread, &fork)? {
            return Ok(known);
        }
        Ok(state.insert(record, !self.is_without_search))
    }
}

impl MemoryRepository {
    /// Seals the contents of a copy anew: the codec may take the thread into account.
    fn reseal(&self, record: &mut Record, origin: ThreadId) -> Result<()> {
        if self.is_plain() {
            return Ok(());
        }
        let (org, copy) = (record.thread.org_id.clone(), record.thread.id);
        for Stored { message, edits, .. } in record.all_mut() {
            let (from, to) =
                (ContentKey::new(&org, origin, message.id), ContentKey::new(&org, copy, message.id));
            let contents = edits.iter_mut().map(|(_, before)| &mut before.content);
            for content in contents.chain([&mut message.content]) {
                *content = self.seal(&to, &self.open(&from, content)?)?;
            }
        }
        Ok(())
    }
}
