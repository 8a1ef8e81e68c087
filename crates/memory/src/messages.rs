//! Messages.

use async_trait::async_trait;
use chatkeep_domain::{
    Append, ChatMessage, Content, ContentKey, MessageEdit, MessageId, MessageQuery, MessageRepository,
    MessageRevision, Order, Page, Scope, ThreadId, Timestamp, check_timestamp,
};

use crate::record::Result;
use crate::store::MemoryRepository;

#[async_trait]
impl MessageRepository for MemoryRepository {
    async fn append(&self, scope: &Scope, thread: ThreadId, mut append: Append) -> Result<Vec<ChatMessage>> {
        append.validate()?;
        let org = self.org_of(scope, thread)?;
        for new in &mut append.messages {
            new.content = self.seal(&ContentKey::new(&org, thread, new.id), &new.content)?;
        }
        let stored =
            self.state().change(scope, &org, thread, |record, index| record.append(append, index))?;
        stored.into_iter().map(|message| self.open_message(&org, message)).collect()
    }

    async fn get_message(&self, scope: &Scope, thread: ThreadId, id: MessageId) -> Result<ChatMessage> {
        let org = self.org_of(scope, thread)?;
        let kept = {
            let state = self.state();
            let record = state.get(scope, &org, thread)?;
            record.messages[record.find(id)?].message.clone()
        };
        self.open_message(&org, kept)
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>> {
        let (after, before) = query.validate(thread)?;
        let org = self.org_of(scope, thread)?;
        let kept: Vec<ChatMessage> = {
            let state = self.state();
            let record = state.get(scope, &org, thread)?;
            let range = record.between(after, before);
            let messages = range.iter().map(|stored| &stored.message);
            let asked = messages.filter(|kept| self.matches(&org, &query.filter, kept));
            let (offset, count) = (usize::try_from(query.offset).unwrap_or(usize::MAX), query.limit + 1);
            match query.order {
                Order::NewestFirst => asked.rev().skip(offset).take(count).cloned().collect(),
                Order::OldestFirst => asked.skip(offset).take(count).cloned().collect(),
            }
        };
        let rows = kept.into_iter().map(|message| {
            let position = message.position;
            let opened = self.open_message(&org, message);
            opened.map_err(|error| error.going_on(query.cursor_behind(thread, position)))
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
        let org = self.org_of(scope, thread)?;
        let key = ContentKey::new(&org, thread, id);
        let content = self.seal(&key, &edit.content)?;
        let is_new =
            |kept: &Content| self.open(&key, kept).is_ok_and(|kept| kept.is_identical(&edit.content));
        let edited = self.state().change(scope, &org, thread, |record, index| {
            record.edit(id, (edit.at, content), is_new, index)
        })?;
        self.open_message(&org, edited)
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>> {
        let org = self.org_of(scope, thread)?;
        let edits = {
            let state = self.state();
            let record = state.get(scope, &org, thread)?;
            record.messages[record.find(id)?].edits.clone()
        };
        let key = ContentKey::new(&org, thread, id);
        let open = |(_, mut before): (_, MessageRevision)| {
            before.content = self.open(&key, &before.content)?;
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
        let org = self.org_of(scope, thread)?;
        self.state().change(scope, &org, thread, |record, index| record.delete(Some(id), at, index)).map(drop)
    }

    async fn clear_messages(&self, scope: &Scope, thread: ThreadId, at: Timestamp) -> Result<u64> {
        check_timestamp("at", at)?;
        let org = self.org_of(scope, thread)?;
        let gone =
            self.state().change(scope, &org, thread, |record, index| record.delete(None, at, index))?;
        Ok(gone.len() as u64)
    }
}
