//! One message by its id.

use chatkeep_domain::{ChatMessage, Content, MessageEdit, MessageId, MessageRevision, StoreError, ThreadId};

use super::StateManager;
use crate::Error;

impl StateManager {
    /// Reads one message of a thread, or of the current one.
    ///
    /// # Errors
    /// [`Error::NoCurrentThread`]; [`StoreError::NotFound`] for the thread or the message.
    pub async fn get_message(
        &self,
        id: MessageId,
        thread: impl Into<Option<ThreadId>>,
    ) -> Result<ChatMessage, Error> {
        let thread = self.resolve(thread.into())?;
        Ok(self.repository.get_message(&self.scope, thread, id).await?)
    }

    /// Corrects a message in place. What it said before is kept: see [`StateManager::message_revisions`].
    ///
    /// # Errors
    /// [`Error::NoCurrentThread`]; [`StoreError::NotFound`] for the thread or the message.
    pub async fn edit_message(
        &self,
        id: MessageId,
        content: impl Into<Content>,
        thread: impl Into<Option<ThreadId>>,
    ) -> Result<ChatMessage, Error> {
        let thread = self.resolve(thread.into())?;
        let edit = MessageEdit::new(content, self.clock.now());
        Ok(self.repository.edit_message(&self.scope, thread, id, edit).await?)
    }

    /// What a message said before it was edited, oldest first.
    ///
    /// # Errors
    /// [`Error::NoCurrentThread`]; [`StoreError::NotFound`] for the thread or the message.
    pub async fn message_revisions(
        &self,
        id: MessageId,
        thread: impl Into<Option<ThreadId>>,
    ) -> Result<Vec<MessageRevision>, Error> {
        let thread = self.resolve(thread.into())?;
        Ok(self.repository.list_revisions(&self.scope, thread, id).await?)
    }

    /// Deletes a message. `false` where the thread or the message is not there.
    ///
    /// # Errors
    /// [`Error::NoCurrentThread`] or [`Error::Store`].
    pub async fn delete_message(
        &self,
        id: MessageId,
        thread: impl Into<Option<ThreadId>>,
    ) -> Result<bool, Error> {
        let thread = self.resolve(thread.into())?;
        let now = self.clock.now();
        match self.repository.delete_message(&self.scope, thread, id, now).await {
            Ok(()) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
