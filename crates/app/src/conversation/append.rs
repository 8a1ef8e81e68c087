//! Requests that append.

use std::future::IntoFuture;

use chatkeep_domain::{
    Append, Appended, ChatMessage, Content, ExternalId, MessageId, Metadata, NewMessage, Position, Role,
    StoreError, UserId, Version,
};

use crate::conversation::Conversation;
use crate::error::Error;
use crate::input::{BoxFuture, MessageInput};

impl Conversation {
    /// Appends a message to the branch. It is durable when the request returns.
    ///
    /// After a [transient](Error::is_transient) error, the message may be stored or not. Choose its id before the
    /// first call and give the same id each time ([`AddMessage::id`]): then calling again stores nothing twice.
    pub fn add_message(&self, role: Role, content: impl Into<Content>) -> AddMessage {
        AddMessage::new(self.clone(), MessageInput::new(role, content))
    }

    /// Appends several messages in the order given: all of them or none. Gives them with the thread's head and version
    /// behind them.
    pub fn add_messages<I>(&self, batch: I) -> AddMessages
    where
        I: IntoIterator<Item: Into<MessageInput>>,
    {
        AddMessages::new(self.clone(), batch.into_iter().map(Into::into).collect())
    }
}

/// What an append expects.
#[derive(Debug, Clone, Copy, Default)]
struct Expected {
    head: Option<Position>,
    version: Option<Version>,
}

/// [`Conversation::add_message`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct AddMessage {
    conversation: Conversation,
    input: MessageInput,
    expected: Expected,
}

impl AddMessage {
    fn new(conversation: Conversation, input: MessageInput) -> Self {
        Self { conversation, input, expected: Expected::default() }
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

    /// The id that the caller has of their own for the message, from which its id is derived unless one is given too. Calling
    /// again with the same external id stores nothing twice.
    pub fn external_id(mut self, external: ExternalId) -> Self {
        self.input = self.input.external_id(external);
        self
    }

    /// Writes only if the thread's head is at `head`: [`StoreError::Conflict`] when another writer was first.
    pub fn expect_head(mut self, head: Position) -> Self {
        self.expected.head = Some(head);
        self
    }

    /// Writes only if the thread has this version: [`StoreError::Conflict`] when somebody wrote to it since.
    pub fn expect_version(mut self, version: Version) -> Self {
        self.expected.version = Some(version);
        self
    }

    async fn run(self) -> Result<ChatMessage, Error> {
        let state = &self.conversation.state;
        let new = self.input.into_new(state.clock().now(), state.ids())?;
        let id = new.id;
        let stored = append(&self.conversation, vec![new], self.expected).await?;
        let missing = || StoreError::message_not_found(id);
        Ok(stored.messages.into_iter().next().ok_or_else(missing)?)
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
    expected: Expected,
}

impl AddMessages {
    fn new(conversation: Conversation, inputs: Vec<MessageInput>) -> Self {
        Self { conversation, inputs, expected: Expected::default() }
    }

    /// Writes only if the thread's head is at `head`: [`StoreError::Conflict`] when another writer was first.
    pub fn expect_head(mut self, head: Position) -> Self {
        self.expected.head = Some(head);
        self
    }

    /// Writes only if the thread has this version: [`StoreError::Conflict`] when somebody wrote to it since.
    pub fn expect_version(mut self, version: Version) -> Self {
        self.expected.version = Some(version);
        self
    }

    async fn run(self) -> Result<Appended, Error> {
        let state = &self.conversation.state;
        let (now, ids) = (state.clock().now(), state.ids());
        let new: Result<_, _> = self.inputs.into_iter().map(|input| input.into_new(now, ids)).collect();
        append(&self.conversation, new?, self.expected).await
    }
}

impl IntoFuture for AddMessages {
    type Output = Result<Appended, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

async fn append(
    conversation: &Conversation,
    messages: Vec<NewMessage>,
    expected: Expected,
) -> Result<Appended, Error> {
    let Conversation { state, thread, branch } = conversation;
    let mut append = Append::new(messages).branch(*branch);
    (append.expect_head, append.expect_version) = (expected.head, expected.version);
    Ok(state.repository().append(state.scope(), *thread, append).await?)
}
