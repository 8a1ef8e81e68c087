//! Requests that read messages.

use std::future::IntoFuture;

use chatkeep_domain::{
    ChatMessage, ConversationRepositoryExt, Cursor, DEFAULT_PAGE_LEN, MessageQuery, Order, Page, Position,
    Role, Timestamp, UserId,
};
use serde_json::Value;

use super::Conversation;
use crate::error::Error;
use crate::filters::Filters;
use crate::input::BoxFuture;

/// [`Conversation::get_messages`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct GetMessages {
    conversation: Conversation,
    query: MessageQuery,
    metadata: Filters,
    limit: Option<usize>,
}

impl GetMessages {
    pub(super) fn new(conversation: Conversation) -> Self {
        Self { conversation, query: MessageQuery::default(), metadata: Filters::NONE, limit: None }
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

    /// Only messages of this sender.
    pub fn sender(mut self, sender: UserId) -> Self {
        self.query.sender_id = Some(sender);
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

    /// Only messages whose metadata has this value at this path, `/customer/tier`; called again, all must hold. See
    /// [`MetadataFilter`](crate::MetadataFilter).
    pub fn metadata(mut self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata = self.metadata.and(path, value);
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
        let Self { conversation: Conversation { state, thread }, mut query, metadata, limit } = self;
        query.metadata = metadata.check()?;
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
    async fn run(self) -> Result<Page<ChatMessage>, Error> {
        let GetMessages { conversation: Conversation { state, thread }, mut query, metadata, .. } = self.0;
        query.metadata = metadata.check()?;
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
