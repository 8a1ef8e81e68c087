//! The conversations of one scope.

pub(crate) mod removals;
pub(crate) mod threads;

use std::sync::Arc;

use chatkeep_domain::{
    ChatMessage, ChatThread, Clock, ConversationRepository, ConversationRepositoryExt, ExternalId,
    IdGenerator, Message, MessageQuery, Page, Scope, SearchPage, SearchQuery, StoreError, SystemClock,
    ThreadId, ThreadQuery, UuidV7Generator,
};

use crate::error::Error;

/// A thread with all its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThreadWithMessages {
    /// The thread.
    pub thread: ChatThread,
    /// Its messages, in the order in which they were said.
    pub messages: Vec<ChatMessage>,
}

/// The conversations of one [`Scope`]: makes, lists, changes and finds threads.
///
/// What is said in a thread goes through a handle of its own, a [`Conversation`](crate::Conversation), which
/// [`conversation`](StateManager::conversation) gives for a thread's id. Clones are cheap, and no call on one changes
/// where another writes. A call with optional arguments gives a request that does nothing until it is awaited.
///
/// ```
/// use std::sync::Arc;
/// use chatkeep::{MemoryRepository, OrgId, Role, Scope, StateManager, ThreadQuery, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), chatkeep::Error> {
/// let scope = Scope::user(OrgId::new("acme")?, UserId::new("ada")?);
/// let state = StateManager::new(Arc::new(MemoryRepository::new()), scope);
///
/// let thread = state.create_thread("Monads").await?;
/// state.conversation(thread.id).add_message(Role::User, "What is a monad?").await?;
///
/// state.rename_thread(thread.id, "Monads and burritos").await?;
/// assert_eq!(state.list_threads(&ThreadQuery::default()).await?.items[0].name, "Monads and burritos");
/// assert_eq!(state.search("monad").await?.items.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct StateManager {
    inner: Arc<Inner>,
}

#[derive(Debug, Clone)]
struct Inner {
    repository: Arc<dyn ConversationRepository>,
    scope: Scope,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    persistence: bool,
}

impl StateManager {
    /// The conversations that `scope` may see, with the machine's clock and UUIDv7 ids.
    pub fn new(repository: Arc<dyn ConversationRepository>, scope: Scope) -> Self {
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(UuidV7Generator));
        Self { inner: Arc::new(Inner { repository, scope, clock, ids, persistence: false }) }
    }

    /// With another clock. Other clones keep theirs.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        Arc::make_mut(&mut self.inner).clock = clock;
        self
    }

    /// With other ids. Other clones keep theirs.
    #[must_use]
    pub fn with_id_generator(mut self, ids: Arc<dyn IdGenerator>) -> Self {
        Arc::make_mut(&mut self.inner).ids = ids;
        self
    }

    pub(crate) fn with_persistence(mut self, on: bool) -> Self {
        Arc::make_mut(&mut self.inner).persistence = on;
        self
    }

    /// Whether a [`ConversationHistory`](crate::ConversationHistory) in front of this stores what it is given:
    /// [`enable_persistence`](crate::StateConfig::enable_persistence) where a [`StateConfig`](crate::StateConfig) was
    /// opened, else `false`. A [`Conversation`](crate::Conversation) stores in any case.
    pub fn persistence_enabled(&self) -> bool {
        self.inner.persistence
    }

    /// Who is asking.
    pub fn scope(&self) -> &Scope {
        &self.inner.scope
    }

    /// The store, for what this type does not offer.
    pub fn repository(&self) -> &Arc<dyn ConversationRepository> {
        &self.inner.repository
    }

    /// Reads a thread; `None` where it is not there, or not the caller's.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn get_thread(&self, id: ThreadId) -> Result<Option<ChatThread>, Error> {
        Ok(self.repository().find_thread(self.scope(), id).await?)
    }

    /// The id of the thread that the scope's user knows by an id of their own: see [`CreateThread::external_id`](crate::CreateThread::external_id). It
    /// does not ask the store whether there is such a thread.
    ///
    /// # Errors
    /// [`Error::NoOwner`] where the scope names no user: users of an organization may have the same external ids.
    pub fn external_thread_id(&self, external: &ExternalId) -> Result<ThreadId, Error> {
        let org = self.scope().org_id().ok_or(Error::NoOwner { missing: "organization" })?;
        let user = self.scope().user_id().ok_or(Error::NoOwner { missing: "user" })?;
        Ok(ThreadId::of_external(org, user, external))
    }

    /// Reads a thread with all its messages; `None` where it is not there. They are read one after the other:
    /// what is written in between may be in the messages only.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn get_thread_with_messages(&self, id: ThreadId) -> Result<Option<ThreadWithMessages>, Error> {
        let Some(thread) = self.get_thread(id).await? else {
            return Ok(None);
        };
        match self.repository().read_messages(self.scope(), id, MessageQuery::default(), None).await {
            Ok(messages) => Ok(Some(ThreadWithMessages { thread, messages })),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Lists the threads of the scope, the newest update first, as the query says: [`ThreadQuery::default`] is the first 100.
    ///
    /// # Errors
    /// [`Error::Store`], for what [`ThreadQuery::validate`] refuses.
    pub async fn list_threads(&self, query: &ThreadQuery) -> Result<Page<ChatThread>, Error> {
        Ok(self.repository().list_threads(self.scope(), query).await?)
    }

    /// Finds messages in all threads of the scope ([`Conversation::search`](crate::Conversation::search) finds those of
    /// one): a text, or a [`SearchQuery`] with filters, an order and a limit. How the text is read is told there: nothing
    /// that people type is an error, what they paste is found, and the page says which [reading](SearchPage::reading)
    /// was taken. Without text, the filters alone decide.
    ///
    /// ```
    /// use chatkeep::{MessageFilter, Role, SearchOrder, SearchQuery};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chatkeep::Error> {
    /// # let state = chatkeep::StateManager::new(
    /// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
    /// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
    /// # );
    /// let chat = state.conversation(state.create_thread("Weather").await?.id);
    /// chat.add_message(Role::User, "How is the weather in Oslo?").await?;
    /// chat.add_message(Role::Assistant, "Rain.").await?;
    /// assert_eq!(state.search("weather oslo").await?.items.len(), 1);
    ///
    /// let of_users = SearchQuery::new("oslo OR rain").filter(MessageFilter::new().role(Role::User));
    /// let found = state.search(of_users.order(SearchOrder::Relevance)).await?;
    /// assert_eq!(found.items[0].thread_name, "Weather");
    /// assert_eq!(found.items[0].message.position.get(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`]: [`StoreError::Unsupported`] where the store declines to search; what
    /// [`search_messages`](crate::domain::MessageSearch::search_messages) answers.
    pub async fn search(&self, query: impl Into<SearchQuery>) -> Result<SearchPage, Error> {
        let (repository, query) = (self.repository(), query.into());
        let search = repository.search();
        let search = search.ok_or_else(|| StoreError::unsupported("search", repository.name()))?;
        Ok(search.search_messages(self.scope(), &query).await?)
    }

    /// Stored messages as a model sees them. Nothing of their contents is lost.
    pub fn convert_to_conversation_messages(&self, messages: &[ChatMessage]) -> Vec<Message> {
        messages.iter().map(Message::from).collect()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    pub(crate) fn ids(&self) -> &dyn IdGenerator {
        &*self.inner.ids
    }

    /// Closes the store, once the calls under way have ended. What was acknowledged is safe without it; on SQLite it
    /// leaves the whole database in the one file.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn close(&self) -> Result<(), Error> {
        Ok(self.repository().close().await?)
    }
}

#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod tests;
