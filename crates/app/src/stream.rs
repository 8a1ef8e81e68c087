//! The messages of a thread, one by one.

use std::fmt;
use std::future::poll_fn;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::vec;

use chatkeep_domain::{ChatMessage, ConversationRepository, MessageQuery, Scope, StoreError, ThreadId};
use futures_core::Stream;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle};
use tracing::Instrument as _;

use crate::error::Error;
use crate::state_manager::StateManager;

/// The messages of a thread, read page by page ahead of the reader: see
/// [`Conversation::stream_messages`](crate::Conversation::stream_messages).
///
/// - Nothing is read before the first message is asked for. From then on, while the reader works through one page, a
///   tokio task fetches the next. At most two pages are in memory, and a slow reader holds up nothing in the store:
///   each page is a call of its own.
/// - No message is skipped or repeated, whatever is written meanwhile. Oldest first, what is appended before the last
///   page is read follows.
/// - An error comes in its place, behind the messages that were read before it. A [row that cannot be
///   decoded](StoreError::CorruptRow) is such an error, and the messages behind it follow. Any other error is the last
///   item; a new stream, [`after`](crate::MessageQuery::after) the last position, goes on from there.
/// - Dropping it ends the fetch. A reader that drops [`next`](MessageStream::next) halfway loses nothing.
///
/// It is a [`Stream`], and works without one of the crates that extend it:
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
/// let mut messages = chat.stream_messages().page_len(4).await?;
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
    source: Arc<Source>,
    page: vec::IntoIter<ChatMessage>,
    /// Comes behind the page.
    error: Option<Error>,
    /// The page behind both.
    fetch: Option<Fetch>,
    /// The first page, until it is asked for.
    first: Option<MessageQuery>,
}

struct Source {
    repository: Arc<dyn ConversationRepository>,
    scope: Scope,
    thread: ThreadId,
}

/// What a task brings: messages or an error, then whatever the next query finds.
struct Fetched {
    messages: Vec<ChatMessage>,
    error: Option<StoreError>,
    next: Option<MessageQuery>,
}

/// A task that ends when nobody waits for it.
struct Fetch(JoinHandle<Fetched>);

impl Drop for Fetch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl MessageStream {
    /// `query.limit` is the length of a page.
    pub(crate) fn new(state: &StateManager, thread: ThreadId, query: MessageQuery) -> Self {
        let source =
            Source { repository: Arc::clone(state.repository()), scope: state.scope().clone(), thread };
        Self {
            source: Arc::new(source),
            page: Vec::new().into_iter(),
            error: None,
            fetch: None,
            first: Some(query),
        }
    }

    /// The next message; `None` behind the last.
    ///
    /// # Errors
    /// [`Error::Store`], as [`list_messages`](crate::domain::MessageRepository::list_messages) answers; [`Error::NoRuntime`]
    /// outside of tokio.
    pub async fn next(&mut self) -> Option<Result<ChatMessage, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    fn start(&mut self, query: MessageQuery) {
        match Handle::try_current() {
            Ok(runtime) => {
                let fetch = Arc::clone(&self.source).fetch(query).in_current_span();
                self.fetch = Some(Fetch(runtime.spawn(fetch)));
            }
            Err(_) => self.error = Some(Error::NoRuntime),
        }
    }

    fn take(&mut self, outcome: Result<Fetched, JoinError>) {
        self.fetch = None;
        match outcome.map_err(JoinError::try_into_panic) {
            Ok(Fetched { messages, error, next }) => {
                (self.page, self.error) = (messages.into_iter(), error.map(Error::from));
                if let Some(query) = next {
                    self.start(query);
                }
            }
            Err(Ok(panic)) => resume_unwind(panic),
            // It was the runtime that ended it.
            Err(Err(_)) => self.error = Some(Error::NoRuntime),
        }
    }
}

impl Stream for MessageStream {
    type Item = Result<ChatMessage, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(message) = self.page.next() {
                return Poll::Ready(Some(Ok(message)));
            }
            if let Some(error) = self.error.take() {
                return Poll::Ready(Some(Err(error)));
            }
            if let Some(query) = self.first.take() {
                self.start(query);
            } else if let Some(fetch) = &mut self.fetch {
                let outcome = ready!(Pin::new(&mut fetch.0).poll(context));
                self.take(outcome);
            } else {
                return Poll::Ready(None);
            }
        }
    }
}

impl fmt::Debug for MessageStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageStream")
            .field("thread", &self.source.thread)
            .field("in_memory", &self.page.len())
            .finish_non_exhaustive()
    }
}

impl Source {
    async fn fetch(self: Arc<Self>, query: MessageQuery) -> Fetched {
        match self.repository.list_messages(&self.scope, self.thread, &query).await {
            Ok(page) => {
                let next = page.next.map(|next| query.behind(next));
                Fetched { messages: page.items, error: None, next }
            }
            Err(error) => {
                let behind = match &error {
                    StoreError::CorruptRow { behind, .. } => behind.clone(),
                    _ => None,
                };
                let next = behind.map(|behind| query.behind(behind));
                Fetched { messages: Vec::new(), error: Some(error), next }
            }
        }
    }
}
