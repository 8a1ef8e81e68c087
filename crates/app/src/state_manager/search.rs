//! Requests that find messages.

use std::future::IntoFuture;

use chatkeep_domain::{Cursor, Role, SearchOrder, SearchPage, SearchQuery, ThreadId, Timestamp, UserId};
use serde_json::Value;

use super::StateManager;
use crate::error::Error;
use crate::filters::Filters;
use crate::input::BoxFuture;

impl StateManager {
    /// Finds messages in all threads of the scope ([`Conversation::search`](crate::Conversation::search) finds those of
    /// one): a page of 100, the newest first, unless the request says otherwise.
    /// How the text is read is told at [`SearchQuery`]: nothing that people type is an error, what they paste is found,
    /// and the page says which [reading](SearchPage::reading) was taken. Without text, the filters alone decide.
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
    /// let chat = state.conversation(state.create_thread("Weather").await?.id);
    /// chat.add_message(Role::User, "How is the weather in Oslo?").await?;
    /// chat.add_message(Role::Assistant, "Rain.").await?;
    ///
    /// let found = state.search("weather oslo").role(Role::User).order(SearchOrder::Relevance).await?;
    /// assert_eq!(found.items[0].thread_name, "Weather");
    /// assert_eq!(found.items[0].message.position.get(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn search(&self, text: impl Into<String>) -> Search {
        Search::new(self.clone(), text.into())
    }
}

/// [`StateManager::search`] and [`Conversation::search`](crate::Conversation::search).
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct Search {
    state: StateManager,
    query: SearchQuery,
    metadata: Filters,
}

impl Search {
    fn new(state: StateManager, text: String) -> Self {
        Self { state, query: SearchQuery::new(text), metadata: Filters::NONE }
    }

    pub(crate) fn in_thread(mut self, thread: ThreadId) -> Self {
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
        let Self { state, mut query, metadata } = self;
        query.metadata = metadata.check()?;
        Ok(state.repository().search_messages(state.scope(), &query).await?)
    }
}

impl IntoFuture for Search {
    type Output = Result<SearchPage, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
