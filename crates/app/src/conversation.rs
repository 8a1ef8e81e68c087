//! A handle on one conversation.

mod append;
mod message;
mod messages;
mod stream;

use std::future::ready;

use chatkeep_domain::{ChatThread, Content, Message, MessageId, Role, ThreadId, Timestamp};

pub use self::append::{AddMessage, AddMessages};
pub use self::message::MessageRef;
pub use self::messages::{GetMessages, MessagePage};
pub use self::stream::StreamMessages;
use crate::error::Error;
use crate::input::MessageInput;
use crate::state_manager::{Search, StateManager, UpdateThread};

/// One conversation: a handle on a thread of a [`StateManager`].
///
/// It names its thread for as long as it lives, and nothing that other handles do changes that: share it, clone it, or
/// make a new one for each request. All of these are cheap. If you come from a library with a current thread, hold a
/// `Conversation` in its place.
///
/// Making it asks the store nothing. Where the thread is not there, or is not the caller's, the first call that needs it
/// answers [`StoreError::NotFound`](crate::StoreError::NotFound).
///
/// ```
/// use std::sync::Arc;
/// use chatkeep::{MemoryRepository, OrgId, Role, Scope, StateManager, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), chatkeep::Error> {
/// let scope = Scope::user(OrgId::new("acme")?, UserId::new("ada")?);
/// let state = StateManager::new(Arc::new(MemoryRepository::new()), scope);
///
/// let thread = state.create_thread("Monads").await?;
/// let chat = state.conversation(thread.id);
/// chat.add_message(Role::User, "What is a monad?").await?;
/// chat.add_message(Role::Assistant, "A monoid…").await?;
///
/// assert_eq!(chat.get_messages().last(1).await?[0].content.as_text(), Some("A monoid…"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Conversation {
    state: StateManager,
    thread: ThreadId,
}

impl StateManager {
    /// The conversation in a thread: a handle to write to it and to read it. Nothing is asked of the store.
    pub fn conversation(&self, thread: ThreadId) -> Conversation {
        Conversation { state: self.clone(), thread }
    }
}

impl Conversation {
    /// The thread.
    pub fn thread_id(&self) -> ThreadId {
        self.thread
    }

    /// The conversations that this is one of.
    pub fn state_manager(&self) -> &StateManager {
        &self.state
    }

    /// Reads the thread. [`StateManager::get_thread`] answers `None` where it is not there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`](crate::StoreError::NotFound).
    pub async fn get_thread(&self) -> Result<ChatThread, Error> {
        Ok(self.state.repository().get_thread(self.state.scope(), self.thread).await?)
    }

    /// Renames or re-tags the thread.
    pub fn update(&self) -> UpdateThread {
        self.state.update_thread(self.thread)
    }

    /// Renames the thread.
    pub fn rename(&self, name: impl Into<String>) -> UpdateThread {
        self.state.rename_thread(self.thread, name)
    }

    /// Deletes all messages; gives their number. The thread stays.
    ///
    /// # Errors
    /// As [`StateManager::clear_thread`].
    pub async fn clear(&self) -> Result<u64, Error> {
        self.state.clear_thread(self.thread).await
    }

    /// Deletes the thread with all its messages. `false` where it is not there.
    ///
    /// # Errors
    /// As [`StateManager::delete_thread`].
    pub async fn delete(&self) -> Result<bool, Error> {
        self.state.delete_thread(self.thread).await
    }

    /// Appends a message. It is durable when the request returns.
    ///
    /// A [transient](Error::is_transient) error leaves open whether it was stored. To call again without storing it
    /// twice, choose its id before the first call, and give the same one each time: [`AddMessage::id`].
    pub fn add_message(&self, role: Role, content: impl Into<Content>) -> AddMessage {
        AddMessage::new(self.clone(), MessageInput::new(role, content))
    }

    /// Appends several messages in the order given: all of them or none.
    pub fn add_messages<I>(&self, batch: I) -> AddMessages
    where
        I: IntoIterator<Item: Into<MessageInput>>,
    {
        AddMessages::new(self.clone(), batch.into_iter().map(Into::into).collect())
    }

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
        MessageRef::new(self.clone(), id)
    }

    /// Reads the messages: all of them, in the order in which they were said, unless the request says otherwise.
    /// [`stream_messages`](Conversation::stream_messages) holds only a part of them at a time.
    pub fn get_messages(&self) -> GetMessages {
        GetMessages::new(self.clone())
    }

    /// Reads the messages that were created in `[from, until)`, in the order in which they were said; `None` leaves a
    /// side open. Across threads, [`search("").created(from, until)`](StateManager::search) finds them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chatkeep::Error> {
    /// # let state = chatkeep::StateManager::new(
    /// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
    /// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
    /// # );
    /// # let chat = state.conversation(state.create_thread("Weather").await?.id);
    /// let asked = chat.add_message(chatkeep::Role::User, "How is the weather in Oslo?").await?.created_at;
    /// assert_eq!(chat.messages_between(asked, None).await?.len(), 1);
    /// assert_eq!(chat.messages_between(None, asked).await?.len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn messages_between(
        &self,
        from: impl Into<Option<Timestamp>>,
        until: impl Into<Option<Timestamp>>,
    ) -> GetMessages {
        self.get_messages().created(from, until)
    }

    /// Reads the messages one by one, in the order in which they were said unless the request says otherwise, in
    /// constant memory however many there are: see [`MessageStream`](crate::MessageStream).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chatkeep::Error> {
    /// # let state = chatkeep::StateManager::new(
    /// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
    /// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
    /// # );
    /// # let chat = state.conversation(state.create_thread("Numbers").await?.id);
    /// chat.add_messages((1..=1_200).map(|number| (chatkeep::Role::User, number.to_string()))).await?;
    ///
    /// let mut messages = chat.stream_messages().newest_first().await?;
    /// let newest = messages.next().await.transpose()?;
    /// assert_eq!(newest.unwrap().content.as_text(), Some("1200"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream_messages(&self) -> StreamMessages<'static> {
        StreamMessages::new(ready(Ok(self.clone())))
    }

    /// Finds messages of this conversation; else as [`StateManager::search`].
    pub fn search(&self, text: impl Into<String>) -> Search {
        self.state.search(text).in_thread(self.thread)
    }

    /// All messages as a model sees them.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn load_conversation_history(&self) -> Result<Vec<Message>, Error> {
        let messages = self.get_messages().await?;
        Ok(messages.into_iter().map(Message::from).collect())
    }
}

#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod tests;
