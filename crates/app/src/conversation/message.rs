//! One message by its id.

use chatkeep_domain::{ChatMessage, Content, MessageEdit, MessageId, MessageRevision, StoreError};

use crate::conversation::Conversation;
use crate::error::Error;

impl Conversation {
    /// A message by its id: to read, edit or delete it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chatkeep::Error> {
    /// # let state = chatkeep::StateManager::new(
    /// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
    /// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
    /// # );
    /// # let chat = state.conversation(state.create_thread("Monads").await?.id);
    /// let said = chat.add_message(chatkeep::Role::User, "What is a mnoad?").await?;
    /// chat.message(said.id).edit("What is a monad?").await?;
    /// assert_eq!(chat.message(said.id).revisions().await?.len(), 1);
    /// assert!(chat.message(said.id).delete().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn message(&self, id: MessageId) -> MessageRef {
        MessageRef { conversation: self.clone(), id }
    }
}

/// A message of a conversation, by its id: see [`Conversation::message`].
#[derive(Debug, Clone)]
#[must_use = "it names a message; its methods do something"]
pub struct MessageRef {
    conversation: Conversation,
    id: MessageId,
}

impl MessageRef {
    /// Reads the message.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread or the message.
    pub async fn get(&self) -> Result<ChatMessage, Error> {
        let Conversation { state, thread } = &self.conversation;
        Ok(state.repository().get_message(state.scope(), *thread, self.id).await?)
    }

    /// Replaces the content of the message. The earlier content is kept: see [`MessageRef::revisions`].
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread or the message.
    pub async fn edit(&self, content: impl Into<Content>) -> Result<ChatMessage, Error> {
        let Conversation { state, thread } = &self.conversation;
        let edit = MessageEdit::new(content, state.clock().now());
        Ok(state.repository().edit_message(state.scope(), *thread, self.id, edit).await?)
    }

    /// The earlier contents of the message, oldest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread or the message.
    pub async fn revisions(&self) -> Result<Vec<MessageRevision>, Error> {
        let Conversation { state, thread } = &self.conversation;
        Ok(state.repository().list_revisions(state.scope(), *thread, self.id).await?)
    }

    /// Deletes the message. `false` if the thread or the message is not there.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn delete(&self) -> Result<bool, Error> {
        let Conversation { state, thread } = &self.conversation;
        match state.repository().delete_message(state.scope(), *thread, self.id, state.clock().now()).await {
            Ok(()) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
