//! The conversations of one scope, with a current thread.

mod append;
mod filters;
mod message;
mod messages;
mod search;
mod stream;
mod threads;

use std::sync::{Arc, Mutex, PoisonError};

use chatkeep_domain::{
    ChatMessage, ChatThread, Clock, Content, ConversationRepository, ConversationRepositoryExt, IdGenerator,
    Message, MessageId, MessageQuery, Role, Scope, StoreError, SystemClock, ThreadId, UuidV7Generator,
};

pub use self::append::{AddMessage, AddMessages};
pub use self::message::MessageRef;
pub use self::messages::{GetMessages, MessagePage};
pub use self::search::Search;
pub(crate) use self::stream::Of;
pub use self::stream::StreamMessages;
pub use self::threads::{CreateThread, ListThreads, UpdateThread};
use crate::Error;
use crate::input::MessageInput;

/// A thread with all its messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// The thread.
    pub thread: ChatThread,
    /// Its messages, in the order in which they were said.
    pub messages: Vec<ChatMessage>,
}

/// Threads and messages of one [`Scope`], with a current thread that calls mean when they name none.
///
/// Clones are cheap and share the current thread. A call with optional arguments gives a request that does nothing
/// until it is awaited.
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
/// let first = state.create_thread("Monads").await?;
/// state.add_message(Role::User, "What is a monad?").await?;
///
/// let second = state.create_thread("Burritos").await?;
/// state.add_message(Role::Assistant, "A monoid…").thread(first.id).await?;
///
/// assert_eq!(state.current_thread_id(), Some(second.id));
/// assert_eq!(state.get_messages().thread(first.id).await?.len(), 2);
/// assert_eq!(state.list_threads().await?.items.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct StateManager {
    repository: Arc<dyn ConversationRepository>,
    scope: Scope,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    current: Arc<Mutex<Option<ThreadId>>>,
    persistence: bool,
}

impl StateManager {
    /// The conversations that `scope` may see, with the machine's clock and UUIDv7 ids.
    pub fn new(repository: Arc<dyn ConversationRepository>, scope: Scope) -> Self {
        Self {
            repository,
            scope,
            clock: Arc::new(SystemClock),
            ids: Arc::new(UuidV7Generator),
            current: Arc::default(),
            persistence: false,
        }
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// With other ids.
    #[must_use]
    pub fn with_id_generator(mut self, ids: Arc<dyn IdGenerator>) -> Self {
        self.ids = ids;
        self
    }

    pub(crate) fn with_persistence(mut self, on: bool) -> Self {
        self.persistence = on;
        self
    }

    /// Whether a [`ConversationHistory`](crate::ConversationHistory) in front of this stores what it is given:
    /// [`enable_persistence`](crate::StateConfig::enable_persistence) where a [`StateConfig`](crate::StateConfig) was
    /// opened, else `false`. The calls of this type store in any case.
    pub fn persistence_enabled(&self) -> bool {
        self.persistence
    }

    /// Who is asking.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The store, for what this type does not offer.
    pub fn repository(&self) -> &Arc<dyn ConversationRepository> {
        &self.repository
    }

    /// Creates a thread and makes it the current one. Its owner is the scope's, unless the request names one.
    pub fn create_thread(&self, name: impl Into<String>) -> CreateThread<'_> {
        CreateThread::new(self, name.into())
    }

    /// Reads a thread; `None` where it is not there, or not the caller's.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn get_thread(&self, id: ThreadId) -> Result<Option<ChatThread>, Error> {
        Ok(self.repository.find_thread(&self.scope, id).await?)
    }

    /// Reads a thread with all its messages; `None` where it is not there. They are read one after the other:
    /// what is written in between may be in the messages only.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn get_thread_with_messages(&self, id: ThreadId) -> Result<Option<Conversation>, Error> {
        let Some(thread) = self.get_thread(id).await? else {
            return Ok(None);
        };
        match self.get_messages().thread(id).await {
            Ok(messages) => Ok(Some(Conversation { thread, messages })),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a thread the current one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where it is not there; the current thread stays as it was.
    pub async fn set_current_thread(&self, id: ThreadId) -> Result<(), Error> {
        self.repository.get_thread(&self.scope, id).await?;
        self.make_current(Some(id));
        Ok(())
    }

    /// Reads the current thread; `None` where none is current, or it was deleted.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn get_current_thread(&self) -> Result<Option<ChatThread>, Error> {
        match self.current_thread_id() {
            Some(id) => self.get_thread(id).await,
            None => Ok(None),
        }
    }

    /// The current thread's id, without asking the store.
    pub fn current_thread_id(&self) -> Option<ThreadId> {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists the threads of the scope, the newest update first: a page of 100 unless the request says otherwise.
    pub fn list_threads(&self) -> ListThreads<'_> {
        ListThreads::new(self)
    }

    /// Renames or re-tags a thread.
    pub fn update_thread(&self) -> UpdateThread<'_> {
        UpdateThread::new(self)
    }

    /// Renames a thread.
    pub fn rename_thread(&self, name: impl Into<String>) -> UpdateThread<'_> {
        self.update_thread().name(name)
    }

    /// Deletes a thread, or the current one, with all its messages. `false` where it is not there. If it was the
    /// current one, none is current afterwards.
    ///
    /// # Errors
    /// [`Error::NoCurrentThread`] or [`Error::Store`].
    pub async fn delete_thread(&self, thread: impl Into<Option<ThreadId>>) -> Result<bool, Error> {
        let thread = self.resolve(thread.into())?;
        let deleted = match self.repository.delete_thread(&self.scope, thread).await {
            Ok(_) => true,
            Err(StoreError::NotFound { .. }) => false,
            Err(error) => return Err(error.into()),
        };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.take_if(|current| *current == thread);
        Ok(deleted)
    }

    /// Deletes all messages of a thread, or of the current one; gives their number. The thread stays.
    ///
    /// # Errors
    /// [`Error::NoCurrentThread`] or [`Error::Store`].
    pub async fn clear_thread(&self, thread: impl Into<Option<ThreadId>>) -> Result<u64, Error> {
        let thread = self.resolve(thread.into())?;
        let now = self.clock.now();
        Ok(self.repository.clear_messages(&self.scope, thread, now).await?)
    }

    /// Appends a message. It is durable when the request returns.
    ///
    /// A [transient](Error::is_transient) error leaves open whether it was stored. To call again without storing it
    /// twice, choose its id before the first call, and give the same one each time: [`AddMessage::id`].
    pub fn add_message(&self, role: Role, content: impl Into<Content>) -> AddMessage<'_> {
        AddMessage::new(self, MessageInput::new(role, content))
    }

    /// Appends several messages in the order given: all of them or none.
    pub fn add_messages<I>(&self, batch: I) -> AddMessages<'_>
    where
        I: IntoIterator<Item: Into<MessageInput>>,
    {
        AddMessages::new(self, batch.into_iter().map(Into::into).collect())
    }

    /// A message by its id, of the current thread unless [`MessageRef::thread`] names another: to read, edit or delete
    /// it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chatkeep::Error> {
    /// # let state = chatkeep::StateManager::new(
    /// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
    /// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
    /// # );
    /// state.create_thread("Monads").await?;
    /// let said = state.add_message(chatkeep::Role::User, "What is a mnoad?").await?;
    /// state.message(said.id).edit("What is a monad?").await?;
    /// assert_eq!(state.message(said.id).revisions().await?.len(), 1);
    /// assert!(state.message(said.id).delete().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn message(&self, id: MessageId) -> MessageRef<'_> {
        MessageRef::new(self, id)
    }

    /// Reads the messages of a thread: all of them, in the order in which they were said, unless the request says
    /// otherwise. [`stream_messages`](StateManager::stream_messages) holds only a part of them at a time.
    pub fn get_messages(&self) -> GetMessages<'_> {
        GetMessages::new(self)
    }

    /// Stored messages as a model sees them. Nothing of their contents is lost.
    pub fn convert_to_conversation_messages(&self, messages: &[ChatMessage]) -> Vec<Message> {
        messages.iter().map(Message::from).collect()
    }

    /// All messages of a thread, or of the current one, as a model sees them.
    ///
    /// # Errors
    /// [`Error::NoCurrentThread`] or [`Error::Store`].
    pub async fn load_conversation_history(
        &self,
        thread: impl Into<Option<ThreadId>>,
    ) -> Result<Vec<Message>, Error> {
        let thread = self.resolve(thread.into())?;
        let query = MessageQuery::default();
        let messages = self.repository.read_messages(&self.scope, thread, query, None).await?;
        Ok(messages.into_iter().map(Message::from).collect())
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn ids(&self) -> &dyn IdGenerator {
        &*self.ids
    }

    /// Closes the store, once the calls under way have ended. What was acknowledged is safe without it; on SQLite it
    /// leaves the whole database in the one file.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn close(&self) -> Result<(), Error> {
        Ok(self.repository.close().await?)
    }

    /// The thread that a call means.
    pub(crate) fn resolve(&self, named: Option<ThreadId>) -> Result<ThreadId, Error> {
        named.or_else(|| self.current_thread_id()).ok_or(Error::NoCurrentThread)
    }

    fn make_current(&self, thread: Option<ThreadId>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = thread;
    }
}

#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod tests;
