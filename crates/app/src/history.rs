//! The window in front of the store.

pub(crate) mod add;
pub(crate) mod builder;
pub(crate) mod load;
mod prompt;

use std::sync::Arc;

use chatkeep_domain::window::Window;
use chatkeep_domain::{InvalidArgument, Message, MessageId, Position, TokenCounter, ToolCall};

use crate::conversation::Conversation;
use crate::error::Error;
use crate::write_behind::{FailedMessage, WriteBehind};

/// The messages of a conversation that fit a model's context window, with the store behind them if there is one.
///
/// Only the window is in memory. [`domain::window`](crate::domain::window) says which messages leave it, which stay together,
/// and in which order they come. In short: system messages are pinned; a tool's results stand right behind their
/// calls, whatever the order in the store, and leave together with them; a result whose call is not there does not
/// show. The store keeps all messages in the order in which they were added. The window changes nothing of that.
///
/// The window knows the ids of its messages and of the last 10,000 messages that left it. Adding a message again with
/// the same [id](crate::AddToHistory::id) changes nothing, and the first content stays. An edit in the store shows
/// after the next [`load_from_db`](ConversationHistory::load_from_db).
///
/// With [`persist_to_db`](crate::ConversationHistoryBuilder::persist_to_db), `add_*` returns when the message is
/// durable. After an error the message is not in the window. With
/// [`write_behind`](crate::ConversationHistoryBuilder::write_behind), `add_*` returns when the message is queued: see
/// [`WriteBehind`]. If a request is dropped halfway, or ends with a transient error, the message may be stored or
/// not; [`load_from_db`](ConversationHistory::load_from_db) shows what is stored.
///
/// A history belongs to one [`Conversation`], which its [builder](crate::ConversationHistoryBuilder::conversation)
/// was given, for as long as it lives. Without a conversation it is in memory only.
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

impl ConversationHistory {
    /// The messages of the window, as a model is to see them: oldest first, and each result right behind its call.
    /// With `last_n`, only the newest whole groups that have at most `last_n` messages together. These may be fewer
    /// than `last_n` messages, because a tool call is never given without its results. A system message counts like
    /// any other here.
    pub fn get_messages(&self, last_n: impl Into<Option<usize>>) -> Vec<Message> {
        self.chosen(last_n.into()).cloned().collect()
    }

    /// The window as lines of text, for a prompt: `User: …`, `Assistant: …`, `Tool (name): …`, `System: …`, `Developer: …`; a tool call
    /// is `Assistant: name(arguments)`. `last_n` as in [`get_messages`](ConversationHistory::get_messages).
    pub fn format_for_prompt(&self, include_system: bool, last_n: impl Into<Option<usize>>) -> String {
        let lines: Vec<String> = self
            .chosen(last_n.into())
            .filter(|message| include_system || !message.role.is_instruction())
            .map(prompt::line)
            .collect();
        lines.join("\n")
    }

    /// The messages of the window, as a model is to see them, without copying them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.window.messages()
    }

    /// Empties the window, which forgets all ids and calls. The store stays as it is, and messages that wait to be
    /// written are still written.
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

    /// The calls in the window that no result has answered, in the order in which they were made. After a crash
    /// between a call and its result, [`load_from_db`](ConversationHistory::load_from_db) brings the call back here.
    pub fn pending_tool_calls(&self) -> Vec<ToolCall<'_>> {
        self.window.pending_tool_calls()
    }

    /// The conversation behind the window, if there is one.
    pub fn conversation(&self) -> Option<&Conversation> {
        self.conversation.as_ref()
    }

    /// Waits until every message is durable. Without write-behind every message always is.
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

    /// Hands back the messages that write-behind could not store: see [`WriteBehind::take_failed`]. They stay in the
    /// window.
    pub async fn take_failed(&self) -> Vec<FailedMessage> {
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
}

fn no_conversation(why: &'static str) -> Error {
    InvalidArgument::new("conversation", why, "another or none").into()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod window_tests;
