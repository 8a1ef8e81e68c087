//! Faults of branches and forks.

use async_trait::async_trait;
use chatkeep_domain::{
    Append, Appended, Branch, BranchId, BranchRepository, ChatMessage, ChatThread, ConversationRepository,
    Decorator, Expected, Fork, IdGenerator as _, MessageQuery, MessageRevision, NewBranch, Page, Position,
    Removal, Scope, SearchPage, SearchQuery, StoreError, ThreadAppend, ThreadId, ThreadQuery, ThreadUpdate,
    UuidV7Generator, Version,
};

use crate::faulty::{Answer, Fault, GAP, append_in_turn};
use crate::fixture::Repo;
use crate::fixture::branches::branching;
use crate::fixture::search::searching;

#[derive(Debug)]
pub(super) struct Branches {
    inner: Repo,
    fault: Fault,
}

impl Branches {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault }
    }

    fn branching(&self) -> &dyn BranchRepository {
        branching(&self.inner)
    }

    async fn stored(&self, scope: &Scope, thread: ThreadId, id: BranchId) -> Result<Branch, StoreError> {
        let branches = self.branching().list_branches(scope, thread).await?;
        branches.into_iter().find(|branch| branch.id == id).ok_or_else(|| StoreError::branch_not_found(id))
    }

    /// Deletes whatever stands on a branch, if it is allowed to by the version.
    async fn delete_users(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        removal: Removal,
    ) -> Result<(), StoreError> {
        let branches = self.branching().list_branches(scope, thread).await?;
        for user in branches.iter().rev().filter(|other| other.path.shares(branch).is_some()) {
            self.branching().delete_branch(scope, thread, user.id, removal).await?;
        }
        Ok(())
    }

    async fn compare(&self, scope: &Scope, thread: ThreadId, append: &mut Append) -> Result<(), StoreError> {
        let of = if self.fault == Fault::ComparesTheHeadOfMain { BranchId::MAIN } else { append.branch };
        let actual = self.stored(scope, thread, of).await?.head;
        StoreError::unless_expected(Expected::Head, append.expect_head.take(), actual)
    }
}

#[async_trait]
impl Decorator for Branches {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, mut append: Append) -> Answer {
        match self.fault {
            Fault::AppendsToMain => append.branch = BranchId::MAIN,
            Fault::ComparesTheHeadOfMain => self.compare(scope, thread, &mut append).await?,
            Fault::ComparesThenAppendsToBranches => {
                self.compare(scope, thread, &mut append).await?;
                tokio::time::sleep(GAP).await;
            }
            _ => {}
        }
        let (ids, branch) =
            (append.messages.iter().map(|message| message.id).collect::<Vec<_>>(), append.branch);
        match self.inner.append(scope, thread, append).await {
            Err(StoreError::InvalidArgument(error))
                if error.field == "messages" && self.fault == Fault::AcceptsIdsOfOtherBranches =>
            {
                let mut held = Vec::new();
                for id in ids {
                    held.extend(self.inner.get_message(scope, thread, id).await);
                }
                let version = self.inner.get_thread(scope, thread).await?.version;
                Ok(Appended::new(held, self.stored(scope, thread, branch).await?.head, version))
            }
            answer => answer,
        }
    }

    async fn delete_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        expect_version: Option<Version>,
    ) -> Result<u64, StoreError> {
        if self.fault == Fault::ForksDieWithTheirOrigin {
            let forks = ThreadQuery::default().forked_from(id);
            for fork in self.inner.list_threads(scope, &forks).await?.items {
                self.inner.delete_thread(scope, fork.id, None).await?;
            }
        }
        self.inner.delete_thread(scope, id, expect_version).await
    }

    async fn list_branches(&self, scope: &Scope, thread: ThreadId) -> Result<Vec<Branch>, StoreError> {
        let mut branches = self.branching().list_branches(scope, thread).await?;
        if self.fault == Fault::LowersTheHead {
            for branch in &mut branches {
                let last = MessageQuery::newest(1).branch(branch.id);
                let last = self.inner.list_messages(scope, thread, &last).await?.items.pop();
                branch.head = last.map_or(Position::ZERO, |last| last.position);
            }
        }
        Ok(branches)
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Answer> {
        append_in_turn(self, appends).await
    }

    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        mut update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        let active = update.active_branch;
        if self.fault == Fault::ForgetsTheActiveBranch {
            update.active_branch = None;
        }
        let mut thread = self.inner.update_thread(scope, id, update).await?;
        thread.active_branch = active.unwrap_or(thread.active_branch);
        Ok(thread)
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        match self.fault {
            Fault::SharesCursors if query.validate(thread).is_err_and(|error| error.field == "cursor") => {
                let mut others = query.clone();
                for number in 0..10 {
                    others.branch = BranchId::new(number);
                    if let Ok((after, before)) = others.validate(thread) {
                        let mut query = query.clone();
                        (query.cursor, query.after, query.before) = (None, Some(after), before);
                        return self.inner.list_messages(scope, thread, &query).await;
                    }
                }
                self.inner.list_messages(scope, thread, query).await
            }
            Fault::ShowsMainForAbsentBranches => {
                let mut query = query.clone();
                if self.stored(scope, thread, query.branch).await.is_err() {
                    query.branch = BranchId::MAIN;
                }
                self.inner.list_messages(scope, thread, &query).await
            }
            Fault::ShowsAllOfTheParent => {
                let mut page = self.inner.list_messages(scope, thread, query).await?;
                let branch = self.stored(scope, thread, query.branch).await?;
                let Some(from) = branch.from else { return Ok(page) };
                let mut parent = query.clone().after(from.through);
                (parent.branch, parent.cursor) = (from.branch, None);
                page.items.extend(self.inner.list_messages(scope, thread, &parent).await?.items);
                page.items.sort_by_key(|message| message.position);
                Ok(page)
            }
            _ => self.inner.list_messages(scope, thread, query).await,
        }
    }

    read_by_lists!();

    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        if self.fault == Fault::ClearsMainAlone {
            return self
                .branching()
                .truncate_branch(scope, thread, BranchId::MAIN, Position::ZERO, removal)
                .await;
        }
        self.inner.clear_messages(scope, thread, removal).await
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: chatkeep_domain::MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        let mut revisions = self.inner.list_revisions(scope, thread, id).await?;
        let is_fork = self.inner.get_thread(scope, thread).await?.forked_from.is_some();
        if is_fork && self.fault == Fault::ForksWithoutRevisions {
            revisions.clear();
        }
        Ok(revisions)
    }

    async fn create_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        mut new: NewBranch,
    ) -> Result<Branch, StoreError> {
        let (request, from) = (new.request, new.from);
        if self.fault == Fault::StartsAtMessagesAlone && from.through > Position::ZERO {
            let all = MessageQuery::first(1_000).branch(from.branch);
            let shown = self.inner.list_messages(scope, thread, &all).await?.items;
            if !shown.iter().any(|message| message.position == from.through) {
                return Err(StoreError::branch_not_found(from.branch));
            }
        }
        let numbers = self.branching().list_branches(scope, thread).await;
        if self.fault == Fault::BranchesForEachRequest {
            new.request = UuidV7Generator.request_id();
            new.expect_version = None;
        }
        let mut branch = self.branching().create_branch(scope, thread, new).await?;
        branch.request = Some(request);
        if self.fault == Fault::GivesNumbersAgain {
            let is_free = |id: &BranchId| numbers.as_ref().is_ok_and(|all| all.iter().all(|it| it.id != *id));
            branch.id = (0..1_000).map(BranchId::new).find(is_free).unwrap_or(branch.id);
        }
        Ok(branch)
    }

    async fn delete_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        match self.fault {
            Fault::DeletesWhatIsInUse => self.delete_users(scope, thread, branch, removal).await?,
            Fault::DeletesWhatIsShared => {
                let shown = MessageQuery::first(1_000).branch(branch);
                for message in self.inner.list_messages(scope, thread, &shown).await?.items {
                    self.inner.delete_message(scope, thread, message.id, removal).await?;
                }
            }
            _ => {}
        }
        self.branching().delete_branch(scope, thread, branch, removal).await
    }

    async fn truncate_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        after: Position,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        if self.fault == Fault::TruncatesWhatIsInUse {
            self.delete_users(scope, thread, branch, removal).await?;
        }
        self.branching().truncate_branch(scope, thread, branch, after, removal).await
    }

    async fn fork_thread(
        &self,
        scope: &Scope,
        thread: ThreadId,
        mut fork: Fork,
    ) -> Result<ChatThread, StoreError> {
        if self.fault == Fault::ForksTwice && self.inner.get_thread(scope, fork.new.id).await.is_ok() {
            fork.new.id = UuidV7Generator.thread_id();
        }
        self.branching().fork_thread(scope, thread, fork).await
    }

    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        let mut query = query.clone();
        if self.fault == Fault::SearchesEveryBranch {
            query.branch = None;
        }
        searching(&self.inner).search_messages(scope, &query).await
    }
}
