use std::iter;

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatMessage, Cursor, MessageEdit, MessageId, MessageQuery, MessageRepository, MessageRevision,
    NewMessage, Order, Page, Position, Scope, StoreError, ThreadId, Timestamp, check_timestamp,
};

use crate::MemoryRepository;
use crate::store::Record;

#[async_trait]
impl MessageRepository for MemoryRepository {
    #[tracing::instrument(name = "db.message.append", skip_all, fields(thread_id = %thread))]
    async fn append(
        &self,
        scope: &Scope,
        thread: ThreadId,
        append: Append,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        append.validate()?;
        self.store.with(scope, thread, |record| record.append(append))
    }

    #[tracing::instrument(name = "db.message.get", skip_all, fields(thread_id = %thread, message_id = %id))]
    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        self.store.with(scope, thread, |record| record.find(id).map(|found| record.messages[found].clone()))
    }

    #[tracing::instrument(name = "db.message.list", skip_all, fields(thread_id = %thread))]
    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        let (after, before) = query.validate(thread)?;
        let items = self.store.with(scope, thread, |record| Ok(record.select(query, after, before)))?;
        let cursor = |last: &ChatMessage| Cursor::after_message(thread, query.order, last.position);
        Page::cut(items.into_iter().map(Ok), query.limit, cursor)
    }

    #[tracing::instrument(name = "db.message.edit", skip_all, fields(thread_id = %thread, message_id = %id))]
    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        edit.validate()?;
        self.store.with(scope, thread, |record| {
            let at = edit.at;
            let found = record.find(id)?;
            let stored = &record.messages[found];
            if stored.content.is_identical(&edit.content) {
                return Ok(stored.clone());
            }
            let before = stored.content.clone();
            let edited = record.edit(found, edit);
            record.reindex(edited.position, &before, &edited.content);
            record.touch(at);
            Ok(edited)
        })
    }

    #[tracing::instrument(name = "db.revision.list", skip_all, fields(thread_id = %thread, message_id = %id))]
    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        self.store.with(scope, thread, |record| {
            record.find(id)?;
            Ok(record.revisions.get(&id).cloned().unwrap_or_default())
        })
    }

    #[tracing::instrument(name = "db.message.delete", skip_all, fields(thread_id = %thread, message_id = %id))]
    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        check_timestamp("at", at)?;
        self.store.with(scope, thread, |record| {
            let gone = record.remove(id)?;
            record.unindex(iter::once((gone.position, &gone.content)));
            record.touch(at);
            Ok(())
        })
    }

    #[tracing::instrument(name = "db.message.clear", skip_all, fields(thread_id = %thread))]
    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        check_timestamp("at", at)?;
        self.store.with(scope, thread, |record| {
            record.touch(at);
            Ok(record.clear() as u64)
        })
    }
}

impl Record {
    pub(crate) fn append(&mut self, append: Append) -> Result<Vec<ChatMessage>, StoreError> {
        let (mut head, latest) = (self.thread.head, append.latest());
        match append.expect_head {
            Some(expected)
                if expected != head && append.messages.iter().any(|new| self.known(new.id).is_none()) =>
            {
                return Err(StoreError::Conflict { expected, actual: head });
            }
            // Nothing may fail below: what is written first would stay.
            _ => head.advance(append.messages.len())?,
        };
        let known = self.messages.len();
        let answer = append.messages.into_iter().map(|new| self.store(new, &mut head)).collect();
        if let Some(at) = latest.filter(|_| self.messages.len() > known) {
            self.change().head = head;
            self.touch(at);
            self.index(self.messages[known..].iter().map(|message| (message.position, &message.content)));
        }
        answer
    }

    /// Stores a message behind the head, unless it is known; gives it as it is stored.
    fn store(&mut self, new: NewMessage, head: &mut Position) -> Result<ChatMessage, StoreError> {
        if let Some(known) = self.known(new.id) {
            return Ok(self.messages[known].clone());
        }
        *head = head.advance(1)?;
        let message = new.into_message(self.thread.id, *head);
        self.push(message.clone());
        Ok(message)
    }

    fn edit(&mut self, at: usize, edit: MessageEdit) -> ChatMessage {
        let message = &mut self.messages[at];
        let revisions = self.revisions.entry(message.id).or_default();
        revisions.push(MessageRevision {
            revision: u32::try_from(revisions.len() + 1).unwrap_or(u32::MAX),
            content: std::mem::replace(&mut message.content, edit.content),
            written_at: message.updated_at,
        });
        message.updated_at = message.updated_at.max(edit.at);
        message.clone()
    }

    /// What the query asks for within an open interval of positions, and one more, which tells that there is more.
    fn select(&self, query: &MessageQuery, after: Position, before: Option<Position>) -> Vec<ChatMessage> {
        let from = self.messages.partition_point(|message| message.position <= after);
        let until = before.map_or(self.messages.len(), |before| {
            self.messages.partition_point(|message| message.position < before)
        });
        let range = self.messages.get(from..until).unwrap_or_default().iter();
        let (offset, count) = (usize::try_from(query.offset).unwrap_or(usize::MAX), query.limit + 1);
        let mut found = Vec::with_capacity(count.min(range.len()));
        let matching = range.filter(|message| query.matches(message));
        match query.order {
            Order::OldestFirst => found.extend(matching.skip(offset).take(count).cloned()),
            Order::NewestFirst => found.extend(matching.rev().skip(offset).take(count).cloned()),
        }
        found
    }
}
