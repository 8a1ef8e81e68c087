//! The messages of a thread, one by one.

use std::fmt;
use std::future::poll_fn;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::vec;

use chatkeep_domain::{
    ChatMessage, ConversationRepository, MessageQuery, Scope, StoreError, ThreadId, next_message,
};
use futures_core::Stream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};
use tracing::Instrument as _;

use crate::error::Error;
use crate::state_manager::StateManager;

/// The messages of a thread, read ahead of the reader: see
/// [`Conversation::stream_messages`](crate::Conversation::stream_messages).
///
/// - Nothing is read before the first message is asked for. From then on, while the reader works through one part of as
///   many messages as the query's limit says, a tokio task reads the next. At most two parts are in memory, and a slow
///   reader holds up nobody who writes.
/// - No message is skipped or repeated, whatever is written meanwhile. If the oldest message comes first, messages
///   that are appended before the last part is read may follow.
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
    thread: ThreadId,
    part: vec::IntoIter<ChatMessage>,
    /// Comes behind the part.
    error: Option<Error>,
    /// Brings what is behind both.
    reading: Option<Reading>,
    /// Until the first message is asked for.
    start: Option<Source>,
}

/// What is read, and where from.
struct Source {
    repository: Arc<dyn ConversationRepository>,
    scope: Scope,
    thread: ThreadId,
    query: MessageQuery,
}

/// A task that reads part after part, and ends when nobody wants them.
struct Reading {
    parts: mpsc::Receiver<Part>,
    task: JoinHandle<()>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A part of a stream.
pub(crate) struct Part {
    pub(crate) messages: Vec<ChatMessage>,
    pub(crate) end: End,
}

/// What is behind a part of a stream.
pub(crate) enum End {
    /// Maybe more.
    Open,
    Whole,
    Failed(StoreError),
}

impl Part {
    /// The next messages of a stream: so many, or up to its end.
    pub(crate) async fn of(stream: &mut chatkeep_domain::MessageStream<'_>, most: usize) -> Self {
        let mut messages = Vec::new();
        while messages.len() < most {
            match next_message(stream).await {
                Some(Ok(message)) => messages.push(message),
                Some(Err(error)) => return Self { messages, end: End::Failed(error) },
                None => return Self { messages, end: End::Whole },
            }
        }
        Self { messages, end: End::Open }
    }
}

impl MessageStream {
    /// `query.limit` is the length of a part.
    pub(crate) fn new(state: &StateManager, thread: ThreadId, query: MessageQuery) -> Self {
        let (repository, scope) = (Arc::clone(state.repository()), state.scope().clone());
        Self {
            thread,
            part: Vec::new().into_iter(),
            error: None,
            reading: None,
            start: Some(Source { repository, scope, thread, query }),
        }
    }

    /// The next message; `None` behind the last.
    ///
    /// # Errors
    /// [`Error::Store`], as [`stream_messages`](crate::domain::MessageRepository::stream_messages) answers;
    /// [`Error::NoRuntime`] outside of tokio.
    pub async fn next(&mut self) -> Option<Result<ChatMessage, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    fn begin(&mut self, source: Source) {
        match Handle::try_current() {
            Ok(runtime) => {
                let (sender, parts) = mpsc::channel(1);
                let task = runtime.spawn(source.read_ahead(sender).in_current_span());
                self.reading = Some(Reading { parts, task });
            }
            Err(_) => self.error = Some(Error::NoRuntime),
        }
    }

    fn take(&mut self, part: Part) {
        self.part = part.messages.into_iter();
        if let End::Failed(error) = part.end {
            self.error = Some(error.into());
        }
    }

    /// The task has read all, unless it could not go on.
    fn end(&mut self, outcome: Result<(), JoinError>) {
        self.reading = None;
        match outcome.map_err(JoinError::try_into_panic) {
            Ok(()) => {}
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
            if let Some(message) = self.part.next() {
                return Poll::Ready(Some(Ok(message)));
            }
            if let Some(error) = self.error.take() {
                return Poll::Ready(Some(Err(error)));
            }
            if let Some(source) = self.start.take() {
                self.begin(source);
            } else if let Some(reading) = &mut self.reading {
                if let Some(part) = ready!(reading.parts.poll_recv(context)) {
                    self.take(part);
                } else {
                    let outcome = ready!(Pin::new(&mut reading.task).poll(context));
                    self.end(outcome);
                }
            } else {
                return Poll::Ready(None);
            }
        }
    }
}

impl fmt::Debug for MessageStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageStream")
            .field("thread", &self.thread)
            .field("in_memory", &self.part.len())
            .finish_non_exhaustive()
    }
}

impl Source {
    /// Sends part after part, each read once the one before was taken.
    async fn read_ahead(self, parts: mpsc::Sender<Part>) {
        let Self { repository, scope, thread, query } = self;
        let mut stream = repository.stream_messages(&scope, thread, query.clone());
        loop {
            let Ok(place) = parts.reserve().await else { return };
            let part = Part::of(&mut stream, query.limit).await;
            let behind = match &part.end {
                End::Open => None,
                End::Failed(StoreError::CorruptRow { behind: Some(behind), .. }) => Some(behind.clone()),
                End::Whole | End::Failed(_) => return place.send(part),
            };
            place.send(part);
            if let Some(behind) = behind {
                stream = repository.stream_messages(&scope, thread, query.clone().behind(behind));
            }
        }
    }
}
