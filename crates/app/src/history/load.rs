//! Fills the window from the store.

use chatkeep_domain::window::{Candidate, WindowLimits, select};
use chatkeep_domain::{
    ChatMessage, ConversationRepositoryExt, MAX_PAGE_LEN, Message, MessageQuery, Order, Role, ThreadId,
    TokenCounter,
};

use super::{ConversationHistory, no_state_manager};
use crate::state_manager::Of;
use crate::{Error, StateManager, StreamMessages};

/// A page of a window without a limit in messages.
const PAGE_LEN: usize = 200;

impl ConversationHistory {
    /// Replaces the window by what fits it of a thread: of the one that is named, or else the window's own, or else
    /// the current one. What is added later goes to the same thread, whatever the builder said.
    ///
    /// It reads back from the newest message, page by page, as far as the window needs, and then the earlier system
    /// messages, which are pinned. What waits to be written is flushed first. After an error the window is as it was.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::InvalidArgument) without a state manager; [`Error::NoCurrentThread`];
    /// [`Error::Store`]; what [`flush`](ConversationHistory::flush) answers.
    pub async fn load_from_db(&mut self, thread: impl Into<Option<ThreadId>>) -> Result<(), Error> {
        let named = thread.into();
        self.flush().await?;
        let state = self.state_manager()?;
        let thread = state.resolve(named.or(self.thread))?;
        let messages = read(state, thread, self.window.limits(), &*self.counter).await?;
        self.window.clear();
        self.thread = Some(thread);
        for (message, tokens) in messages {
            self.window.push(None, message, tokens);
        }
        Ok(())
    }

    /// Reads the messages of the window's thread, or of the current one, one by one: all that is stored, in the window
    /// or not. What waits to be written is flushed first.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chatkeep::Error> {
    /// # let state = chatkeep::StateManager::new(
    /// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
    /// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
    /// # );
    /// # state.create_thread("Weather").await?;
    /// let builder = chatkeep::ConversationHistory::builder().max_messages(1).state_manager(state);
    /// let mut history = builder.persist_to_db(true).build()?;
    /// history.add_user_message("How is the weather?").await?;
    /// history.add_assistant_message("Rain.").await?;
    ///
    /// let mut messages = history.stream_messages().await?;
    /// let first = messages.next().await.transpose()?;
    /// assert_eq!(first.unwrap().content.as_text(), Some("How is the weather?"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream_messages(&self) -> StreamMessages<'_> {
        StreamMessages::new(Of::History(self))
    }

    pub(crate) fn state_manager(&self) -> Result<&StateManager, Error> {
        self.state.as_ref().ok_or_else(|| no_state_manager("must be given to load from"))
    }
}

/// What the window could hold of a thread, with its tokens, oldest first.
async fn read(
    state: &StateManager,
    thread: ThreadId,
    limits: &WindowLimits,
    counter: &dyn TokenCounter,
) -> Result<Vec<(Message, usize)>, Error> {
    // One more than fits tells that the window is full.
    let page_len = limits.max_messages().map_or(PAGE_LEN, |most| most.saturating_add(1));
    let query = MessageQuery::newest(page_len.min(MAX_PAGE_LEN));
    let count = |message: ChatMessage| {
        let message = Message::from(message);
        let tokens = counter.count(&message);
        (message, tokens)
    };
    let repository = state.repository();
    let mut pages = repository.message_pages(state.scope(), thread, query);
    let mut newest_first: Vec<(Message, usize)> = Vec::new();
    let mut oldest = None;
    while let Some(page) = pages.next_page().await? {
        oldest = page.last().map(|message| message.position);
        newest_first.extend(page.into_iter().map(count));
        if is_full(&newest_first, limits) {
            break;
        }
        oldest = None;
    }
    if let Some(oldest) = oldest {
        let earlier = MessageQuery::default().order(Order::NewestFirst).role(Role::System).before(oldest);
        let system = repository.read_messages(state.scope(), thread, earlier, None).await?;
        newest_first.extend(system.into_iter().map(count));
    }
    newest_first.reverse();
    Ok(newest_first)
}

/// Whether nothing older would fit, system messages aside.
fn is_full(newest_first: &[(Message, usize)], limits: &WindowLimits) -> bool {
    if *limits == WindowLimits::UNLIMITED {
        return false;
    }
    let candidates = newest_first.iter().rev().map(|(message, tokens)| Candidate {
        role: message.role,
        content: &message.content,
        tokens: *tokens,
    });
    select(candidates, limits).full
}
