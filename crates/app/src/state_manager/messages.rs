//! Requests that read messages.

use std::future::IntoFuture;

use chatkeep_domain::{
    ChatMessage, ConversationRepositoryExt, Cursor, DEFAULT_PAGE_LEN, MessageQuery, Order, Page, Position,
    Role, ThreadId, Timestamp,
};

use super::StateManager;
use crate::Error;
use crate::input::BoxFuture;

/// [`StateManager::get_messages`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct GetMessages<'a> {
    state: &'a StateManager,
    thread: Option<ThreadId>,
    query: MessageQuery,
    limit: Option<usize>,
}

impl<'a> GetMessages<'a> {
    pub(super) fn new(state: &'a StateManager) -> Self {
        Self { state, thread: None, query: MessageQuery::default(), limit: None }
    }

    /// Of this thread instead of the current one.
    pub fn thread(mut self, thread: ThreadId) -> Self {
        self.thread = Some(thread);
        self
    }

    /// The most messages, counted from the first one, or from the last with [`GetMessages::newest_first`]. None
    /// means all; they are read page by page.
    pub fn limit(mut self, limit: impl Into<Option<usize>>) -> Self {
        self.limit = limit.into();
        self
    }

    /// Leaves out this many, counted like the limit.
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

    /// Only messages of this role.
    pub fn role(mut self, role: Role) -> Self {
        self.query.role = Some(role);
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

    /// Only messages created in `[from, until)`; `None` leaves a side open.
    pub fn created(
        mut self,
        from: impl Into<Option<Timestamp>>,
        until: impl Into<Option<Timestamp>>,
    ) -> Self {
        self.query = self.query.created(from, until);
        self
    }

    /// One page of at most `limit` messages (100 without one), and where the next begins. `None` is the first page.
    pub fn page(mut self, cursor: impl Into<Option<Cursor>>) -> MessagePage<'a> {
        self.query.limit = self.limit.unwrap_or(DEFAULT_PAGE_LEN);
        if let Some(cursor) = cursor.into() {
            self.query = self.query.behind(cursor);
        }
        MessagePage(self)
    }

    async fn run(self) -> Result<Vec<ChatMessage>, Error> {
        let Self { state, query, limit, .. } = self;
        let thread = state.resolve(self.thread)?;
        let order = query.order;
        let mut messages = state.repository().read_messages(state.scope(), thread, query, limit).await?;
        if order == Order::NewestFirst {
            messages.reverse();
        }
        Ok(messages)
    }
}

impl<'a> IntoFuture for GetMessages<'a> {
    type Output = Result<Vec<ChatMessage>, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// [`GetMessages::page`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct MessagePage<'a>(GetMessages<'a>);

impl MessagePage<'_> {
    async fn run(self) -> Result<Page<ChatMessage>, Error> {
        let GetMessages { state, thread, query, .. } = self.0;
        let thread = state.resolve(thread)?;
        Ok(state.repository().list_messages(state.scope(), thread, &query).await?)
    }
}

impl<'a> IntoFuture for MessagePage<'a> {
    type Output = Result<Page<ChatMessage>, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
