use std::iter;

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatMessage, MessageEdit, MessageId, MessageQuery, MessageRepository, MessageRevision,
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
        self.store.with(scope, thread, |record| record.page(query, after, before))
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
            let count = record.clear();
            if count > 0 {
                record.touch(at);
            }
            Ok(count as u64)
        })
    }
}

impl Record {
    pub(crate) fn append(&mut self, append: Append) -> Result<Vec<ChatMessage>, StoreError> {
        let mut head = self.thread.head;
        match append.expect_head {
            Some(expected)
                if expected != head && append.messages.iter().any(|new| self.known(new.id).is_none()) =>
            {
                return Err(StoreError::conflict(expected, head));
            }
            // Nothing may fail below: what is written first would stay.
            _ => head.advance(append.messages.len())?,
        };
        let known = self.messages.len();
        let answer = append.messages.into_iter().map(|new| self.store(new, &mut head)).collect();
        let stored = &self.messages[known..];
        // What was known before is no write, whatever time it was given now.
        if let Some(latest) = stored.iter().map(|message| message.created_at).max() {
            self.index(stored.iter().map(|message| (message.position, &message.content)));
            self.change().head = head;
            self.touch(latest);
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
        let number = u32::try_from(revisions.len() + 1).unwrap_or(u32::MAX);
        let before = std::mem::replace(&mut message.content, edit.content);
        revisions.push(MessageRevision::new(number, before, message.updated_at));
        message.updated_at = message.updated_at.max(edit.at);
        message.clone()
    }

    /// What the query asks for within an open interval of positions.
    fn page(
        &self,
        query: &MessageQuery,
        after: Position,
        before: Option<Position>,
    ) -> Result<Page<ChatMessage>, StoreError> {
        let from = self.messages.partition_point(|message| message.position <= after);
        let until = before.map_or(self.messages.len(), |before| {
            self.messages.partition_point(|message| message.position < before)
        });
        let range = self.messages.get(from..until).unwrap_or_default().iter();
        let offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let mut matching = range.filter(|message| query.filter.matches(message));
        // One more tells that there is more.
        let page = |rows: &mut dyn Iterator<Item = &ChatMessage>| {
            let rows = rows.skip(offset).take(query.limit + 1).cloned().map(Ok);
            let thread = self.thread.id;
            Page::cut(rows, query.limit, |last| query.cursor_behind(thread, last.position))
        };
        match query.order {
            Order::OldestFirst => page(&mut matching),
            Order::NewestFirst => page(&mut matching.rev()),
        }
    }
}
