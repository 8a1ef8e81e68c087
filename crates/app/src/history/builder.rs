//! Sets up a history.

use std::sync::Arc;

use chatkeep_domain::window::{Window, WindowLimits};
use chatkeep_domain::{CharEstimate, TokenCounter};

use crate::conversation::Conversation;
use crate::error::Error;
use crate::history::{ConversationHistory, Persistence, no_conversation};
use crate::write_behind::{WriteBehind, WriteBehindConfig};

impl ConversationHistory {
    /// Sets up a history. Unless told otherwise, a history is in memory only and has no limits.
    pub fn builder() -> ConversationHistoryBuilder {
        ConversationHistoryBuilder::default()
    }
}

impl Default for ConversationHistory {
    /// In memory, without limits.
    fn default() -> Self {
        Self::builder().unlimited()
    }
}

/// [`ConversationHistory::builder`].
#[derive(Debug, Default)]
#[must_use = "nothing happens until it is built"]
pub struct ConversationHistoryBuilder {
    max_messages: Option<usize>,
    max_tokens: Option<usize>,
    counter: Option<Arc<dyn TokenCounter>>,
    conversation: Option<Conversation>,
    persist_to_db: Option<bool>,
    write_behind: Option<WriteBehindConfig>,
}

impl ConversationHistoryBuilder {
    /// The most messages of the window; `None` is no limit.
    pub fn max_messages(mut self, messages: impl Into<Option<usize>>) -> Self {
        self.max_messages = messages.into();
        self
    }

    /// The most tokens of the window; `None` is no limit.
    pub fn max_tokens(mut self, tokens: impl Into<Option<usize>>) -> Self {
        self.max_tokens = tokens.into();
        self
    }

    /// Counts the tokens of messages; [`CharEstimate`] unless this is called.
    pub fn token_counter(mut self, counter: impl TokenCounter + 'static) -> Self {
        self.counter = Some(Arc::new(counter));
        self
    }

    /// The conversation behind the window; without one, the history is in memory only.
    pub fn conversation(mut self, conversation: Conversation) -> Self {
        self.conversation = Some(conversation);
        self
    }

    /// Whether messages that are added are also stored. Unless this is called,
    /// [`StateManager::persistence_enabled`](crate::StateManager::persistence_enabled) decides; without a
    /// conversation nothing is stored.
    pub fn persist_to_db(mut self, on: bool) -> Self {
        self.persist_to_db = Some(on);
        self
    }

    /// Stores in the background, which implies [`persist_to_db`](Self::persist_to_db).
    pub fn write_behind(mut self, config: WriteBehindConfig) -> Self {
        (self.persist_to_db, self.write_behind) = (Some(true), Some(config));
        self
    }

    /// The history, with an empty window.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::InvalidArgument) for a limit of 0, or for persistence without a conversation; what
    /// [`WriteBehind::new`] refuses.
    pub fn build(self) -> Result<ConversationHistory, Error> {
        let limits = WindowLimits::new(self.max_messages, self.max_tokens)?;
        let configured = || {
            let conversation = self.conversation.as_ref();
            conversation.is_some_and(|conversation| conversation.state_manager().persistence_enabled())
        };
        if !self.persist_to_db.unwrap_or_else(configured) {
            return Ok(self.with(limits, Persistence::Off));
        }
        let Some(conversation) = &self.conversation else {
            return Err(no_conversation("must be given when messages are to be stored"));
        };
        let persistence = match self.write_behind {
            Some(config) => {
                Persistence::Behind(WriteBehind::new(conversation.state_manager().clone(), config)?)
            }
            None => Persistence::Direct,
        };
        Ok(self.with(limits, persistence))
    }

    fn unlimited(self) -> ConversationHistory {
        self.with(WindowLimits::UNLIMITED, Persistence::Off)
    }

    fn with(self, limits: WindowLimits, persistence: Persistence) -> ConversationHistory {
        ConversationHistory {
            window: Window::new(limits),
            counter: self.counter.unwrap_or_else(|| Arc::new(CharEstimate)),
            conversation: self.conversation,
            persistence,
            loaded_through: None,
        }
    }
}
