use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatMessage, ConversationRepository, MessageEdit, MessageId, MessageQuery, MessageRepository,
    MessageRevision, NewThread, Page, Scope, StoreError, ThreadAppend, ThreadId, Timestamp,
};
use chrono::TimeDelta;

use super::corrupt_rows::{Of, having_looked};
use super::damage::invented;
use super::{Fault, Faulty, GAP, count_cursor, counted, is_about_a_cursor, lossy, rename};

#[async_trait]
impl<R: ConversationRepository> MessageRepository for Faulty<R> {
    async fn append(
        &self,
        scope: &Scope,
        thread: ThreadId,
        append: Append,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        let scope = &self.writing(scope);
        let append = self.damage(scope, thread, append).await?;
        match self.fault {
            Fault::SplitsBatches | Fault::InterleavesBatches => {
                if self.has(Fault::InterleavesBatches) {
                    append.validate()?;
                }
                let mut stored = Vec::new();
                for message in append.messages {
                    let one = Append::new([message]);
                    stored.extend(self.inner.append(scope, thread, one).await?);
                    tokio::task::yield_now().await;
                }
                Ok(stored)
            }
            Fault::ShowsHalves => {
                let mut first = append.messages;
                let second = first.split_off(first.len() / 2);
                let mut stored = self.inner.append(scope, thread, Append::new(first)).await?;
                tokio::time::sleep(GAP).await;
                stored.extend(self.inner.append(scope, thread, Append::new(second)).await?);
                Ok(stored)
            }
            Fault::ChecksThenStores => {
                let mut append = append;
                let before = self.held(scope, thread, &append).await;
                tokio::time::sleep(GAP).await;
                let _writing = self.one_writer.lock().await;
                let now = self.held(scope, thread, &append).await;
                let missed = before.iter().zip(now).map(|(before, now)| now && !before);
                rename(&mut append, missed);
                self.inner.append(scope, thread, append).await
            }
            Fault::SwallowsErrors => {
                let answer = invented(thread, &append);
                let stored = self.inner.append(scope, thread, append).await;
                Ok(stored.unwrap_or(answer))
            }
            Fault::LosesWritesUnderLoad => {
                let Ok(_writing) = self.one_writer.try_lock() else {
                    return Ok(invented(thread, &append));
                };
                tokio::task::yield_now().await;
                self.inner.append(scope, thread, append).await
            }
            Fault::IndexesLazily => {
                let stored = self.inner.append(scope, thread, append).await?;
                self.set_unindexed(stored.iter().map(|message| message.id).collect());
                Ok(stored)
            }
            Fault::IndexesRetriesTwice => {
                let held = self.held(scope, thread, &append).await;
                let retried = append.messages.iter().zip(held).filter(|(_, is_held)| *is_held);
                self.set_unindexed(retried.map(|(message, _)| message.id).collect());
                self.inner.append(scope, thread, append).await
            }
            _ => self.inner.append(scope, thread, append).await,
        }
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Vec<ChatMessage>, StoreError>> {
        self.write_each(appends).await
    }

    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        let found = self.inner.get_message(&self.reading(scope), thread, id).await;
        found.map_err(|error| self.about_message(error))
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        let mut query = query.clone();
        if self.has(Fault::IncludesTheEnd) {
            query.created_until = query.created_until.map(|until| until + TimeDelta::microseconds(1));
        }
        if self.has(Fault::CountsInCursors)
            && let Some(count) = counted(query.cursor.as_ref())
        {
            (query.cursor, query.offset) = (None, count as u64);
        }
        let scope = &self.reading(scope);
        if self.has(Fault::MixesNumbers) || self.has(Fault::LimitsListsBeforeFilters) {
            return self.list_loosely(scope, thread, query).await;
        }
        let mut listed = self.inner.list_messages(scope, thread, &query).await;
        if self.has(Fault::AcceptsAnyCursor) && listed.as_ref().is_err_and(is_about_a_cursor) {
            query.cursor = None;
            listed = self.inner.list_messages(scope, thread, &query).await;
        }
        if self.has(Fault::ListsAbsentThreads) && listed.as_ref().is_err_and(StoreError::is_not_found) {
            return Ok(Page::empty());
        }
        if let Some(cursor) = self.looks_at(Of::Messages, &listed, query.limit) {
            listed = having_looked(
                listed,
                self.inner.list_messages(scope, thread, &query.clone().behind(cursor)).await,
            );
        }
        let mut page = listed?;
        match self.fault {
            Fault::SortsByTime => page.items.sort_by_key(|message| message.created_at),
            Fault::HidesUnknownTypes => {
                let known = ["text", "tool_call", "tool_result", "image", "file", "parts"];
                page.items.retain(|message| known.contains(&message.content.kind()));
            }
            Fault::CountsInCursors => {
                let before = usize::try_from(query.offset).unwrap_or(usize::MAX);
                let count = before.saturating_add(page.items.len());
                page.next = page.next.map(|_| count_cursor(count));
            }
            _ => {}
        }
        Ok(page)
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        mut edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        edit.at = lossy::time(self.fault, edit.at);
        edit.content = lossy::content(self.fault, edit.content);
        let scope = &self.writing(scope);
        if self.has(Fault::KeepsUnchangedEdits) {
            let other = MessageEdit::new("", edit.at);
            self.inner.edit_message(scope, thread, id, other).await?;
        }
        if self.has(Fault::RemovesBeforeIndexing) {
            self.set_unindexed(vec![id]);
            tokio::time::sleep(GAP).await;
            let edited = self.inner.edit_message(scope, thread, id, edit).await;
            self.set_unindexed(Vec::new());
            return edited;
        }
        let edited = self.inner.edit_message(scope, thread, id, edit).await;
        edited.map_err(|error| self.about_message(error))
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        let listed = self.inner.list_revisions(&self.reading(scope), thread, id).await;
        let mut revisions = listed.map_err(|error| self.about_message(error))?;
        if self.has(Fault::ForgetsRevisions) {
            revisions.clear();
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
        if self.has(Fault::FindsDeleted) {
            self.keep(scope, thread, Some(id)).await;
        }
        let deleted = self.inner.delete_message(&self.writing(scope), thread, id, at).await;
        deleted.map_err(|error| self.about_message(error))
    }

    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let scope = &self.writing(scope);
        if self.has(Fault::FindsCleared) {
            self.keep(scope, thread, None).await;
        }
        match self.fault {
            Fault::ReusesPositions => {
                let old = self.inner.get_thread(scope, thread).await?;
                let count = self.inner.delete_thread(scope, thread).await?;
                let new = NewThread::new(thread, old.org_id, old.user_id, old.name, old.created_at);
                let new = new.with_metadata(old.metadata);
                self.inner.create_thread(scope, new).await?;
                Ok(count)
            }
            Fault::ClearsOnePage => {
                let first = MessageQuery::first(1_000);
                let page = self.inner.list_messages(scope, thread, &first).await?;
                for message in &page.items {
                    self.inner.delete_message(scope, thread, message.id, at).await?;
                }
                Ok(page.items.len() as u64)
            }
            _ => self.inner.clear_messages(scope, thread, at).await,
        }
    }
}
