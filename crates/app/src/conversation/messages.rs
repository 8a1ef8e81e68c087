//! Requests that read messages.

use std::future::IntoFuture;

use chatkeep_domain::{
    ChatMessage, ConversationRepositoryExt, Cursor, DEFAULT_PAGE_LEN, MessageFilter, MessageQuery, Order,
    Page, Position, Timestamp, Version,
};

use crate::conversation::Conversation;
use crate::error::Error;
use crate::input::BoxFuture;

impl Conversation {
    /// Reads the messages that the branch shows: all of them, in the order in which they were said, unless the request says otherwise.
    /// [`stream_messages`](Conversation::stream_messages) holds only a part of them at a time.
    pub fn get_messages(&self) -> GetMessages {
        GetMessages::new(self.clone())
    }

    /// Reads the messages that were created in `[from, until)`, in the order in which they were said; `None` leaves a
    /// side open.
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
        self.get_messages().filter(MessageFilter::new().created(from, until))
    }
}

/// [`Conversation::get_messages`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct GetMessages {
    conversation: Conversation,
    query: MessageQuery,
    limit: Option<usize>,
}

impl GetMessages {
    fn new(conversation: Conversation) -> Self {
        let query = MessageQuery::default().branch(conversation.branch);
        Self { conversation, query, limit: None }
    }

    /// How many messages to read at most, counted from the first one, or from the last one with
    /// [`GetMessages::newest_first`]. `None` reads all of them, page by page.
    pub fn limit(mut self, limit: impl Into<Option<usize>>) -> Self {
        self.limit = limit.into();
        self
    }

    /// How many messages to leave out, counted like the limit.
    pub fn offset(mut self, offset: u64) -> Self {
        self.query.offset = offset;
        self
    }

    /// The last `count` messages.
    pub fn last(self, count: usize) -> Self {
        self.newest_first().limit(count)
    }

    /// Counts limit and offset from the last message back. The messages still come in the order in which they were
    /// said; only the [pages](GetMessages::page) come newest first.
    pub fn newest_first(mut self) -> Self {
        self.query.order = Order::NewestFirst;
        self
    }

    /// Only messages that pass this filter, in place of an earlier one.
    pub fn filter(mut self, filter: MessageFilter) -> Self {
        self.query.filter = filter;
        self
    }

    /// Only messages behind this position.
    pub fn after(mut self, position: Position) -> Self {
        self.query.after = Some(position);
        self
    }

    /// Only messages ahead of this position.
    pub fn before(mut self, position: Position) -> Self {
        self.query.before = Some(position);
        self
    }

    /// One page of at most `limit` messages (100 without one), and where the next begins. `None` is the first page.
    pub fn page(mut self, cursor: impl Into<Option<Cursor>>) -> MessagePage {
        self.query.limit = self.limit.unwrap_or(DEFAULT_PAGE_LEN);
        if let Some(cursor) = cursor.into() {
            self.query = self.query.behind(cursor);
        }
        MessagePage(self)
    }

    async fn run(self) -> Result<Vec<ChatMessage>, Error> {
        let Self { conversation: Conversation { state, thread, .. }, query, limit } = self;
        let order = query.order;
        let mut messages = state.repository().read_messages(state.scope(), thread, query, limit).await?;
        if order == Order::NewestFirst {
            messages.reverse();
        }
        Ok(messages)
    }
}

impl IntoFuture for GetMessages {
    type Output = Result<Vec<ChatMessage>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// [`GetMessages::page`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct MessagePage(GetMessages);

impl MessagePage {
    /// `None` if the thread has this version, for whoever has the page of this [version](Page::version) already. It costs
    /// no more than the page.
    pub fn unless(self, version: Version) -> MessagePageUnless {
        MessagePageUnless { page: self, version }
    }

    async fn run(self) -> Result<Page<ChatMessage>, Error> {
        let GetMessages { conversation: Conversation { state, thread, .. }, query, .. } = self.0;
        Ok(state.repository().list_messages(state.scope(), thread, &query).await?)
    }
}

impl IntoFuture for MessagePage {
    type Output = Result<Page<ChatMessage>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// [`MessagePage::unless`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct MessagePageUnless {
    page: MessagePage,
    version: Version,
}

impl MessagePageUnless {
    async fn run(self) -> Result<Option<Page<ChatMessage>>, Error> {
        let GetMessages { conversation: Conversation { state, thread, .. }, query, .. } = self.page.0;
        let page = state.repository().list_messages_unless(state.scope(), thread, &query, self.version).await;
        Ok(page?)
    }
}

impl IntoFuture for MessagePageUnless {
    type Output = Result<Option<Page<ChatMessage>>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
