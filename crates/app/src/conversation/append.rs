//! Requests that append.

use std::future::IntoFuture;

use chatkeep_domain::{
    Append, ChatMessage, Content, MessageId, Metadata, NewMessage, Position, Role, StoreError, UserId,
};

use crate::conversation::Conversation;
use crate::error::Error;
use crate::input::{BoxFuture, MessageInput};

impl Conversation {
    /// Appends a message. It is durable when the request returns.
    ///
    /// After a [transient](Error::is_transient) error, the message may be stored or not. Choose its id before the
    /// first call and give the same id each time ([`AddMessage::id`]): then calling again stores nothing twice.
    pub fn add_message(&self, role: Role, content: impl Into<Content>) -> AddMessage {
        AddMessage::new(self.clone(), MessageInput::new(role, content))
    }

    /// Appends several messages in the order given: all of them or none.
    pub fn add_messages<I>(&self, batch: I) -> AddMessages
    where
        I: IntoIterator<Item: Into<MessageInput>>,
    {
        AddMessages::new(self.clone(), batch.into_iter().map(Into::into).collect())
    }
}

/// [`Conversation::add_message`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct AddMessage {
    conversation: Conversation,
    input: MessageInput,
    expect_head: Option<Position>,
}

impl AddMessage {
    fn new(conversation: Conversation, input: MessageInput) -> Self {
        Self { conversation, input, expect_head: None }
    }

    /// The user who sent it.
    pub fn sender(mut self, sender: UserId) -> Self {
        self.input = self.input.sender(sender);
        self
    }

    /// Adds these keys to the content's `metadata`. A key that is there already gets the new value.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.input = self.input.metadata(metadata);
        self
    }

    /// The message's id, instead of a new one. Calling again with the same id stores nothing twice.
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
        let state = &self.conversation.state;
        let new = self.input.into_new(state.clock().now(), state.ids())?;
        let id = new.id;
        let stored = append(&self.conversation, vec![new], self.expect_head).await?;
        let missing = || StoreError::message_not_found(id);
        Ok(stored.into_iter().next().ok_or_else(missing)?)
    }
}

impl IntoFuture for AddMessage {
    type Output = Result<ChatMessage, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// [`Conversation::add_messages`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct AddMessages {
    conversation: Conversation,
    inputs: Vec<MessageInput>,
    expect_head: Option<Position>,
}

impl AddMessages {
    fn new(conversation: Conversation, inputs: Vec<MessageInput>) -> Self {
        Self { conversation, inputs, expect_head: None }
    }

    /// Writes only if the thread's head is at `head`: [`StoreError::Conflict`] when another writer was first.
    pub fn expect_head(mut self, head: Position) -> Self {
        self.expect_head = Some(head);
        self
    }

    async fn run(self) -> Result<Vec<ChatMessage>, Error> {
        let state = &self.conversation.state;
        let (now, ids) = (state.clock().now(), state.ids());
        let new: Result<_, _> = self.inputs.into_iter().map(|input| input.into_new(now, ids)).collect();
        append(&self.conversation, new?, self.expect_head).await
    }
}

impl IntoFuture for AddMessages {
    type Output = Result<Vec<ChatMessage>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

async fn append(
    conversation: &Conversation,
    messages: Vec<NewMessage>,
    expect_head: Option<Position>,
) -> Result<Vec<ChatMessage>, Error> {
    let Conversation { state, thread } = conversation;
    let mut append = Append::new(messages);
    append.expect_head = expect_head;
    Ok(state.repository().append(state.scope(), *thread, append).await?)
}
