//! One message by its id.

use std::future::IntoFuture;

use chatkeep_domain::{
    ChatMessage, Content, MessageEdit, MessageId, MessageRevision, Removal, StoreError, Version,
};

use crate::conversation::Conversation;
use crate::error::Error;
use crate::input::BoxFuture;

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
        let Conversation { state, thread, .. } = &self.conversation;
        Ok(state.repository().get_message(state.scope(), *thread, self.id).await?)
    }

    /// Replaces the content of the message. The earlier content is kept: see [`MessageRef::revisions`].
    pub fn edit(&self, content: impl Into<Content>) -> EditMessage {
        let edit = MessageEdit::new(content, self.conversation.state.clock().now());
        EditMessage { message: self.clone(), edit }
    }

    /// The earlier contents of the message, oldest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the thread or the message.
    pub async fn revisions(&self) -> Result<Vec<MessageRevision>, Error> {
        let Conversation { state, thread, .. } = &self.conversation;
        Ok(state.repository().list_revisions(state.scope(), *thread, self.id).await?)
    }

    /// Deletes the message. `false` if the thread or the message is not there.
    pub fn delete(&self) -> DeleteMessage {
        let removal = Removal::new(self.conversation.state.clock().now());
        DeleteMessage { message: self.clone(), removal }
    }
}

/// [`MessageRef::edit`]. A thread or a message that is not there is [`StoreError::NotFound`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct EditMessage {
    message: MessageRef,
    edit: MessageEdit,
}

impl EditMessage {
    /// Writes only if the message has this revision: [`StoreError::Conflict`] when somebody edited it since.
    pub fn expect_revision(mut self, revision: u32) -> Self {
        self.edit = self.edit.expect_revision(revision);
        self
    }

    /// Writes only if the thread has this version: [`StoreError::Conflict`] when somebody wrote to it since.
    pub fn expect_version(mut self, version: Version) -> Self {
        self.edit = self.edit.expect_version(version);
        self
    }

    async fn run(self) -> Result<ChatMessage, Error> {
        let MessageRef { conversation: Conversation { state, thread, .. }, id } = self.message;
        Ok(state.repository().edit_message(state.scope(), thread, id, self.edit).await?)
    }
}

impl IntoFuture for EditMessage {
    type Output = Result<ChatMessage, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// [`MessageRef::delete`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct DeleteMessage {
    message: MessageRef,
    removal: Removal,
}

impl DeleteMessage {
    /// Deletes only if the thread has this version: [`StoreError::Conflict`] when somebody wrote to it since.
    pub fn expect_version(mut self, version: Version) -> Self {
        self.removal = self.removal.expect_version(version);
        self
    }

    async fn run(self) -> Result<bool, Error> {
        let MessageRef { conversation: Conversation { state, thread, .. }, id } = self.message;
        match state.repository().delete_message(state.scope(), thread, id, self.removal).await {
            Ok(()) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl IntoFuture for DeleteMessage {
    type Output = Result<bool, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
