//! Sets up a history.

use std::sync::Arc;

use chatkeep_domain::window::{Window, WindowLimits};
use chatkeep_domain::{CharEstimate, ThreadId, TokenCounter};

use super::{ConversationHistory, Persistence, no_state_manager};
use crate::{Error, StateManager, WriteBehind, WriteBehindConfig};

/// [`ConversationHistory::builder`].
#[derive(Debug, Default)]
#[must_use = "nothing happens until it is built"]
pub struct ConversationHistoryBuilder {
    max_messages: Option<usize>,
    max_tokens: Option<usize>,
    counter: Option<Arc<dyn TokenCounter>>,
    state: Option<StateManager>,
    persist_to_db: Option<bool>,
    write_behind: Option<WriteBehindConfig>,
    thread: Option<ThreadId>,
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

    /// What counts tokens; [`CharEstimate`] unless this is called.
    pub fn token_counter(mut self, counter: impl TokenCounter + 'static) -> Self {
        self.counter = Some(Arc::new(counter));
        self
    }

    /// The conversations behind the window.
    pub fn state_manager(mut self, state: StateManager) -> Self {
        self.state = Some(state);
        self
    }

    /// Whether what is added is also stored. Unless this is called, [`StateManager::persistence_enabled`] says so; without
    /// a state manager it is off.
    pub fn persist_to_db(mut self, on: bool) -> Self {
        self.persist_to_db = Some(on);
        self
    }

    /// Stores in the background, which implies [`persist_to_db`](Self::persist_to_db).
    pub fn write_behind(mut self, config: WriteBehindConfig) -> Self {
        (self.persist_to_db, self.write_behind) = (Some(true), Some(config));
        self
    }

    /// The thread behind the window, whichever is current, until another one is loaded.
    pub fn thread(mut self, thread: ThreadId) -> Self {
        self.thread = Some(thread);
        self
    }

    /// The history, with an empty window.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::InvalidArgument) for a limit of 0, or for persistence without a state manager; what
    /// [`WriteBehind::new`] refuses.
    pub fn build(self) -> Result<ConversationHistory, Error> {
        let limits = WindowLimits::new(self.max_messages, self.max_tokens)?;
        let configured = || self.state.as_ref().is_some_and(StateManager::persistence_enabled);
        if !self.persist_to_db.unwrap_or_else(configured) {
            return Ok(self.with(limits, Persistence::Off));
        }
        let state = self.state.clone();
        let state = state.ok_or_else(|| no_state_manager("must be given when messages are to be stored"))?;
        let persistence = match self.write_behind {
            Some(config) => Persistence::Behind(WriteBehind::new(state, config)?),
            None => Persistence::Direct,
        };
        Ok(self.with(limits, persistence))
    }

    pub(super) fn unlimited(self) -> ConversationHistory {
        self.with(WindowLimits::UNLIMITED, Persistence::Off)
    }

    fn with(self, limits: WindowLimits, persistence: Persistence) -> ConversationHistory {
        ConversationHistory {
            window: Window::new(limits),
            counter: self.counter.unwrap_or_else(|| Arc::new(CharEstimate)),
            state: self.state,
            persistence,
            fixed: self.thread,
            thread: self.thread,
        }
    }
}
