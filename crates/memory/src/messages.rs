//! Messages.

use async_trait::async_trait;
use chatkeep_domain::{
    Append, Appended, ChatMessage, Content, ContentKey, MessageEdit, MessageFilter, MessageId, MessageQuery,
    MessageRepository, MessageRevision, MessageStream, Order, Page, Removal, Scope, ThreadId, Version,
    stream_by_pages,
};

use crate::record::{Record, Result};
use crate::store::MemoryRepository;

#[async_trait]
impl MessageRepository for MemoryRepository {
    async fn append(&self, scope: &Scope, thread: ThreadId, mut append: Append) -> Result<Appended> {
        append.validate()?;
        let org = self.org_of(scope, thread)?;
        for new in &mut append.messages {
            new.content = self.seal(&ContentKey::new(&org, thread, new.id), &new.content)?;
        }
        let mut appended =
            self.state().change(scope, &org, thread, |record, index| record.append(append, index))?;
        if !self.is_plain() {
            let opened = appended.messages.into_iter().map(|message| self.open_message(&org, message));
            appended.messages = opened.collect::<Result<_>>()?;
        }
        Ok(appended)
    }

    async fn get_message(&self, scope: &Scope, thread: ThreadId, id: MessageId) -> Result<ChatMessage> {
        let org = self.org_of(scope, thread)?;
        let kept = {
            let state = self.state();
            let record = state.get(scope, &org, thread)?;
            record.find(id)?.message.clone()
        };
        self.open_message(&org, kept)
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>> {
        let page = self.list(scope, thread, query, None)?;
        Ok(page.unwrap_or_else(Page::empty))
    }

    async fn list_messages_unless(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
        version: Version,
    ) -> Result<Option<Page<ChatMessage>>> {
        self.list(scope, thread, query, Some(version))
    }

    /// By pages: the lock is not held while the reader works.
    fn stream_messages<'a>(
        &'a self,
        scope: &'a Scope,
        thread: ThreadId,
        query: MessageQuery,
    ) -> MessageStream<'a> {
        stream_by_pages(self, scope, thread, query)
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
        let edited = self
            .state()
            .change(scope, &org, thread, |record, index| record.edit(id, (&edit, content), is_new, index))?;
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
            record.find(id)?.edits.clone()
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
        removal: Removal,
    ) -> Result<()> {
        removal.validate()?;
        let org = self.org_of(scope, thread)?;
        let delete = |record: &mut Record, index: &mut _| record.delete(id, removal, index);
        self.state().change(scope, &org, thread, delete).map(drop)
    }

    async fn clear_messages(&self, scope: &Scope, thread: ThreadId, removal: Removal) -> Result<u64> {
        removal.validate()?;
        let org = self.org_of(scope, thread)?;
        let gone = self.state().change(scope, &org, thread, |record, index| record.clear(removal, index))?;
        Ok(gone.len() as u64)
    }
}

impl MemoryRepository {
    /// A page, unless the thread has this version.
    fn list(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
        unless: Option<Version>,
    ) -> Result<Option<Page<ChatMessage>>> {
        let (after, before) = query.validate(thread)?;
        let org = self.org_of(scope, thread)?;
        let is_unfiltered = query.filter == MessageFilter::default();
        let state = self.state();
        let record = state.get(scope, &org, thread)?;
        let (version, path) = (record.thread.version, &record.line(query.branch)?.branch.path);
        if unless == Some(version) {
            return Ok(None);
        }
        let mut asked = record
            .between(path, after, before)
            .map(|stored| &stored.message)
            .filter(|kept| is_unfiltered || self.matches(&org, &query.filter, kept));
        let offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let behind = |message: &ChatMessage| query.cursor_behind(thread, message.position);
        let open = |kept: &ChatMessage| {
            if self.is_plain() {
                return Ok(kept.clone());
            }
            self.open_message(&org, kept.clone()).map_err(|error| error.going_on(behind(kept)))
        };
        let page = |rows: &mut dyn Iterator<Item = &ChatMessage>| {
            // One more tells that there is more.
            Page::cut(rows.skip(offset).take(query.limit + 1).map(open), query.limit, behind)
        };
        let page = match query.order {
            Order::NewestFirst => page(&mut asked.rev()),
            Order::OldestFirst => page(&mut asked),
        };
        Ok(Some(page?.at_version(version)))
    }
}
