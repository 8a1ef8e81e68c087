//! A right store with rows that cannot be decoded: for stores in memory, which have no rows to damage.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chatkeep_domain::search::{SearchDocument, SearchPlan};
use chatkeep_domain::{
    ChatMessage, ChatThread, Content, ConversationRepository, Cursor, Decorator, Entity, MessageId,
    MessageQuery, MessageRevision, Page, Scope, SearchPage, SearchQuery, StoreError, ThreadId, ThreadKey,
    ThreadQuery,
};

use crate::damage::{Damage, Row};
use crate::faulty::scan::{candidates, search_among};
use crate::fixture::{Fixture, Repo};

/// Wraps a store, and answers for the rows that [`Damage::overwrite`] damages as a right store does.
#[derive(Debug, Clone)]
pub struct Corrupting {
    inner: Repo,
    damaged: Arc<Mutex<HashMap<Row, String>>>,
}

impl Corrupting {
    /// A store without damage.
    pub fn new(inner: Repo) -> Self {
        Self { inner, damaged: Arc::default() }
    }

    /// The store, and the damage to it.
    pub fn fixture(inner: Repo) -> Fixture {
        let store = Self::new(inner);
        Fixture::new(Arc::new(store.clone())).with_damage(store)
    }

    fn is_damaged(&self, is_this: impl Fn(&Row) -> bool) -> bool {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).keys().any(is_this)
    }

    fn judge_thread(&self, thread: ChatThread) -> Result<ChatThread, StoreError> {
        if self.is_damaged(|row| *row == Row::Thread(thread.org_id.clone(), thread.id)) {
            return Err(corrupt(Entity::Thread, thread.id));
        }
        Ok(thread)
    }

    /// A thread whose last message is damaged cannot be shown either.
    fn judge_listed(&self, thread: ChatThread) -> Result<ChatThread, StoreError> {
        if let Some(last) = thread.preview.as_ref().and_then(|preview| preview.last_message.clone()) {
            self.judge_message(last)?;
        }
        self.judge_thread(thread)
    }

    fn judge_message(&self, message: ChatMessage) -> Result<ChatMessage, StoreError> {
        if self.is_damaged(|row| matches!(row, Row::Message(_, _, id) if *id == message.id)) {
            return Err(corrupt(Entity::Message, message.id));
        }
        Ok(message)
    }
}

fn corrupt(entity: Entity, id: impl std::fmt::Display) -> StoreError {
    StoreError::corrupt_row(entity, id, "it was damaged")
}

/// The page as the rule has it, of rows of which some turn out to be corrupt.
fn cut<T: Clone>(
    page: Page<T>,
    judge: impl Fn(T) -> Result<T, StoreError>,
    behind: impl Fn(&T) -> Cursor,
) -> Result<Page<T>, StoreError> {
    let limit = page.items.len();
    let rows = page.items.into_iter().map(|item| judge(item.clone()).map_err(|e| e.going_on(behind(&item))));
    let mut cut = Page::cut(rows, limit, &behind)?;
    (cut.next, cut.version) = (cut.next.or(page.next), page.version);
    Ok(cut)
}

#[async_trait]
impl Damage for Corrupting {
    async fn overwrite(&self, row: &Row, json: &str) {
        assert!(Content::from_json(json).is_err(), "what can be read is no damage");
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).insert(row.clone(), json.to_owned());
    }
}

#[async_trait]
impl Decorator for Corrupting {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    pass_on_appends!();

    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError> {
        self.judge_thread(self.inner.get_thread(scope, id).await?)
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        let page = self.inner.list_threads(scope, query).await?;
        let behind = |thread: &ChatThread| query.cursor_behind(&ThreadKey::from(thread));
        cut(page, |thread| self.judge_listed(thread), behind)
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
        let behind = |message: &ChatMessage| query.cursor_behind(thread, message.position);
        cut(page, |message| self.judge_message(message), behind)
    }

    read_by_lists!();

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        let revisions = self.inner.list_revisions(scope, thread, id).await?;
        if self.is_damaged(|row| matches!(row, Row::Revisions(_, _, damaged) if *damaged == id)) {
            return Err(corrupt(Entity::Revision, id));
        }
        Ok(revisions)
    }

    /// By a scan, in which the plan meets the corrupt rows. The index would find them by the words that they had.
    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        let plan = SearchPlan::new(query)?;
        if let Some(thread) = query.thread {
            self.inner.get_thread(scope, thread).await?;
        }
        let mut found = candidates(&self.inner, scope).await?;
        found.retain(|found| {
            let is_in_thread = query.thread.is_none_or(|thread| thread == found.message.chat_thread_id);
            query.filter.matches(&found.message) && is_in_thread
        });
        search_among(plan, found, |plan, found| {
            let document = SearchDocument::of(&found.message.content);
            let is_wanted = plan.expr().is_none_or(|expr| expr.matches(&document));
            is_wanted.then(|| self.judge_message(found.message.clone()).map(|_| found.clone()))
        })
    }
}
