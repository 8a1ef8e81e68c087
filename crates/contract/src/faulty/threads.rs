use std::cmp::Reverse;
use std::sync::atomic::Ordering::Relaxed;

use async_trait::async_trait;
use chatkeep_domain::search::fold_text;
use chatkeep_domain::{
    ChatThread, ConversationRepository, Entity, MessageQuery, NewThread, Page, Position, Scope, StoreError,
    ThreadId, ThreadQuery, ThreadRepository, ThreadUpdate,
};
use chrono::TimeDelta;

use super::corrupt_rows::{Of, having_looked};
use super::{Fault, Faulty, GAP, count_cursor, counted, lossy};

#[async_trait]
impl<R: ConversationRepository> ThreadRepository for Faulty<R> {
    async fn create_thread(&self, scope: &Scope, mut new: NewThread) -> Result<ChatThread, StoreError> {
        new.user_id = lossy::user(self.fault, new.user_id);
        new.created_at = lossy::time(self.fault, new.created_at);
        if self.has(Fault::TrimsNames) {
            new.name = new.name.trim().to_owned();
        }
        let scope = &self.writing(scope);
        let created = self.inner.create_thread(scope, new.clone()).await;
        if self.has(Fault::LeaksLostCreates)
            && let Err(StoreError::AlreadyExists { .. }) = created
        {
            return self.inner.get_thread(&Scope::org(new.org_id), new.id).await;
        }
        let created = created?;
        if self.has(Fault::KeepsFirstNames) {
            let first = (created.id, created.name.clone());
            self.names.lock().expect("no one panics here").push(first);
        }
        if self.has(Fault::OverwritesOnCreate) {
            let update = ThreadUpdate::new(new.created_at).name(new.name);
            return self.inner.update_thread(scope, new.id, update).await;
        }
        Ok(created)
    }

    async fn get_thread(&self, scope: &Scope, id: ThreadId) -> Result<ChatThread, StoreError> {
        let found = self.inner.get_thread(&self.reading(scope), id).await;
        match (self.fault, found) {
            (Fault::LowersUpdatedAt, Ok(mut thread)) => {
                let last = self.inner.list_messages(scope, id, &MessageQuery::newest(1)).await?;
                for message in last.items {
                    thread.updated_at = message.updated_at;
                }
                Ok(thread)
            }
            (Fault::TellsHiddenFromAbsent, Err(error)) => {
                match self.inner.get_thread(&Scope::operator(), id).await {
                    Ok(_) => Err(StoreError::AlreadyExists { entity: Entity::Thread, id: id.to_string() }),
                    Err(_) => Err(error),
                }
            }
            (Fault::WritesBackTheThread, Ok(mut thread)) => {
                let head = thread.head.get() - self.lost.load(Relaxed);
                thread.head = Position::new(head).unwrap_or(Position::ZERO);
                Ok(thread)
            }
            (_, found) => found,
        }
    }

    async fn update_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        mut update: ThreadUpdate,
    ) -> Result<ChatThread, StoreError> {
        update.at = lossy::time(self.fault, update.at);
        let scope = &self.writing(scope);
        if self.has(Fault::WritesBackTheThread) {
            let read = self.inner.get_thread(scope, id).await?;
            tokio::time::sleep(GAP).await;
            let updated = self.inner.update_thread(scope, id, update).await?;
            self.lost.fetch_add(updated.head.get() - read.head.get(), Relaxed);
            return Ok(with!(updated, head: read.head));
        }
        self.inner.update_thread(scope, id, update).await
    }

    async fn delete_thread(&self, scope: &Scope, id: ThreadId) -> Result<u64, StoreError> {
        let scope = match self.fault {
            Fault::DeletesAcrossOrganizations => Scope::operator(),
            _ => self.writing(scope),
        };
        if self.has(Fault::FindsDeletedThreads) {
            self.keep(&scope, id, None).await;
        }
        self.inner.delete_thread(&scope, id).await
    }

    async fn list_threads(&self, scope: &Scope, query: &ThreadQuery) -> Result<Page<ChatThread>, StoreError> {
        let scope = &self.reading(scope);
        let mut query = query.clone();
        match self.fault {
            Fault::IgnoresFilters => (query.org_id, query.user_id) = (None, None),
            Fault::CountsInThreadCursors => return self.list_by_count(scope, query).await,
            Fault::AcceptsAnyCursor if query.validate().is_err_and(|error| error.field == "cursor") => {
                query.cursor = None;
            }
            Fault::ListsTheEnd => {
                query.updated_until = query.updated_until.map(|until| until + TimeDelta::microseconds(1));
            }
            Fault::ComparesCaseInNames | Fault::TakesNamesForPatterns => {
                return self.list_by_name(scope, query).await;
            }
            _ => {}
        }
        let mut listed = self.inner.list_threads(scope, &query).await;
        if let Some(cursor) = self.looks_at(Of::Threads, &listed, query.limit) {
            listed =
                having_looked(listed, self.inner.list_threads(scope, &query.clone().behind(cursor)).await);
        }
        let mut page = listed?;
        if self.has(Fault::BreaksTiesBackwards) {
            page.items.sort_by_key(|thread| (Reverse(thread.updated_at), thread.id));
        }
        Ok(page)
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

impl<R: ConversationRepository> Faulty<R> {
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
        let is_pattern = self.has(Fault::TakesNamesForPatterns);
        let part = query.name_contains.take().unwrap_or_default();
        let part = if is_pattern { fold_text(&part) } else { part };
        let mut page = self.inner.list_threads(scope, &query).await?;
        page.items.retain(|thread| {
            if !is_pattern {
                return thread.name.contains(&part);
            }
            let name = fold_text(&thread.name);
            let pieces = part.split(['%', '_']);
            let mut rest = Some(name.as_str());
            pieces
                .for_each(|piece| rest = rest.and_then(|rest| rest.split_once(piece)).map(|(_, rest)| rest));
            rest.is_some()
        });
        Ok(page)
    }
}
