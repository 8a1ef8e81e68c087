//! The window in front of the store.

mod add;
mod builder;
mod load;
mod prompt;

use std::sync::Arc;

use chatkeep_domain::window::Window;
use chatkeep_domain::{
    Content, ConversationRepositoryExt, InvalidArgument, Message, MessageId, NewMessage, Position, Role,
    ThreadId, TokenCounter, ToolCall,
};
use serde_json::{Value, json};

pub use self::add::{AddToHistory, Added};
pub use self::builder::ConversationHistoryBuilder;
pub use self::load::{CorruptMessage, Loaded};
use crate::conversation::Conversation;
use crate::error::Error;
use crate::input::MessageInput;
use crate::write_behind::WriteBehind;

/// The messages of a conversation that fit a model's context window, with the store behind them if there is one.
///
/// Only the window is held. What leaves it, what stays together and in which order it comes is told in
/// [`domain::window`](crate::window): system messages are pinned; a tool's results stand right behind their calls,
/// whatever the order in the store, and leave together with them; a result whose call is not there does not show. All
/// of it is stored in the order in which it was added: what the window shows changes nothing of what is durable.
///
/// The window knows the ids of its messages, and of the last 10,000 that left it: a message that is added again with
/// the same [id](AddToHistory::id) changes nothing. The first content stays; an edit in the store shows after the next
/// [`load_from_db`](ConversationHistory::load_from_db).
///
/// With [`persist_to_db`](ConversationHistoryBuilder::persist_to_db), `add_*` returns when the message is durable; on
/// an error the window does not contain it. With
/// [`write_behind`](ConversationHistoryBuilder::write_behind) it returns when the message is queued: see
/// [`WriteBehind`]. A request that is dropped halfway has an unknown outcome, as has one with a transient error;
/// [`load_from_db`](ConversationHistory::load_from_db) settles it.
///
/// A window shows one [`Conversation`] for as long as it lives, the [builder's](ConversationHistoryBuilder::conversation).
/// Without one, it is in memory only.
///
/// ```
/// use chatkeep::ConversationHistory;
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), chatkeep::Error> {
/// let mut history = ConversationHistory::builder().max_tokens(1_000).build()?;
/// history.add_user_message("How is the weather in Oslo?").await?;
/// history.add_tool_call("call_1", "weather", json!({"city": "Oslo"})).await?;
/// assert_eq!(history.pending_tool_calls()[0].id, "call_1");
///
/// history.add_tool_result("weather", "rain").await?;
/// assert!(history.pending_tool_calls().is_empty());
/// assert_eq!(history.len(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ConversationHistory {
    window: Window,
    counter: Arc<dyn TokenCounter>,
    conversation: Option<Conversation>,
    persistence: Persistence,
    /// What is stored up to here was there when the window was loaded: it shows, or was left out then.
    loaded_through: Option<Position>,
}

#[derive(Debug)]
enum Persistence {
    Off,
    Direct,
    Behind(WriteBehind),
}

impl Default for ConversationHistory {
    /// In memory, without limits.
    fn default() -> Self {
        Self::builder().unlimited()
    }
}

impl ConversationHistory {
    /// Sets up a history: without further ado, in memory and without limits.
    pub fn builder() -> ConversationHistoryBuilder {
        ConversationHistoryBuilder::default()
    }

    /// Adds a message.
    ///
    /// A [transient](Error::is_transient) error leaves open whether it was stored. To call again without storing it
    /// twice, choose its id before the first call, and give the same one each time: [`AddToHistory::id`].
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

    /// Adds the model's request to run a tool. Parallel calls in one message, [`Content::parts`], are stored as one; several
    /// messages in a row are understood as well, but a crash may come between them.
    pub fn add_tool_call(
        &mut self,
        id: impl Into<String>,
        name: impl Into<String>,
        arguments: Value,
    ) -> AddToHistory<'_> {
        self.add_message(Role::Assistant, Content::tool_call(id, name, arguments))
    }

    /// Adds a tool's answer to the oldest call of this tool that has none. The call need not be in the window any more:
    /// the last 10,000 that left are remembered, of what was added and of what was read by
    /// [`load_from_db`](ConversationHistory::load_from_db).
    ///
    /// Without such a call it is an [`InvalidArgument`], and nothing is stored: such a result could never be told from
    /// others. [`add_tool_result_for`](ConversationHistory::add_tool_result_for) names the call. The same add again
    /// with the same [id](AddToHistory::id) gives the message that was stored.
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

    /// The messages of the window, as a model is to see them: oldest first, and each result right behind its call. Or the
    /// newest whole groups of at most `last_n` messages together, which may be fewer than there are, because a tool call
    /// is never given without its results. A system message counts like any other here.
    pub fn get_messages(&self, last_n: impl Into<Option<usize>>) -> Vec<Message> {
        self.chosen(last_n.into()).cloned().collect()
    }

    /// The window as lines of text, for a prompt: `User: …`, `Assistant: …`, `Tool (name): …`, `System: …`; a tool call
    /// is `Assistant: name(arguments)`. `last_n` as in [`get_messages`](ConversationHistory::get_messages).
    pub fn format_for_prompt(&self, include_system: bool, last_n: impl Into<Option<usize>>) -> String {
        let lines: Vec<String> = self
            .chosen(last_n.into())
            .filter(|message| include_system || message.role != Role::System)
            .map(prompt::line)
            .collect();
        lines.join("\n")
    }

    /// The messages of the window, as a model is to see them, without copying them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.window.messages()
    }

    /// Empties the window, which forgets all ids and calls. The store is left alone; so is what still waits to be
    /// written.
    pub fn clear(&mut self) {
        self.window.clear();
        self.loaded_through = None;
    }

    /// How many messages are in the window.
    pub fn len(&self) -> usize {
        self.window.len()
    }

    /// Whether the window is empty.
    pub fn is_empty(&self) -> bool {
        self.window.is_empty()
    }

    /// The tokens of the window, as the token counter counts them.
    pub fn token_count(&self) -> usize {
        self.window.tokens()
    }

    /// The calls in the window that no result has answered, in the order in which they were made. After a crash between a call and its result,
    /// [`load_from_db`](ConversationHistory::load_from_db) brings it back here.
    pub fn pending_tool_calls(&self) -> Vec<ToolCall<'_>> {
        self.window.pending_tool_calls()
    }

    /// The conversation behind the window, if there is one.
    pub fn conversation(&self) -> Option<&Conversation> {
        self.conversation.as_ref()
    }

    /// Waits until everything is durable. Without write-behind it always is.
    ///
    /// # Errors
    /// As [`WriteBehind::flush`].
    pub async fn flush(&self) -> Result<(), Error> {
        match &self.persistence {
            Persistence::Behind(behind) => behind.flush().await,
            Persistence::Off | Persistence::Direct => Ok(()),
        }
    }

    /// Waits until everything is durable, and ends write-behind: a later `add_*` is [`Error::Closed`]. Without
    /// write-behind there is nothing to end.
    ///
    /// # Errors
    /// As [`WriteBehind::close`].
    pub async fn close(&self) -> Result<(), Error> {
        match &self.persistence {
            Persistence::Behind(behind) => behind.close().await,
            Persistence::Off | Persistence::Direct => Ok(()),
        }
    }

    /// Hands back what write-behind could not store: see [`WriteBehind::take_failed`]. It stays in the window.
    pub async fn take_failed(&self) -> Vec<(ThreadId, NewMessage)> {
        match &self.persistence {
            Persistence::Behind(behind) => behind.take_failed().await,
            Persistence::Off | Persistence::Direct => Vec::new(),
        }
    }

    fn chosen(&self, last_n: Option<usize>) -> impl Iterator<Item = &Message> {
        let last = last_n.map(|count| self.window.last(count));
        let all = last.is_none().then(|| self.window.messages());
        all.into_iter().flatten().chain(last.into_iter().flatten())
    }

    fn enter(&mut self, id: Option<MessageId>, message: Message) -> bool {
        let tokens = self.counter.count(&message);
        self.window.push(id, message, tokens)
    }

    /// Stores a message where that is on, then lets it into the window.
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
            return Ok((behind.push_new(thread, new).await?, None, message));
        }
        let stored = state.repository().append_one(state.scope(), thread, new).await?;
        Ok((stored.id, Some(stored.position), Message::from(stored)))
    }
}

fn no_conversation(why: &'static str) -> Error {
    InvalidArgument::new("conversation", why, "none").into()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod window_tests;
