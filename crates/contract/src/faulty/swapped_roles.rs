//! A decorator that changes data both ways, as one that encrypts does.

use async_trait::async_trait;
use chatkeep_domain::{
    Append, Appended, ChatMessage, ChatThread, ConversationRepository, Decorator, MessageEdit, MessageId,
    MessageQuery, MessageSearch, Page, Role, Scope, SearchPage, SearchQuery, StoreError, ThreadAppend,
    ThreadId, ThreadQuery,
};

use crate::faulty::{Answer, Fault};
use crate::fixture::Repo;
use crate::fixture::search::searching;

/// Stores what users say as what assistants say, and the other way round, and swaps the two back in every answer. It is a
/// right store: nobody can tell from outside.
#[derive(Debug)]
pub struct SwappedRoles {
    inner: Repo,
    fault: Option<Fault>,
}

impl SwappedRoles {
    /// Around a store whose messages were all stored through such a decorator.
    pub fn new(inner: Repo) -> Self {
        Self { inner, fault: None }
    }

    pub(super) fn with_fault(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault: Some(fault) }
    }
}

fn swap(role: &mut Role) {
    *role = match *role {
        Role::User => Role::Assistant,
        Role::Assistant => Role::User,
        other => other,
    };
}

fn swapped(mut message: ChatMessage) -> ChatMessage {
    swap(&mut message.sender_role);
    message
}

fn all_swapped(messages: Vec<ChatMessage>) -> Vec<ChatMessage> {
    messages.into_iter().map(swapped).collect()
}

fn appended_swapped(mut appended: Appended) -> Appended {
    appended.messages = all_swapped(appended.messages);
    appended
}

fn swapped_append(mut append: Append) -> Append {
    append.messages.iter_mut().for_each(|message| swap(&mut message.sender_role));
    append
}

#[async_trait]
impl Decorator for SwappedRoles {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    fn search(&self) -> Option<&dyn MessageSearch> {
        match self.fault {
            Some(Fault::HandsOutTheInnerSearch) => self.inner.search(),
            _ => self.inner.search().is_some().then_some(self as _),
        }
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Answer {
        self.inner.append(scope, thread, swapped_append(append)).await.map(appended_swapped)
    }

    async fn append_each(&self, mut appends: Vec<ThreadAppend>) -> Vec<Answer> {
        if self.fault == Some(Fault::ChangesAppendAlone) {
            return self.inner.append_each(appends).await;
        }
        for it in &mut appends {
            it.append = swapped_append(std::mem::take(&mut it.append));
        }
        let answers = self.inner.append_each(appends).await.into_iter();
        answers.map(|answer| answer.map(appended_swapped)).collect()
    }

    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        self.inner.get_message(scope, thread, id).await.map(swapped)
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        let mut query = query.clone();
        query.filter.roles.iter_mut().for_each(swap);
        let mut page = self.inner.list_messages(scope, thread, &query).await?;
        page.items = all_swapped(page.items);
        Ok(page)
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        let mut page = self.inner.list_threads(scope, query).await?;
        for preview in page.items.iter_mut().filter_map(|thread| thread.preview.as_mut()) {
            preview.last_message = preview.last_message.take().map(swapped);
        }
        Ok(page)
    }

    read_by_lists!();

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        self.inner.edit_message(scope, thread, id, edit).await.map(swapped)
    }

    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        let mut query = query.clone();
        query.filter.roles.iter_mut().for_each(swap);
        let mut page = searching(&self.inner).search_messages(scope, &query).await?;
        page.items.iter_mut().for_each(|hit| swap(&mut hit.message.sender_role));
        Ok(page)
    }
}
