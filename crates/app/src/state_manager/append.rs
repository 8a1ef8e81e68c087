//! Requests that append.

use std::future::IntoFuture;

use chatkeep_domain::{
    Append, ChatMessage, MessageId, Metadata, NewMessage, Position, StoreError, ThreadId, UserId,
};

use super::StateManager;
use crate::Error;
use crate::input::{BoxFuture, MessageInput};

/// [`StateManager::add_message`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct AddMessage<'a> {
    state: &'a StateManager,
    input: MessageInput,
    thread: Option<ThreadId>,
    expect_head: Option<Position>,
}

impl<'a> AddMessage<'a> {
    pub(super) fn new(state: &'a StateManager, input: MessageInput) -> Self {
        Self { state, input, thread: None, expect_head: None }
    }

    /// To this thread instead of the current one.
    pub fn thread(mut self, thread: ThreadId) -> Self {
        self.thread = Some(thread);
        self
    }

    /// The user who sent it.
    pub fn sender(mut self, sender: UserId) -> Self {
        self.input = self.input.sender(sender);
        self
    }

    /// Goes into the content's `metadata`, over what is there.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.input = self.input.metadata(metadata);
        self
    }

    /// Its id, instead of a new one: with the same id, a retry stores nothing twice.
    pub fn id(mut self, id: MessageId) -> Self {
        self.input = self.input.id(id);
        self
    }

    /// Writes only if the thread's head is at `head`: [`StoreError::Conflict`] when another writer was first.
    pub fn expect_head(mut self, head: Position) -> Self {
        self.expect_head = Some(head);
        self
    }

    async fn run(self) -> Result<ChatMessage, Error> {
        let new = self.input.into_new(self.state.clock().now(), self.state.ids())?;
        let id = new.id;
        let stored = append(self.state, self.thread, vec![new], self.expect_head).await?;
        let missing = || StoreError::message_not_found(id);
        Ok(stored.into_iter().next().ok_or_else(missing)?)
    }
}

impl<'a> IntoFuture for AddMessage<'a> {
    type Output = Result<ChatMessage, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// [`StateManager::add_messages`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct AddMessages<'a> {
    state: &'a StateManager,
    inputs: Vec<MessageInput>,
    thread: Option<ThreadId>,
    expect_head: Option<Position>,
}

impl<'a> AddMessages<'a> {
    pub(super) fn new(state: &'a StateManager, inputs: Vec<MessageInput>) -> Self {
        Self { state, inputs, thread: None, expect_head: None }
    }

    /// To this thread instead of the current one.
    pub fn thread(mut self, thread: ThreadId) -> Self {
        self.thread = Some(thread);
        self
    }

    /// Writes only if the thread's head is at `head`: [`StoreError::Conflict`] when another writer was first.
    pub fn expect_head(mut self, head: Position) -> Self {
        self.expect_head = Some(head);
        self
    }

    async fn run(self) -> Result<Vec<ChatMessage>, Error> {
        let (now, ids) = (self.state.clock().now(), self.state.ids());
        let new: Result<_, _> = self.inputs.into_iter().map(|input| input.into_new(now, ids)).collect();
        append(self.state, self.thread, new?, self.expect_head).await
    }
}

impl<'a> IntoFuture for AddMessages<'a> {
    type Output = Result<Vec<ChatMessage>, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

async fn append(
    state: &StateManager,
    thread: Option<ThreadId>,
    messages: Vec<NewMessage>,
    expect_head: Option<Position>,
) -> Result<Vec<ChatMessage>, Error> {
    let thread = state.resolve(thread)?;
    let append = Append { messages, expect_head };
    Ok(state.repository().append(state.scope(), thread, append).await?)
}
