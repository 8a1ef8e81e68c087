//! Faults of what is done to stored messages: edits, revisions, deletes, clears.

use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use chatkeep_domain::{
    ChatMessage, ConversationRepository, Decorator, Entity, MessageEdit, MessageId, MessageQuery,
    MessageRevision, NewThread, Removal, Scope, StoreError, ThreadId, ThreadUpdate, Timestamp,
};
use chrono::TimeDelta;

use crate::faulty::Fault;
use crate::fixture::Repo;

#[derive(Debug)]
pub(super) struct Edits {
    inner: Repo,
    fault: Fault,
    /// How many edits there were.
    count: AtomicI64,
}

impl Edits {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault, count: AtomicI64::new(1) }
    }

    /// The error of a call that names a message.
    fn about_message(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::NotFound { id, .. } if self.fault == Fault::NamesTheWrongEntity => {
                StoreError::not_found(Entity::Thread, id)
            }
            other => other,
        }
    }

    /// The edit with a time that no other has: no store knows it again but by the content that the message has.
    fn unknown_again(&self, edit: MessageEdit) -> MessageEdit {
        let micros = self.count.fetch_add(1, Ordering::Relaxed);
        MessageEdit::new(edit.content, edit.at + TimeDelta::microseconds(micros))
    }

    /// Whether the edit is to the content that the message was appended with, at that time.
    async fn is_first(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: &MessageEdit,
    ) -> Result<bool, StoreError> {
        let revisions = self.inner.list_revisions(scope, thread, id).await?;
        let mut first = revisions.iter().take(1);
        Ok(first.any(|first| first.content.is_identical(&edit.content) && first.written_at == edit.at))
    }

    /// Whether the message once had the content, written at the time of the edit.
    async fn is_written(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: &MessageEdit,
    ) -> Result<bool, StoreError> {
        let revisions = self.inner.list_revisions(scope, thread, id).await?;
        let mut edits = revisions.iter().skip(1);
        Ok(edits.any(|one| one.content.is_identical(&edit.content) && one.written_at == edit.at))
    }

    async fn clear_by_making_anew(&self, scope: &Scope, thread: ThreadId) -> Result<u64, StoreError> {
        let old = self.inner.get_thread(scope, thread).await?;
        let count = self.inner.delete_thread(scope, thread, None).await?;
        let new = NewThread::new(thread, old.org_id, old.user_id, old.name, old.created_at);
        self.inner.create_thread(scope, new.with_metadata(old.metadata)).await?;
        Ok(count)
    }

    async fn clear_a_page(
        &self,
        scope: &Scope,
        thread: ThreadId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        let page = self.inner.list_messages(scope, thread, &MessageQuery::first(1_000)).await?;
        for message in &page.items {
            self.inner.delete_message(scope, thread, message.id, removal).await?;
        }
        Ok(page.items.len() as u64)
    }
}

#[async_trait]
impl Decorator for Edits {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    pass_on_appends!();

    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        let found = self.inner.get_message(scope, thread, id).await;
        found.map_err(|error| self.about_message(error))
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        let edit = match self.fault {
            Fault::KeepsUnchangedEdits => {
                let other = MessageEdit::new("", edit.at);
                self.inner.edit_message(scope, thread, id, other).await?;
                edit
            }
            // With one time for all, edits are known by their contents.
            Fault::ComparesContentsAlone => MessageEdit::new(edit.content, Timestamp::UNIX_EPOCH),
            Fault::TakesTheFirstContentForAnEdit if self.is_first(scope, thread, id, &edit).await? => {
                return self.inner.get_message(scope, thread, id).await;
            }
            Fault::ComparesWhenItWasWritten if self.is_written(scope, thread, id, &edit).await? => {
                return self.inner.get_message(scope, thread, id).await;
            }
            Fault::KnowsTheLastEditAlone | Fault::ComparesWhenItWasWritten => self.unknown_again(edit),
            _ => edit,
        };
        let edited = self.inner.edit_message(scope, thread, id, edit).await;
        edited.map_err(|error| self.about_message(error))
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        let listed = self.inner.list_revisions(scope, thread, id).await;
        let mut revisions = listed.map_err(|error| self.about_message(error))?;
        if self.fault == Fault::ForgetsRevisions {
            revisions.clear();
        }
        Ok(revisions)
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        removal: Removal,
    ) -> Result<(), StoreError> {
        let deleted = self.inner.delete_message(scope, thread, id, removal).await;
        deleted.map_err(|error| self.about_message(error))
    }

    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        match self.fault {
            Fault::ReusesPositions => self.clear_by_making_anew(scope, thread).await,
            Fault::ClearsOnePage => self.clear_a_page(scope, thread, removal).await,
            Fault::RaisesForEmptyClears => {
                let count = self.inner.clear_messages(scope, thread, removal).await?;
                self.inner.update_thread(scope, thread, ThreadUpdate::new(removal.at)).await?;
                Ok(count)
            }
            _ => self.inner.clear_messages(scope, thread, removal).await,
        }
    }
}
