//! Fills the window from the store.

use chatkeep_domain::window::{Candidate, WindowLimits, select};
use chatkeep_domain::{
    ChatMessage, ConversationRepositoryExt, MAX_PAGE_LEN, Message, MessageFilter, MessageId, MessageQuery,
    Position, Role, StoreError, ThreadId, TokenCounter,
};

use crate::conversation::Conversation;
use crate::error::Error;
use crate::history::{ConversationHistory, no_conversation};
use crate::state_manager::StateManager;
use crate::stream::MessageStream;

/// A page of a window without a limit in messages.
const PAGE_LEN: usize = 200;

/// How many messages before a result are read until it is sure that it came before its call, and does not answer an
/// earlier call of the same id.
const SURE: usize = 50;

impl ConversationHistory {
    /// Replaces the window by what fits it of its conversation.
    ///
    /// It reads back from the newest message, page by page, as far as the window needs, and then the earlier messages
    /// of the system and the developer, which are pinned. What waits to be written is flushed first. After an error the window is as it was.
    ///
    /// Calls without a result are known as far as it read: those that fit the window are
    /// [pending](ConversationHistory::pending_tool_calls), and [`add_tool_result`](ConversationHistory::add_tool_result)
    /// answers the others as well.
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
        let Reader { corrupt, is_whole, .. } = reader;
        self.clear();
        self.loaded_through = messages.iter().map(|read| read.position).max();
        for Read { id, message, tokens, .. } in messages {
            self.window.push(id, message, tokens);
        }
        if !is_whole || !corrupt.is_empty() {
            // Their calls are in what was not read.
            self.window.give_up_waiting();
        }
        Ok(Loaded { corrupt })
    }

    /// Reads what the query finds of the conversation one by one, in the window or not. What waits to be written is flushed
    /// first.
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
    /// let mut messages = history.stream_messages(chatkeep::MessageQuery::default()).await?;
    /// let first = messages.next().await.transpose()?;
    /// assert_eq!(first.unwrap().content.as_text(), Some("How is the weather?"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Conversation::stream_messages`]; [`InvalidArgument`](crate::InvalidArgument) without a conversation; what
    /// [`flush`](ConversationHistory::flush) answers.
    pub async fn stream_messages(&self, query: MessageQuery) -> Result<MessageStream, Error> {
        self.flush().await?;
        self.stored()?.stream_messages(query)
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
    /// Whether it came to the first message.
    is_whole: bool,
}

/// A message that was read.
struct Read {
    id: MessageId,
    position: Position,
    message: Message,
    tokens: usize,
}

impl Read {
    fn new(stored: ChatMessage, counter: &dyn TokenCounter) -> Self {
        let (id, position, message) = (stored.id, stored.position, Message::from(stored));
        let tokens = counter.count(&message);
        Self { id, position, message, tokens }
    }
}

impl<'a> Reader<'a> {
    fn of(conversation: &'a Conversation) -> Self {
        let (state, thread) = (conversation.state_manager(), conversation.thread_id());
        Self { state, thread, corrupt: Vec::new(), is_whole: false }
    }

    /// What the window could hold, oldest first.
    async fn read(&mut self, limits: &WindowLimits, counter: &dyn TokenCounter) -> Result<Vec<Read>, Error> {
        // One more than fits tells that the window is full.
        let page_len = limits.max_messages().map_or(PAGE_LEN, |most| most.saturating_add(1));
        let mut newest_first: Vec<Read> = Vec::new();
        let oldest = self
            .walk(MessageQuery::newest(page_len.min(MAX_PAGE_LEN)), |page| {
                newest_first.extend(page.into_iter().map(|message| Read::new(message, counter)));
                !is_full(&newest_first, limits)
            })
            .await?;
        self.is_whole = oldest.is_none();
        if let Some(oldest) = oldest {
            let instructions = MessageFilter::new().role(Role::System).role(Role::Developer);
            let earlier = MessageQuery::newest(MAX_PAGE_LEN).filter(instructions).before(oldest);
            self.walk(earlier, |page| {
                newest_first.extend(page.into_iter().map(|message| Read::new(message, counter)));
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
        let repository = self.state.repository();
        let mut pages = repository.message_pages(self.state.scope(), self.thread, query.clone());
        loop {
            match pages.next_page().await {
                Ok(None) => return Ok(None),
                Ok(Some(page)) => {
                    let oldest = page.last().map(|message| message.position);
                    if !wants_more(page) {
                        return Ok(oldest);
                    }
                }
                Err(error) => {
                    let StoreError::CorruptRow { behind: Some(behind), .. } = &error else {
                        return Err(error.into());
                    };
                    // From the newest back, what is behind the row is before its position.
                    let (after, before) = query.clone().behind(behind.clone()).validate(self.thread)?;
                    let position = before.unwrap_or(after);
                    tracing::warn!(thread_id = %self.thread, %position, "a message cannot be decoded, and is left out of the window");
                    self.corrupt.push(CorruptMessage { position, error });
                }
            }
        }
    }
}

/// Whether nothing older would change what shows, system messages aside.
fn is_full(newest_first: &[Read], limits: &WindowLimits) -> bool {
    if *limits == WindowLimits::UNLIMITED {
        return false;
    }
    let candidates = newest_first.iter().rev();
    let candidates =
        candidates.map(|read| Candidate::new(read.message.role, &read.message.content, read.tokens));
    let selection = select(candidates, limits);
    selection.full && selection.early.is_none_or(|at| at >= SURE)
}
