//! Faults that show only where a storage has two handles: each keeps something that the other one's writes do not reach.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatMessage, ChatThread, ConversationRepository, Decorator, Expected, MessageEdit, MessageId,
    MessageQuery, Page, Position, Removal, Scope, SearchPage, SearchQuery, StoreError, ThreadAppend,
    ThreadId, ThreadQuery, ThreadUpdate, Version,
};

use crate::faulty::{Answer, Fault, append_in_turn, held, rename};
use crate::fixture::Repo;
use crate::fixture::search::searching;

#[derive(Debug)]
pub(super) struct Handles {
    inner: Repo,
    fault: Fault,
    kept: Mutex<Kept>,
}

/// What one handle knows.
#[derive(Debug, Default)]
struct Kept {
    /// What was read since this handle's last write.
    read: Read,
    /// The messages that this handle appended.
    own: HashSet<MessageId>,
    /// The heads as this handle left them.
    heads: HashMap<ThreadId, Position>,
}

#[derive(Debug, Default)]
struct Read {
    threads: HashMap<ThreadId, ChatThread>,
    lists: HashMap<ThreadQuery, Page<ChatThread>>,
    messages: HashMap<MessageId, ChatMessage>,
    pages: HashMap<(ThreadId, MessageQuery), Page<ChatMessage>>,
}

impl Handles {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was read is not so any more.
    fn forget(&self) {
        self.kept().read = Read::default();
    }

    /// What was kept, where this fault keeps such things.
    fn known<T>(&self, keeps: Fault, look_up: impl FnOnce(&Kept) -> Option<T>) -> Option<T> {
        (self.fault == keeps).then(|| look_up(&self.kept())).flatten()
    }

    fn note_append(&self, thread: ThreadId, stored: &mut [ChatMessage]) {
        let mut kept = self.kept();
        kept.own.extend(stored.iter().map(|message| message.id));
        let Some(last) = stored.last().map(|message| message.position) else { return };
        let mut head = last;
        if let Some(own) = kept.heads.get(&thread).filter(|_| self.fault == Fault::CountsPositionsItself) {
            head = *own;
            for message in stored.iter_mut() {
                head = head.advance(1).unwrap_or(last);
                message.position = head;
            }
        }
        kept.heads.insert(thread, head);
    }
}

#[async_trait]
impl Decorator for Handles {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, mut append: Append) -> Answer {
        self.forget();
        if self.fault == Fault::KnowsItsOwnIdsAlone {
            let held = held(&self.inner, scope, thread, &append).await;
            let own: Vec<_> = append.messages.iter().map(|new| self.kept().own.contains(&new.id)).collect();
            rename(&mut append, held.into_iter().zip(own).map(|(is_held, is_own)| is_held && !is_own));
        }
        if let Some(head) = self.known(Fault::KnowsItsOwnHeadsAlone, |kept| kept.heads.get(&thread).copied())
            && let Some(expected) = append.expect_head.take()
            && expected != head
        {
            return Err(StoreError::conflict(Expected::Head, expected, head));
        }
        let mut stored = self.inner.append(scope, thread, append).await?;
        self.note_append(thread, &mut stored.messages);
        Ok(stored)
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Answer> {
        append_in_turn(self, appends).await
    }

    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError> {
        if let Some(thread) = self.known(Fault::KeepsThreads, |kept| kept.read.threads.get(&id).cloned()) {
            return Ok(thread);
        }
        let thread = self.inner.get_thread(scope, id).await?;
        self.kept().read.threads.insert(id, thread.clone());
        Ok(thread)
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        if let Some(page) = self.known(Fault::KeepsThreadLists, |kept| kept.read.lists.get(query).cloned()) {
            return Ok(page);
        }
        let page = self.inner.list_threads(scope, query).await?;
        self.kept().read.lists.insert(query.clone(), page.clone());
        Ok(page)
    }

    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        self.forget();
        self.inner.update_thread(scope, id, update).await
    }

    async fn delete_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        expect_version: Option<Version>,
    ) -> Result<u64, StoreError> {
        self.forget();
        self.inner.delete_thread(scope, id, expect_version).await
    }

    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        if let Some(message) = self.known(Fault::KeepsMessages, |kept| kept.read.messages.get(&id).cloned()) {
            return Ok(message);
        }
        let message = self.inner.get_message(scope, thread, id).await?;
        self.kept().read.messages.insert(id, message.clone());
        Ok(message)
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        let key = (thread, query.clone());
        if let Some(page) = self.known(Fault::KeepsPages, |kept| kept.read.pages.get(&key).cloned()) {
            return Ok(page);
        }
        let page = self.inner.list_messages(scope, thread, query).await?;
        self.kept().read.pages.insert(key, page.clone());
        Ok(page)
    }

    async fn list_messages_unless(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
        version: Version,
    ) -> Result<Option<Page<ChatMessage>>, StoreError> {
        let page = self.list_messages(scope, thread, query).await?;
        Ok(Some(page).filter(|page| page.version != Some(version)))
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        self.forget();
        self.inner.edit_message(scope, thread, id, edit).await
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        removal: Removal,
    ) -> Result<(), StoreError> {
        self.forget();
        self.inner.delete_message(scope, thread, id, removal).await
    }

    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        self.forget();
        self.inner.clear_messages(scope, thread, removal).await
    }

    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        let mut page = searching(&self.inner).search_messages(scope, query).await?;
        if self.fault == Fault::FindsItsOwnMessagesAlone {
            page.items.retain(|hit| self.kept().own.contains(&hit.message.id));
        }
        Ok(page)
    }
}
