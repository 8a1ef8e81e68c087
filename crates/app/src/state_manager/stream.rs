//! Requests that stream messages.

use std::future::IntoFuture;

use chatkeep_domain::{
    InvalidArgument, MAX_PAGE_LEN, MessageQuery, Order, Position, Role, ThreadId, Timestamp, UserId,
};
use serde_json::Value;

use super::StateManager;
use super::filters::Filters;
use crate::input::BoxFuture;
use crate::{ConversationHistory, Error, MessageStream};

/// How many messages a page holds when the request does not say.
const PAGE_LEN: usize = 500;

impl StateManager {
    /// Reads the messages of a thread one by one, in the order in which they were said unless the request says
    /// otherwise, in constant memory however many there are: see [`MessageStream`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chatkeep::Error> {
    /// # let state = chatkeep::StateManager::new(
    /// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
    /// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
    /// # );
    /// state.create_thread("Numbers").await?;
    /// state.add_messages((1..=1_200).map(|number| (chatkeep::Role::User, number.to_string()))).await?;
    ///
    /// let mut messages = state.stream_messages().newest_first().await?;
    /// let newest = messages.next().await.transpose()?;
    /// assert_eq!(newest.unwrap().content.as_text(), Some("1200"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream_messages(&self) -> StreamMessages<'_> {
        StreamMessages::new(Of::State(self))
    }
}

/// [`StateManager::stream_messages`] and [`ConversationHistory::stream_messages`].
///
/// Awaited, it gives the stream; messages are read when the stream is.
///
/// # Errors
/// [`Error::NoCurrentThread`]; [`InvalidArgument`] for a page length or a path of metadata that cannot be used; for a
/// history, without a state manager, and what [`flush`](ConversationHistory::flush) answers. An absent thread is told by
/// the stream.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct StreamMessages<'a> {
    of: Of<'a>,
    thread: Option<ThreadId>,
    query: MessageQuery,
    metadata: Filters,
}

#[derive(Debug)]
pub(crate) enum Of<'a> {
    State(&'a StateManager),
    History(&'a ConversationHistory),
}

impl<'a> StreamMessages<'a> {
    pub(crate) fn new(of: Of<'a>) -> Self {
        Self { of, thread: None, query: MessageQuery::first(PAGE_LEN), metadata: Filters::NONE }
    }

    /// Of this thread instead of the current one, or of the history's.
    pub fn thread(mut self, thread: ThreadId) -> Self {
        self.thread = Some(thread);
        self
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
        let Self { of, thread, mut query, metadata } = self;
        query.metadata = metadata.check()?;
        if !(1..=MAX_PAGE_LEN).contains(&query.limit) {
            let rule = format!("must be from 1 to {MAX_PAGE_LEN}");
            return Err(InvalidArgument::new("page_len", rule, query.limit.to_string()).into());
        }
        let (state, thread) = match of {
            Of::State(state) => (state, thread),
            Of::History(history) => {
                history.flush().await?;
                (history.state_manager()?, thread.or(history.thread()))
            }
        };
        Ok(MessageStream::new(state, state.resolve(thread)?, query))
    }
}

impl<'a> IntoFuture for StreamMessages<'a> {
    type Output = Result<MessageStream, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
