//! Messages.

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatMessage, Content, MessageEdit, MessageId, MessageQuery, MessageRepository, MessageRevision,
    Order, Page, Scope, ThreadId, Timestamp, check_timestamp,
};

use crate::record::Result;
use crate::store::MemoryRepository;

#[async_trait]
impl MessageRepository for MemoryRepository {
    async fn append(&self, scope: &Scope, thread: ThreadId, mut append: Append) -> Result<Vec<ChatMessage>> {
        append.validate()?;
        let key = self.key(scope, thread)?;
        for new in &mut append.messages {
            new.content = self.seal(&key, new.id, &new.content)?;
        }
        let stored = self.state().change(scope, &key, |record, index| record.append(append, index))?;
        stored.into_iter().map(|message| self.open_message(&key, message)).collect()
    }

    async fn get_message(&self, scope: &Scope, thread: ThreadId, id: MessageId) -> Result<ChatMessage> {
        let key = self.key(scope, thread)?;
        let message = self.state().get(scope, &key)?.get(id)?.message.clone();
        self.open_message(&key, message)
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>> {
        let (after, before) = query.validate(thread)?;
        let key = self.key(scope, thread)?;
        let state = self.state();
        let range = state.get(scope, &key)?.range(after, before);
        let asked = range.filter(|kept| self.matches(&key, &query.filter, kept));
        let (offset, count) = (usize::try_from(query.offset).unwrap_or(usize::MAX), query.limit + 1);
        let kept: Vec<ChatMessage> = match query.order {
            Order::NewestFirst => asked.rev().skip(offset).take(count).cloned().collect(),
            _ => asked.skip(offset).take(count).cloned().collect(),
        };
        drop(state);
        let rows = kept.into_iter().map(|message| {
            let behind = query.cursor_behind(thread, message.position);
            self.open_message(&key, message).map_err(|error| error.going_on(behind))
        });
        Page::cut(rows, query.limit, |last| query.cursor_behind(thread, last.position))
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage> {
        edit.validate()?;
        let key = self.key(scope, thread)?;
        let content = self.seal(&key, id, &edit.content)?;
        let is_new =
            |kept: &Content| self.open(&key, id, kept).is_ok_and(|kept| kept.is_identical(&edit.content));
        let edited = self
            .state()
            .change(scope, &key, |record, index| record.edit(id, (edit.at, content), is_new, index))?;
        self.open_message(&key, edited)
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>> {
        let key = self.key(scope, thread)?;
        let edits = self.state().get(scope, &key)?.get(id)?.edits.clone();
        let open = |(_, mut before): (_, MessageRevision)| {
            before.content = self.open(&key, id, &before.content)?;
            Ok(before)
        };
        edits.into_iter().map(open).collect()
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        at: Timestamp,
    ) -> Result<()> {
        check_timestamp("at", at)?;
        let key = self.key(scope, thread)?;
        self.state().change(scope, &key, |record, index| record.delete(id, at, index))?;
        Ok(())
    }

    async fn clear_messages(&self, scope: &Scope, thread: ThreadId, at: Timestamp) -> Result<u64> {
        check_timestamp("at", at)?;
        let key = self.key(scope, thread)?;
        let gone = self.state().change(scope, &key, |record, index| Ok(record.clear(at, index)))?;
        Ok(gone.len() as u64)
    }
}
