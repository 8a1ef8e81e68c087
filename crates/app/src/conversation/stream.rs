//! Requests that stream messages.

use std::fmt;
use std::future::IntoFuture;

use chatkeep_domain::{
    InvalidArgument, MAX_PAGE_LEN, MessageQuery, Order, Position, Role, Timestamp, UserId,
};
use serde_json::Value;

use super::Conversation;
use crate::error::Error;
use crate::filters::Filters;
use crate::input::BoxFuture;
use crate::stream::MessageStream;

/// How many messages a page holds when the request does not say.
const PAGE_LEN: usize = 500;

/// [`Conversation::stream_messages`] and
/// [`ConversationHistory::stream_messages`](crate::ConversationHistory::stream_messages).
///
/// Awaited, it gives the stream; messages are read when the stream is.
///
/// # Errors
/// [`InvalidArgument`] for a page length or a path of metadata that cannot be used; for a history, without a
/// conversation, and what [`flush`](crate::ConversationHistory::flush) answers. An absent thread is told by the stream.
#[must_use = "nothing happens until it is awaited"]
pub struct StreamMessages<'a> {
    /// The conversation, once it can be read.
    conversation: BoxFuture<'a, Result<Conversation, Error>>,
    query: MessageQuery,
    metadata: Filters,
}

impl<'a> StreamMessages<'a> {
    pub(crate) fn new(conversation: impl Future<Output = Result<Conversation, Error>> + Send + 'a) -> Self {
        let conversation = Box::pin(conversation);
        Self { conversation, query: MessageQuery::first(PAGE_LEN), metadata: Filters::NONE }
    }

    /// From the last message back.
    pub fn newest_first(mut self) -> Self {
        self.query.order = Order::NewestFirst;
        self
    }

    /// How many messages are read at a time, from 1 to [`MAX_PAGE_LEN`]; 500 unless this is called. Twice as many are in
    /// memory at the most: fewer are better where messages are large.
    pub fn page_len(mut self, messages: usize) -> Self {
        self.query.limit = messages;
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

    /// Only messages behind this position.
    pub fn after(mut self, position: Position) -> Self {
        self.query = self.query.after(position);
        self
    }

    /// Only messages ahead of this position.
    pub fn before(mut self, position: Position) -> Self {
        self.query = self.query.before(position);
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

    async fn run(self) -> Result<MessageStream, Error> {
        let Self { conversation, mut query, metadata } = self;
        query.metadata = metadata.check()?;
        if !(1..=MAX_PAGE_LEN).contains(&query.limit) {
            let rule = format!("must be from 1 to {MAX_PAGE_LEN}");
            return Err(InvalidArgument::new("page_len", rule, query.limit.to_string()).into());
        }
        let Conversation { state, thread } = conversation.await?;
        Ok(MessageStream::new(&state, thread, query))
    }
}

impl fmt::Debug for StreamMessages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { conversation: _, query, metadata } = self;
        f.debug_struct("StreamMessages")
            .field("query", query)
            .field("metadata", metadata)
            .finish_non_exhaustive()
    }
}

impl<'a> IntoFuture for StreamMessages<'a> {
    type Output = Result<MessageStream, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
