use std::iter;
use std::ops::Bound::{Excluded, Unbounded};

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatMessage, Cursor, MessageEdit, MessageId, MessageQuery, MessageRepository, MessageRevision,
    NewMessage, Order, Page, Position, Scope, StoreError, ThreadId, Timestamp, check_timestamp,
};

use crate::MemoryRepository;
use crate::store::{Record, Stored};

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
        self.store.with(scope, thread, |record| Ok(record.message(id)?.message.clone()))
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
        Ok(Page::cut(items, query.limit, |last| Cursor::after_message(thread, query.order, last.position)))
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
            let stored = record.message(id)?;
            if stored.message.content.is_identical(&edit.content) {
                return Ok(stored.message.clone());
            }
            let before = stored.message.content.clone();
            let edited = stored.edit(edit);
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
        self.store.with(scope, thread, |record| Ok(record.message(id)?.revisions.clone()))
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
            let position = record.positions.remove(&id);
            let gone = position
                .and_then(|position| record.messages.remove(&position))
                .ok_or_else(|| StoreError::message_not_found(id))?;
            record.unindex(iter::once((gone.message.position, &gone.message.content)));
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
        let missing =
            append.messages.iter().filter(|message| !self.positions.contains_key(&message.id)).count();
        if missing > 0 {
            let actual = self.thread.head;
            match append.expect_head {
                Some(expected) if expected != actual => {
                    return Err(StoreError::Conflict { expected, actual });
                }
                // Nothing may fail below: what is written first would stay.
                _ => actual.advance(missing)?,
            };
            append.latest().into_iter().for_each(|at| self.touch(at));
        }
        let head = self.thread.head;
        let answer: Result<Vec<_>, _> = append
            .messages
            .into_iter()
            .map(|new| match self.message(new.id) {
                Ok(known) => Ok(known.message.clone()),
                Err(_) => self.push(new),
            })
            .collect();
        let new = self.messages.range((Excluded(head), Unbounded));
        self.index(new.map(|(position, stored)| (*position, &stored.message.content)));
        answer
    }

    fn push(&mut self, new: NewMessage) -> Result<ChatMessage, StoreError> {
        let position = self.thread.head.advance(1)?;
        let message = new.into_message(self.thread.id, position);
        let stored = Stored { message: message.clone(), revisions: Vec::new() };
        self.thread.head = position;
        self.positions.insert(message.id, position);
        self.messages.insert(position, stored);
        Ok(message)
    }

    /// What the query asks for within an open interval of positions, and one more, which tells that there is more.
    fn select(&self, query: &MessageQuery, after: Position, before: Option<Position>) -> Vec<ChatMessage> {
        if before.is_some_and(|before| before <= after) {
            return Vec::new();
        }
        let range = (Excluded(after), before.map_or(Unbounded, Excluded));
        let range = self.messages.range(range).map(|(_, stored)| &stored.message);
        let ordered: Box<dyn Iterator<Item = &ChatMessage>> = match query.order {
            Order::OldestFirst => Box::new(range),
            Order::NewestFirst => Box::new(range.rev()),
        };
        ordered
            .filter(|message| query.matches(message))
            .skip(usize::try_from(query.offset).unwrap_or(usize::MAX))
            .take(query.limit + 1)
            .cloned()
            .collect()
    }
}

impl Stored {
    fn edit(&mut self, edit: MessageEdit) -> ChatMessage {
        let message = &mut self.message;
        self.revisions.push(MessageRevision {
            revision: u32::try_from(self.revisions.len() + 1).unwrap_or(u32::MAX),
            content: std::mem::replace(&mut message.content, edit.content),
            written_at: message.updated_at,
        });
        message.updated_at = message.updated_at.max(edit.at);
        message.clone()
    }
}
