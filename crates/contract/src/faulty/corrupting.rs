//! A right store with rows that cannot be decoded: for stores in memory, which have no rows to damage.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use chatkeep_domain::search::{CorruptCandidate, SearchCandidate, SearchDocument, SearchPlan};
use chatkeep_domain::{
    Append, ChatMessage, ChatThread, Content, ConversationRepository, Cursor, Entity, MessageEdit, MessageId,
    MessageQuery, MessageRepository, MessageRevision, MessageSearch, NewThread, Page, Scope, SearchPage,
    SearchQuery, StoreError, ThreadAppend, ThreadId, ThreadQuery, ThreadRepository, ThreadUpdate, Timestamp,
};

use super::scan::candidates;
use crate::damage::{Damage, Row};

/// Wraps a store, and answers for the rows that [`Damage::overwrite`] damages as a right store does.
#[derive(Debug)]
pub struct Corrupting<R> {
    inner: R,
    damaged: Mutex<HashMap<Row, String>>,
}

impl<R: ConversationRepository> Corrupting<R> {
    /// A store without damage.
    pub fn new(inner: R) -> Self {
        Self { inner, damaged: Mutex::default() }
    }

    fn is_damaged(&self, is_this: impl Fn(&Row) -> bool) -> bool {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).keys().any(is_this)
    }

    fn judge_thread(&self, thread: ChatThread) -> Result<ChatThread, StoreError> {
        if self.is_damaged(|row| *row == Row::Thread(thread.org_id.clone(), thread.id)) {
            return Err(
                corrupt(Entity::Thread, thread.id.to_string()).going_on(Cursor::after_thread(&thread))
            );
        }
        Ok(thread)
    }

    fn judge_message(&self, message: ChatMessage) -> Result<ChatMessage, StoreError> {
        if self.is_damaged(|row| matches!(row, Row::Message(_, _, id) if *id == message.id)) {
            return Err(corrupt(Entity::Message, message.id.to_string()));
        }
        Ok(message)
    }
}

fn corrupt(entity: Entity, id: String) -> StoreError {
    StoreError::CorruptRow { entity, id, behind: None, source: "it was damaged".into() }
}

/// The page as the rule has it, of rows of which some turn out to be corrupt.
fn cut<T>(
    page: Page<T>,
    judge: impl FnMut(T) -> Result<T, StoreError>,
    cursor: impl FnOnce(&T) -> Cursor,
) -> Result<Page<T>, StoreError> {
    let limit = page.items.len();
    let cut = Page::cut(page.items.into_iter().map(judge), limit, cursor)?;
    Ok(Page { next: cut.next.or(page.next), items: cut.items })
}

#[async_trait]
impl<R: ConversationRepository> Damage for Corrupting<R> {
    async fn overwrite(&self, row: &Row, json: &str) {
        assert!(Content::from_json(json).is_err(), "what can be read is no damage");
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).insert(row.clone(), json.to_owned());
    }
}

#[async_trait]
impl<R: ConversationRepository> ThreadRepository for Corrupting<R> {
    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread, StoreError> {
        self.inner.create_thread(scope, new).await
    }

    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError> {
        self.judge_thread(self.inner.get_thread(scope, id).await?).map_err(|error| error.going_on(None))
    }

    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        self.inner.update_thread(scope, id, update).await
    }

    async fn delete_thread(&self, scope: &Scope, id: ThreadId) -> Result<u64, StoreError> {
        self.inner.delete_thread(scope, id).await
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        let page = self.inner.list_threads(scope, query).await?;
        cut(page, |thread| self.judge_thread(thread), Cursor::after_thread)
    }
}

#[async_trait]
impl<R: ConversationRepository> MessageRepository for Corrupting<R> {
    async fn append(
        &self,
        scope: &Scope,
        thread: ThreadId,
        append: Append,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        self.inner.append(scope, thread, append).await
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Vec<ChatMessage>, StoreError>> {
        self.inner.append_each(appends).await
    }

    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        self.judge_message(self.inner.get_message(scope, thread, id).await?)
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        let page = self.inner.list_messages(scope, thread, query).await?;
        let behind = |message: &ChatMessage| Cursor::after_message(thread, query.order, message.position);
        let judge = |message: ChatMessage| {
            let behind = behind(&message);
            self.judge_message(message).map_err(|error| error.going_on(behind))
        };
        cut(page, judge, behind)
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        self.inner.edit_message(scope, thread, id, edit).await
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        let revisions = self.inner.list_revisions(scope, thread, id).await?;
        if self.is_damaged(|row| matches!(row, Row::Revisions(_, _, damaged) if *damaged == id)) {
            return Err(corrupt(Entity::Revision, id.to_string()));
        }
        Ok(revisions)
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.inner.delete_message(scope, thread, id, at).await
    }

    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.inner.clear_messages(scope, thread, at).await
    }
}

#[async_trait]
impl<R: ConversationRepository> MessageSearch for Corrupting<R> {
    /// By a scan, in which the plan meets the corrupt rows. The index would find them by the words that they had.
    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        let mut plan = SearchPlan::new(query)?;
        if let Some(thread) = query.thread {
            self.inner.get_thread(scope, thread).await?;
        }
        let mut found = candidates(&self.inner, scope).await?;
        found.retain(|candidate| {
            query.matches_filters(&candidate.message)
                && query.thread.is_none_or(|thread| thread == candidate.message.chat_thread_id)
        });
        found.sort_by_cached_key(|candidate| plan.key(candidate));
        while let Some(read) = plan.next_read() {
            let is_wanted = |found: &SearchCandidate| {
                let document = SearchDocument::of(&found.message.content);
                plan.expr().is_none_or(|expr| expr.matches(&document))
            };
            let mut page: Vec<_> =
                found.iter().filter(|found| read.contains(&plan.key(found)) && is_wanted(found)).collect();
            if read.newest_first {
                page.reverse();
            }
            let rows = page.into_iter().take(read.limit).map(|found| {
                let message = self.judge_message(found.message.clone());
                message
                    .map(|_| found.clone())
                    .map_err(|error| Box::new(CorruptCandidate { key: Some(plan.key(found)), error }))
            });
            let rows: Vec<_> = rows.collect();
            plan.add(rows);
        }
        plan.finish()
    }
}
