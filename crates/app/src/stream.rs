//! The messages of a thread, one by one.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use chatkeep_domain::{
    ChatMessage, ConversationRepository, MessageQuery, Scope, StoreError, ThreadId, message_stream,
    next_message,
};
use futures_core::Stream;
use tokio::task::coop::consume_budget;

use crate::error::Error;
use crate::state_manager::StateManager;

/// After as many messages the task lets others come, where all of them are ready at once.
const AT_ONCE: usize = 64;

/// The messages of a thread, read as they are asked for: see
/// [`Conversation::stream_messages`](crate::Conversation::stream_messages).
///
/// - Nothing is read before the first message is asked for. Only a part of the messages is in memory at a time: for a
///   store that reads by pages, a page. A slow reader holds up nobody who writes.
/// - No message is skipped or repeated, whatever is written meanwhile. If the oldest message comes first, messages
///   that are appended meanwhile may follow.
/// - An error comes in its place, behind the messages that were read before it. A [row that cannot be
///   decoded](StoreError::CorruptRow) is such an error, and the messages behind it follow. Any other error is the last
///   item; a new stream, [`after`](crate::MessageQuery::after) the last position, goes on from there.
/// - Dropping the stream ends the reading. Dropping a call of [`next`](MessageStream::next) halfway loses no message.
///
/// `MessageStream` implements [`Stream`], and can be used without the crates that extend `Stream`:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), chatkeep::Error> {
/// # let state = chatkeep::StateManager::new(
/// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
/// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
/// # );
/// # let chat = state.conversation(state.create_thread("Monads").await?.id);
/// # chat.add_messages((0..9).map(|_| (chatkeep::Role::User, "Why?"))).await?;
/// let mut messages = chat.stream_messages(chatkeep::MessageQuery::first(4))?;
/// let mut bytes = 0;
/// while let Some(message) = messages.next().await {
///     bytes += message?.content.to_plain_text().len();
/// }
/// assert_eq!(bytes, 36);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is read until it is polled"]
pub struct MessageStream {
    source: Source,
    query: MessageQuery,
    messages: chatkeep_domain::MessageStream<'static>,
}

#[derive(Clone)]
struct Source {
    repository: Arc<dyn ConversationRepository>,
    scope: Scope,
    thread: ThreadId,
}

impl MessageStream {
    pub(crate) fn new(state: &StateManager, thread: ThreadId, query: MessageQuery) -> Self {
        let source =
            Source { repository: Arc::clone(state.repository()), scope: state.scope().clone(), thread };
        Self { messages: source.clone().stream(query.clone()), source, query }
    }

    /// The next message; `None` behind the last.
    ///
    /// # Errors
    /// [`Error::Store`], as [`stream_messages`](crate::domain::MessageRepository::stream_messages) answers.
    pub async fn next(&mut self) -> Option<Result<ChatMessage, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for MessageStream {
    type Item = Result<ChatMessage, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.messages.as_mut().poll_next(context));
        if let Some(Err(StoreError::CorruptRow { behind: Some(behind), .. })) = &next {
            let rest = self.query.clone().behind(behind.clone());
            self.messages = self.source.clone().stream(rest);
        }
        Poll::Ready(next.map(|message| message.map_err(Error::from)))
    }
}

impl fmt::Debug for MessageStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageStream").field("thread", &self.source.thread).finish_non_exhaustive()
    }
}

impl Source {
    /// The store's stream, which lives as long as its reader wants.
    fn stream(self, query: MessageQuery) -> chatkeep_domain::MessageStream<'static> {
        let Self { repository, scope, thread } = self;
        message_stream(move |outlet| async move {
            let mut messages = repository.stream_messages(&scope, thread, query);
            let mut count: usize = 0;
            while let Some(message) = next_message(&mut messages).await {
                outlet.give(message?).await;
                count += 1;
                if count.is_multiple_of(AT_ONCE) {
                    consume_budget().await;
                }
            }
            Ok(())
        })
    }
}
