//! Faults of threads and of the list of them.

use std::cmp::Reverse;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;

use async_trait::async_trait;
use chatkeep_domain::search::fold_text;
use chatkeep_domain::{
    ChatThread, ConversationRepository, Decorator, MessageQuery, NewThread, Page, Position, Scope,
    StoreError, ThreadId, ThreadQuery, ThreadUpdate,
};
use chrono::TimeDelta;

use crate::faulty::{Fault, GAP, count_cursor, counted};
use crate::fixture::Repo;

#[derive(Debug)]
pub(super) struct Threads {
    inner: Repo,
    fault: Fault,
    /// How many positions the heads that were written back were behind.
    lost: AtomicI64,
}

impl Threads {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault, lost: AtomicI64::new(0) }
    }

    async fn list_by_count(
        &self,
        scope: &Scope,
        mut query: ThreadQuery,
    ) -> Result<Page<ChatThread>, StoreError> {
        let Some(before) = counted(query.cursor.as_ref()).or(query.cursor.is_none().then_some(0)) else {
            return self.inner.list_threads(scope, &query).await;
        };
        query.cursor = None;
        query.limit += before;
        let mut page = self.inner.list_threads(scope, &query).await?;
        page.next = page.next.map(|_| count_cursor(page.items.len()));
        page.items.drain(..before.min(page.items.len()));
        Ok(page)
    }

    async fn list_by_name(
        &self,
        scope: &Scope,
        mut query: ThreadQuery,
    ) -> Result<Page<ChatThread>, StoreError> {
        query.validate()?;
        let part = query.name_contains.take().unwrap_or_default();
        let mut page = self.inner.list_threads(scope, &query).await?;
        page.items.retain(|thread| match self.fault {
            Fault::TakesNamesForPatterns => fits(&fold_text(&thread.name), &fold_text(&part)),
            _ => thread.name.contains(&part),
        });
        Ok(page)
    }
}

/// Whether the pieces between the signs of `LIKE` are in the name, one behind the other.
fn fits(name: &str, pattern: &str) -> bool {
    let mut pieces = pattern.split(['%', '_']);
    pieces.try_fold(name, |rest, piece| rest.split_once(piece).map(|(_, rest)| rest)).is_some()
}

#[async_trait]
impl Decorator for Threads {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    pass_on_appends!();

    async fn create_thread(&self, scope: &Scope, mut new: NewThread) -> Result<ChatThread, StoreError> {
        match self.fault {
            Fault::TrimsNames => {
                new.name = new.name.trim().to_owned();
                self.inner.create_thread(scope, new).await
            }
            Fault::LeaksLostCreates => {
                let (org, id) = (Scope::org(new.org_id.clone()), new.id);
                match self.inner.create_thread(scope, new).await {
                    Err(StoreError::AlreadyExists { .. }) => self.inner.get_thread(&org, id).await,
                    created => created,
                }
            }
            Fault::OverwritesOnCreate => {
                let (id, update) = (new.id, ThreadUpdate::new(new.created_at).name(new.name.clone()));
                self.inner.create_thread(scope, new).await?;
                self.inner.update_thread(scope, id, update).await
            }
            _ => self.inner.create_thread(scope, new).await,
        }
    }

    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError> {
        let mut thread = self.inner.get_thread(scope, id).await?;
        match self.fault {
            Fault::LowersUpdatedAt => {
                let last = self.inner.list_messages(scope, id, &MessageQuery::newest(1)).await?;
                for message in last.items {
                    thread.updated_at = message.updated_at;
                }
            }
            Fault::WritesBackTheThread => {
                let head = thread.head.get() - self.lost.load(Relaxed);
                thread.head = Position::new(head).unwrap_or(Position::ZERO);
            }
            _ => {}
        }
        Ok(thread)
    }

    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        if self.fault == Fault::WritesBackTheThread {
            let read = self.inner.get_thread(scope, id).await?;
            tokio::time::sleep(GAP).await;
            let updated = self.inner.update_thread(scope, id, update).await?;
            self.lost.fetch_add(updated.head.get() - read.head.get(), Relaxed);
            return Ok(with!(updated, head: read.head));
        }
        self.inner.update_thread(scope, id, update).await
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        let mut query = query.clone();
        match self.fault {
            Fault::IgnoresFilters => (query.org_id, query.user_id) = (None, None),
            Fault::CountsInThreadCursors => return self.list_by_count(scope, query).await,
            Fault::ListsTheEnd => {
                query.updated.until = query.updated.until.map(|until| until + TimeDelta::microseconds(1));
            }
            Fault::ComparesCaseInNames | Fault::TakesNamesForPatterns => {
                return self.list_by_name(scope, query).await;
            }
            _ => {}
        }
        let mut page = self.inner.list_threads(scope, &query).await?;
        if self.fault == Fault::BreaksTiesBackwards {
            page.items.sort_by_key(|thread| (Reverse(thread.updated_at), thread.id));
        }
        Ok(page)
    }
}
