//! Fills the window from the store.

use chatkeep_domain::window::{Candidate, WindowLimits, select};
use chatkeep_domain::{
    BranchId, ChatMessage, Cursor, MAX_PAGE_LEN, Message, MessageFilter, MessageId, MessageQuery, Position,
    Role, StoreError, ThreadId, TokenCounter,
};

use crate::conversation::Conversation;
use crate::error::Error;
use crate::history::{ConversationHistory, no_conversation};
use crate::state_manager::StateManager;
use crate::stream::{End, MessageStream, Part};

/// How many messages of a window without a limit in messages are read at a time.
const PART_LEN: usize = 200;

/// How many messages before a result are read until it is sure that it came before its call, and does not answer an
/// earlier call of the same id.
const SURE: usize = 50;

impl ConversationHistory {
    /// Fills the window anew from its conversation.
    ///
    /// The history reads back from the newest message, part by part, until the window is full, and then the earlier
    /// messages of the system and the developer, which are pinned. Messages that wait to be written are flushed
    /// first. After an error the window is as it was.
    ///
    /// Calls without a result are found in the messages that were read. Those in the window are
    /// [pending](ConversationHistory::pending_tool_calls); [`add_tool_result`](ConversationHistory::add_tool_result)
    /// can answer the others too.
    ///
    /// A stored message that cannot be decoded is left out and reported in [`Loaded`]. A tool call or a result in it
    /// is missing in the window, as if it were not stored.
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

    /// Reads the messages of the conversation that the query finds as a stream, whether they are in the window or
    /// not. Messages that wait to be written are flushed first.
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

/// What [`ConversationHistory::load_from_db`] could not read.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Loaded {
    /// The messages that could not be decoded, and so are not in the window; newest first. Only the part of the
    /// conversation that was read is known. Usually there are none.
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
    branch: BranchId,
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
        let branch = conversation.branch_id();
        Self { state, thread, branch, corrupt: Vec::new(), is_whole: false }
    }

    /// What the window could hold, oldest first.
    async fn read(&mut self, limits: &WindowLimits, counter: &dyn TokenCounter) -> Result<Vec<Read>, Error> {
        // One more than fits tells that the window is full.
        let part_len = limits.max_messages().map_or(PART_LEN, |most| most.saturating_add(1));
        let mut newest_first: Vec<Read> = Vec::new();
        let oldest = self
            .walk(MessageQuery::newest(part_len.min(MAX_PAGE_LEN)).branch(self.branch), |part| {
                newest_first.extend(part.into_iter().map(|message| Read::new(message, counter)));
                !is_full(&newest_first, limits)
            })
            .await?;
        self.is_whole = oldest.is_none();
        if let Some(oldest) = oldest {
            let instructions = MessageFilter::new().role(Role::System).role(Role::Developer);
            let earlier = MessageQuery::newest(MAX_PAGE_LEN).branch(self.branch);
            let earlier = earlier.filter(instructions).before(oldest);
            self.walk(earlier, |part| {
                newest_first.extend(part.into_iter().map(|message| Read::new(message, counter)));
                true
            })
            .await?;
        }
        newest_first.reverse();
        Ok(newest_first)
    }

    /// Shows part after part, each of as many messages as the query's limit says, until one is enough: then gives the
    /// place where it ended.
    async fn walk(
        &mut self,
        query: MessageQuery,
        mut wants_more: impl FnMut(Vec<ChatMessage>) -> bool,
    ) -> Result<Option<Position>, Error> {
        let (store, scope, thread) = (self.state.repository(), self.state.scope(), self.thread);
        let mut messages = store.stream_messages(scope, thread, query.clone());
        loop {
            let part = Part::of(&mut messages, query.limit).await;
            let oldest = part.messages.last().map(|message| message.position);
            if oldest.is_some() && !wants_more(part.messages) {
                return Ok(oldest);
            }
            match part.end {
                End::Open => {}
                End::Whole => return Ok(None),
                End::Failed(error) => {
                    let behind = self.note_corrupt(error, &query)?;
                    messages = store.stream_messages(scope, thread, query.clone().behind(behind));
                }
            }
        }
    }

    /// Notes a row that cannot be decoded; gives where the reading goes on.
    fn note_corrupt(&mut self, error: StoreError, query: &MessageQuery) -> Result<Cursor, Error> {
        let StoreError::CorruptRow { behind: Some(behind), .. } = &error else {
            return Err(error.into());
        };
        let behind = behind.clone();
        // From the newest back, what is behind the row is before its position.
        let (after, before) = query.clone().behind(behind.clone()).validate(self.thread)?;
        let position = before.unwrap_or(after);
        tracing::warn!(thread_id = %self.thread, %position, "a message cannot be decoded, and is left out of the window");
        self.corrupt.push(CorruptMessage { position, error });
        Ok(behind)
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
