//! Faults of tenants: a scope that reaches too far, or tells too much.

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatMessage, ChatThread, ConversationRepository, Decorator, Entity, MessageEdit, MessageId,
    MessageQuery, MessageRevision, NewThread, Page, Removal, Scope, SearchPage, SearchQuery, StoreError,
    ThreadAppend, ThreadId, ThreadQuery, ThreadUpdate, UserId, Version,
};

use crate::faulty::{Answer, Fault, append_in_turn};
use crate::fixture::Repo;
use crate::fixture::search::searching;

#[derive(Debug)]
pub(super) struct Scopes {
    inner: Repo,
    fault: Fault,
}

/// What a call does.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Read,
    Write,
    Search,
}

impl Scopes {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault }
    }

    /// The scope that is handed on in place of the caller's.
    fn widened(&self, scope: &Scope, does: Does) -> Scope {
        let reaches_colleagues = match self.fault {
            Fault::LeaksToColleagues => does == Does::Read,
            Fault::LetsColleaguesWrite => does == Does::Write,
            Fault::FindsForColleagues => does == Does::Search,
            _ => false,
        };
        match (scope.org_id(), scope.user_id()) {
            (Some(org), _) if reaches_colleagues => Scope::org(org.clone()),
            (Some(org), Some(user)) => Scope::user(org.clone(), self.folded(user.clone())),
            _ => scope.clone(),
        }
    }

    fn folded(&self, user: UserId) -> UserId {
        match self.fault {
            Fault::FoldsCase => UserId::new(user.as_str().to_lowercase()).unwrap_or(user),
            _ => user,
        }
    }

    fn reading(&self, scope: &Scope) -> Scope {
        self.widened(scope, Does::Read)
    }

    fn writing(&self, scope: &Scope) -> Scope {
        self.widened(scope, Does::Write)
    }
}

#[async_trait]
impl Decorator for Scopes {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    async fn create_thread(&self, scope: &Scope, mut new: NewThread) -> Result<ChatThread, StoreError> {
        new.user_id = self.folded(new.user_id);
        self.inner.create_thread(&self.writing(scope), new).await
    }

    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError> {
        let found = self.inner.get_thread(&self.reading(scope), id).await;
        if self.fault == Fault::TellsHiddenFromAbsent
            && found.is_err()
            && self.inner.get_thread(&Scope::operator(), id).await.is_ok()
        {
            return Err(StoreError::already_exists(Entity::Thread, id));
        }
        found
    }

    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        self.inner.update_thread(&self.writing(scope), id, update).await
    }

    async fn delete_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        expect_version: Option<Version>,
    ) -> Result<u64, StoreError> {
        let scope = match self.fault {
            Fault::DeletesAcrossOrganizations => Scope::operator(),
            _ => self.writing(scope),
        };
        self.inner.delete_thread(&scope, id, expect_version).await
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        self.inner.list_threads(&self.reading(scope), query).await
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Answer {
        self.inner.append(&self.writing(scope), thread, append).await
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Answer> {
        append_in_turn(self, appends).await
    }

    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        self.inner.get_message(&self.reading(scope), thread, id).await
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        self.inner.list_messages(&self.reading(scope), thread, query).await
    }

    read_by_lists!();

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        self.inner.edit_message(&self.writing(scope), thread, id, edit).await
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        self.inner.list_revisions(&self.reading(scope), thread, id).await
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        removal: Removal,
    ) -> Result<(), StoreError> {
        self.inner.delete_message(&self.writing(scope), thread, id, removal).await
    }

    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        self.inner.clear_messages(&self.writing(scope), thread, removal).await
    }

    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        searching(&self.inner).search_messages(&self.widened(scope, Does::Search), query).await
    }
}
