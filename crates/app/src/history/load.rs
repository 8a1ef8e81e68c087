//! Fills the window from the store.

use chatkeep_domain::window::{Candidate, WindowLimits, select};
use chatkeep_domain::{
    ChatMessage, ConversationRepositoryExt, MAX_PAGE_LEN, Message, MessageQuery, Position, Role, StoreError,
    ThreadId, TokenCounter,
};

use super::{ConversationHistory, no_conversation};
use crate::conversation::{Conversation, StreamMessages};
use crate::error::Error;
use crate::state_manager::StateManager;

/// A page of a window without a limit in messages.
const PAGE_LEN: usize = 200;

impl ConversationHistory {
    /// Replaces the window by what fits it of its conversation.
    ///
    /// It reads back from the newest message, page by page, as far as the window needs, and then the earlier system
    /// messages, which are pinned. What waits to be written is flushed first. After an error the window is as it was.
    ///
    /// A stored message that cannot be decoded is passed over and reported in [`Loaded`]. A tool call or a result in it
    /// is missing to the window, as if it were not stored.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::InvalidArgument) without a conversation; [`Error::Store`]; what
    /// [`flush`](ConversationHistory::flush) answers.
    pub async fn load_from_db(&mut self) -> Result<Loaded, Error> {
        self.flush().await?;
        let mut reader = Reader::of(self.stored()?);
        let messages = reader.read(self.window.limits(), &*self.counter).await?;
        let Reader { corrupt, .. } = reader;
        self.window.clear();
        for (message, tokens) in messages {
            self.window.push(message, tokens);
        }
        Ok(Loaded { corrupt })
    }

    /// Reads the messages of the conversation one by one: all that is stored, in the window or not. What waits to be
    /// written is flushed first.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chatkeep::Error> {
    /// # let state = chatkeep::StateManager::new(
    /// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
    /// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
    /// # );
    /// # let chat = state.conversation(state.create_thread("Weather").await?.id);
    /// let builder = chatkeep::ConversationHistory::builder().max_messages(1).conversation(chat);
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
        StreamMessages::new(async {
            self.flush().await?;
            self.stored().cloned()
        })
    }

    fn stored(&self) -> Result<&Conversation, Error> {
        self.conversation.as_ref().ok_or_else(|| no_conversation("must be given to load from"))
    }
}

/// What [`ConversationHistory::load_from_db`] met.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Loaded {
    /// The stored messages that could not be decoded, and so are not in the window: of the part of the conversation that
    /// was read, the newest first. Usually there are none.
    pub corrupt: Vec<CorruptMessage>,
}

/// A stored message that cannot be decoded.
#[derive(Debug)]
#[non_exhaustive]
pub struct CorruptMessage {
    /// Its place in the thread.
    pub position: Position,
    /// [`StoreError::CorruptRow`], with the message's id.
    pub error: StoreError,
}

/// Reads a conversation from its newest message back, around rows that cannot be decoded.
struct Reader<'a> {
    state: &'a StateManager,
    thread: ThreadId,
    corrupt: Vec<CorruptMessage>,
}

impl<'a> Reader<'a> {
    fn of(conversation: &'a Conversation) -> Self {
        let (state, thread) = (conversation.state_manager(), conversation.thread_id());
        Self { state, thread, corrupt: Vec::new() }
    }

    /// What the window could hold, with its tokens, oldest first.
    async fn read(
        &mut self,
        limits: &WindowLimits,
        counter: &dyn TokenCounter,
    ) -> Result<Vec<(Message, usize)>, Error> {
        // One more than fits tells that the window is full.
        let page_len = limits.max_messages().map_or(PAGE_LEN, |most| most.saturating_add(1));
        let mut newest_first: Vec<(Message, usize)> = Vec::new();
        let oldest = self
            .walk(MessageQuery::newest(page_len.min(MAX_PAGE_LEN)), |page| {
                newest_first.extend(page.into_iter().map(|message| counted(message, counter)));
                !is_full(&newest_first, limits)
            })
            .await?;
        if let Some(oldest) = oldest {
            let earlier = MessageQuery::newest(MAX_PAGE_LEN).role(Role::System).before(oldest);
            self.walk(earlier, |page| {
                newest_first.extend(page.into_iter().map(|message| counted(message, counter)));
                true
            })
            .await?;
        }
        newest_first.reverse();
        Ok(newest_first)
    }

    /// Shows page after page, until one says that it is enough: then gives the place where it ended.
    async fn walk(
        &mut self,
        query: MessageQuery,
        mut wants_more: impl FnMut(Vec<ChatMessage>) -> bool,
    ) -> Result<Option<Position>, Error> {
        let order = query.order;
        let mut pages = self.state.repository().message_pages(self.state.scope(), self.thread, query);
        loop {
            match pages.next_page().await {
                Ok(None) => return Ok(None),
                Ok(Some(page)) => {
                    let oldest = page.last().map(|message| message.position);
                    if !wants_more(page) {
                        return Ok(oldest);
                    }
                }
                Err(StoreError::CorruptRow { entity, id, behind: Some(behind), source }) => {
                    let position = behind.message_position(self.thread, order)?;
                    tracing::warn!(thread_id = %self.thread, %position, "a message cannot be decoded, and is left out of the window");
                    let error = StoreError::CorruptRow { entity, id, behind: Some(behind), source };
                    self.corrupt.push(CorruptMessage { position, error });
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn counted(message: ChatMessage, counter: &dyn TokenCounter) -> (Message, usize) {
    let message = Message::from(message);
    let tokens = counter.count(&message);
    (message, tokens)
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
