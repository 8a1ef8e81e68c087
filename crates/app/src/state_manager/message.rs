//! One message by its id.

use chatkeep_domain::{
    ChatMessage, Content, ConversationRepository, MessageEdit, MessageId, MessageRevision, Scope, StoreError,
    ThreadId,
};

use super::StateManager;
use crate::Error;

/// A message of a thread, by its id: see [`StateManager::message`].
#[derive(Debug, Clone, Copy)]
#[must_use = "it names a message; its methods do something"]
pub struct MessageRef<'a> {
    state: &'a StateManager,
    id: MessageId,
    thread: Option<ThreadId>,
}

impl<'a> MessageRef<'a> {
    pub(super) fn new(state: &'a StateManager, id: MessageId) -> Self {
        Self { state, id, thread: None }
    }

    /// Of this thread instead of the current one.
    pub fn thread(mut self, thread: ThreadId) -> Self {
        self.thread = Some(thread);
        self
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`Error::NoCurrentThread`]; [`StoreError::NotFound`] for the thread or the message.
    pub async fn get(self) -> Result<ChatMessage, Error> {
        let (repository, scope, thread) = self.parts()?;
        Ok(repository.get_message(scope, thread, self.id).await?)
    }

    /// Corrects it in place. What it said before is kept: see [`MessageRef::revisions`].
    ///
    /// # Errors
    /// [`Error::NoCurrentThread`]; [`StoreError::NotFound`] for the thread or the message.
    pub async fn edit(self, content: impl Into<Content>) -> Result<ChatMessage, Error> {
        let (repository, scope, thread) = self.parts()?;
        let edit = MessageEdit::new(content, self.state.clock.now());
        Ok(repository.edit_message(scope, thread, self.id, edit).await?)
    }

    /// What it said before it was edited, oldest first.
    ///
    /// # Errors
    /// [`Error::NoCurrentThread`]; [`StoreError::NotFound`] for the thread or the message.
    pub async fn revisions(self) -> Result<Vec<MessageRevision>, Error> {
        let (repository, scope, thread) = self.parts()?;
        Ok(repository.list_revisions(scope, thread, self.id).await?)
    }

    /// Deletes it. `false` where the thread or the message is not there.
    ///
    /// # Errors
    /// [`Error::NoCurrentThread`] or [`Error::Store`].
    pub async fn delete(self) -> Result<bool, Error> {
        let (repository, scope, thread) = self.parts()?;
        match repository.delete_message(scope, thread, self.id, self.state.clock.now()).await {
            Ok(()) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn parts(self) -> Result<(&'a dyn ConversationRepository, &'a Scope, ThreadId), Error> {
        Ok((&*self.state.repository, &self.state.scope, self.state.resolve(self.thread)?))
    }
}
