//! The request that adds to a history.

use std::future::IntoFuture;

use chatkeep_domain::{
    Append, Content, InvalidArgument, Message, MessageId, Metadata, NewMessage, Position, Role, StoreError,
    UserId,
};
use serde_json::{Value, json};

use crate::conversation::Conversation;
use crate::error::Error;
use crate::history::{ConversationHistory, Persistence};
use crate::input::{BoxFuture, MessageInput};

impl ConversationHistory {
    /// Adds a message.
    ///
    /// After a [transient](Error::is_transient) error, the message may be stored or not. Choose its id before the
    /// first call and give the same id each time ([`AddToHistory::id`]): then calling again stores nothing twice.
    pub fn add_message(&mut self, role: Role, content: impl Into<Content>) -> AddToHistory<'_> {
        AddToHistory::new(self, Ok(MessageInput::new(role, content)))
    }

    /// Adds what a person said.
    pub fn add_user_message(&mut self, content: impl Into<Content>) -> AddToHistory<'_> {
        self.add_message(Role::User, content)
    }

    /// Adds what the model said.
    pub fn add_assistant_message(&mut self, content: impl Into<Content>) -> AddToHistory<'_> {
        self.add_message(Role::Assistant, content)
    }

    /// Adds instructions to the model; they stay in the window.
    pub fn add_system_message(&mut self, content: impl Into<Content>) -> AddToHistory<'_> {
        self.add_message(Role::System, content)
    }

    /// Adds the model's request to run a tool. Add parallel calls as one message ([`Content::parts`]). Several
    /// messages in a row are understood as parallel calls too, but a crash may come between them.
    pub fn add_tool_call(
        &mut self,
        id: impl Into<String>,
        name: impl Into<String>,
        arguments: Value,
    ) -> AddToHistory<'_> {
        self.add_message(Role::Assistant, Content::tool_call(id, name, arguments))
    }

    /// Adds a tool's answer to the oldest unanswered call of this tool. The call may have left the window: the
    /// history remembers the last 10,000 calls that left, of those that were added and of those that
    /// [`load_from_db`](ConversationHistory::load_from_db) read.
    ///
    /// If there is no such call, the request fails with [`InvalidArgument`] and stores nothing, because nothing says
    /// which call the result belongs to. [`add_tool_result_for`](ConversationHistory::add_tool_result_for) names the
    /// call. Adding again with the same [id](AddToHistory::id) gives the message that was stored.
    pub fn add_tool_result(
        &mut self,
        tool_name: impl Into<String>,
        result: impl Into<Value>,
    ) -> AddToHistory<'_> {
        let (name, result) = (tool_name.into(), result.into());
        let content = match self.window.oldest_open_call(&name) {
            // Shapes without ids pair by the name.
            Some("") => Content::from_value(json!({"type": "tool_result", "name": name, "content": result})),
            Some(id) => Ok(Content::tool_result(id, name, result)),
            None => Err(InvalidArgument::new(
                "tool_name",
                "must be the tool of a call that waits for its result; add_tool_result_for names any other call",
                "a tool without one",
            )),
        };
        AddToHistory::new(self, content.map(|content| MessageInput::new(Role::Tool, content)))
    }

    /// Adds a tool's answer to the call with this id.
    pub fn add_tool_result_for(
        &mut self,
        call_id: impl Into<String>,
        tool_name: impl Into<String>,
        result: impl Into<Value>,
    ) -> AddToHistory<'_> {
        self.add_message(Role::Tool, Content::tool_result(call_id, tool_name, result))
    }

    /// Stores a message if persistence is on, and then lets the message into the window.
    async fn add(&mut self, input: MessageInput) -> Result<Added, Error> {
        let persists = !matches!(self.persistence, Persistence::Off);
        let Some(conversation) = self.conversation.as_ref().filter(|_| persists) else {
            let id = input.chosen_id();
            let in_window = self.enter(id, input.into_message()?);
            return Ok(Added { id, position: None, in_window });
        };
        let state = conversation.state_manager();
        let new = input.into_new(state.clock().now(), state.ids())?;
        let (id, position, message) = self.store(conversation, new).await?;
        let was_there = position.is_some() && position <= self.loaded_through;
        let in_window = if was_there { self.window.shows(id) } else { self.enter(Some(id), message) };
        Ok(Added { id: Some(id), position, in_window })
    }

    /// The message of this id, if it was added before.
    async fn find(&self, id: MessageId) -> Result<Option<Added>, Error> {
        let in_window = self.window.shows(id);
        let added = |position| Added { id: Some(id), position, in_window };
        match (&self.persistence, &self.conversation) {
            (Persistence::Direct, Some(conversation)) => match conversation.message(id).get().await {
                Ok(stored) => Ok(Some(added(Some(stored.position)))),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(error),
            },
            _ => Ok(self.window.knows(id).then(|| added(None))),
        }
    }

    async fn store(
        &self,
        conversation: &Conversation,
        new: NewMessage,
    ) -> Result<(MessageId, Option<Position>, Message), Error> {
        let (state, thread) = (conversation.state_manager(), conversation.thread_id());
        if let Persistence::Behind(behind) = &self.persistence {
            let message = Message::new(new.sender_role, new.content.clone());
            return Ok((behind.push_new((thread, conversation.branch_id()), new).await?, None, message));
        }
        let (id, append) = (new.id, Append::new([new]).branch(conversation.branch_id()));
        let appended = state.repository().append(state.scope(), thread, append).await?;
        let stored = appended.messages.into_iter().next().ok_or_else(|| StoreError::message_not_found(id))?;
        Ok((stored.id, Some(stored.position), Message::from(stored)))
    }
}

/// [`ConversationHistory::add_message`] and its kin.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct AddToHistory<'a> {
    history: &'a mut ConversationHistory,
    input: Result<MessageInput, InvalidArgument>,
    id: Option<MessageId>,
}

/// What became of a message that was added to a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Added {
    /// The message's id, if the message is stored or will be. Without a store, the id that was given.
    pub id: Option<MessageId>,
    /// The message's position, if the message is stored already.
    pub position: Option<Position>,
    /// Whether the message shows in the window. A tool's result whose call is not there does not show; neither does a
    /// message that was added before and has left.
    pub in_window: bool,
}

impl<'a> AddToHistory<'a> {
    fn new(history: &'a mut ConversationHistory, input: Result<MessageInput, InvalidArgument>) -> Self {
        Self { history, input, id: None }
    }

    /// Adds these keys to the content's `metadata`. A key that is there already gets the new value.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.input = self.input.map(|input| input.metadata(metadata));
        self
    }

    /// The user who sent it; for the store.
    pub fn sender(mut self, sender: UserId) -> Self {
        self.input = self.input.map(|input| input.sender(sender));
        self
    }

    /// The message's id, instead of a new one. Calling again with the same id stores nothing twice, and shows nothing
    /// twice.
    pub fn id(mut self, id: MessageId) -> Self {
        self.id = Some(id);
        self.input = self.input.map(|input| input.id(id));
        self
    }

    async fn run(self) -> Result<Added, Error> {
        match (self.input, self.id) {
            (Ok(input), _) => self.history.add(input).await,
            // The first try may have answered the call already.
            (Err(refused), Some(id)) => self.history.find(id).await?.ok_or_else(|| refused.into()),
            (Err(refused), None) => Err(refused.into()),
        }
    }
}

impl<'a> IntoFuture for AddToHistory<'a> {
    type Output = Result<Added, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
