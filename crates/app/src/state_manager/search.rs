//! Requests that find messages.

use std::future::IntoFuture;

use chatkeep_domain::{Cursor, Role, SearchOrder, SearchPage, SearchQuery, ThreadId, Timestamp, UserId};
use serde_json::Value;

use super::filters::Filters;
use super::{GetMessages, StateManager};
use crate::Error;
use crate::input::BoxFuture;

impl StateManager {
    /// Finds messages in all threads of the scope: a page of 100, the newest first, unless the request says otherwise.
    /// How the text is read is told at [`SearchQuery`]: nothing that people type is an error. Without text, the
    /// filters alone decide.
    ///
    /// ```
    /// use chatkeep::{Role, SearchOrder};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chatkeep::Error> {
    /// # let state = chatkeep::StateManager::new(
    /// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
    /// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
    /// # );
    /// state.create_thread("Weather").await?;
    /// state.add_message(Role::User, "How is the weather in Oslo?").await?;
    /// state.add_message(Role::Assistant, "Rain.").await?;
    ///
    /// let found = state.search("weather oslo").role(Role::User).order(SearchOrder::Relevance).await?;
    /// assert_eq!(found.items[0].thread_name, "Weather");
    /// assert_eq!(found.items[0].message.position.get(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn search(&self, text: impl Into<String>) -> Search<'_> {
        Search::new(self, text.into(), false)
    }

    /// Finds messages of the current thread, or of the one that [`Search::thread`] names; else as
    /// [`search`](StateManager::search).
    pub fn search_in_thread(&self, text: impl Into<String>) -> Search<'_> {
        Search::new(self, text.into(), true)
    }

    /// Reads the messages of a thread that were created in `[from, until)`, in the order in which they were said;
    /// `None` leaves a side open. Across threads, `search("").created(from, until)` finds them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chatkeep::Error> {
    /// # let state = chatkeep::StateManager::new(
    /// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
    /// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
    /// # );
    /// state.create_thread("Weather").await?;
    /// let asked = state.add_message(chatkeep::Role::User, "How is the weather in Oslo?").await?.created_at;
    /// assert_eq!(state.messages_between(asked, None).await?.len(), 1);
    /// assert_eq!(state.messages_between(None, asked).await?.len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn messages_between(
        &self,
        from: impl Into<Option<Timestamp>>,
        until: impl Into<Option<Timestamp>>,
    ) -> GetMessages<'_> {
        self.get_messages().created(from, until)
    }
}

/// [`StateManager::search`] and [`StateManager::search_in_thread`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct Search<'a> {
    state: &'a StateManager,
    query: SearchQuery,
    metadata: Filters,
    is_in_thread: bool,
}

impl<'a> Search<'a> {
    fn new(state: &'a StateManager, text: String, is_in_thread: bool) -> Self {
        Self { state, query: SearchQuery::new(text), metadata: Filters::NONE, is_in_thread }
    }

    /// Only messages of this thread. One that is not there is [`StoreError::NotFound`](crate::StoreError::NotFound).
    pub fn thread(mut self, thread: ThreadId) -> Self {
        self.query = self.query.thread(thread);
        self
    }

    /// Only messages of this role.
    pub fn role(mut self, role: Role) -> Self {
        self.query = self.query.role(role);
        self
    }

    /// Only messages of this sender.
    pub fn sender(mut self, sender: UserId) -> Self {
        self.query = self.query.sender_id(sender);
        self
    }

    /// Only messages created in `[from, until)`; `None` leaves a side open.
    pub fn created(
        mut self,
        from: impl Into<Option<Timestamp>>,
        until: impl Into<Option<Timestamp>>,
    ) -> Self {
        self.query = self.query.created(from, until);
        self
    }

    /// Only messages whose metadata has this value at this path, `/customer/tier`; called again, all must hold. See
    /// [`MetadataFilter`](crate::MetadataFilter).
    pub fn metadata(mut self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata = self.metadata.and(path, value);
        self
    }

    /// The order of the hits.
    pub fn order(mut self, order: SearchOrder) -> Self {
        self.query = self.query.order(order);
        self
    }

    /// The most hits of the page, at most [`MAX_PAGE_LEN`](chatkeep_domain::MAX_PAGE_LEN).
    pub fn limit(mut self, limit: usize) -> Self {
        self.query = self.query.limit(limit);
        self
    }

    /// Goes on behind an earlier page of the same search: its `next`.
    pub fn cursor(mut self, cursor: impl Into<Option<Cursor>>) -> Self {
        self.query.cursor = cursor.into();
        self
    }

    async fn run(self) -> Result<SearchPage, Error> {
        let Self { state, mut query, metadata, is_in_thread } = self;
        query.metadata = metadata.check()?;
        if is_in_thread {
            query.thread = Some(state.resolve(query.thread)?);
        }
        Ok(state.repository().search_messages(state.scope(), &query).await?)
    }
}

impl<'a> IntoFuture for Search<'a> {
    type Output = Result<SearchPage, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
