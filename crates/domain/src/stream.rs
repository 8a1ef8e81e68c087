//! The messages of a thread, one by one.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::mem::swap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::error::StoreError;
use crate::message::ChatMessage;

/// What [`MessageRepository::stream_messages`](crate::MessageRepository::stream_messages) gives: message after message, and nothing behind an error.
pub type MessageStream<'a> = Pin<Box<dyn Stream<Item = Result<ChatMessage, StoreError>> + Send + 'a>>;

/// The next message of a stream; `None` behind the last. Dropping the call halfway loses no message.
///
/// # Errors
/// The stream's; it is at its end then.
pub async fn next_message(stream: &mut MessageStream<'_>) -> Option<Result<ChatMessage, StoreError>> {
    poll_fn(|context| stream.as_mut().poll_next(context)).await
}

/// A stream out of an asynchronous block, which gives messages to the [`Outlet`] as it goes. The stream ends with the block,
/// and with the error that the block ends with. The block goes on only while the reader waits for a message.
///
/// The block may borrow from what it owns, as a reader of rows does from its connection:
///
/// ```
/// use std::sync::Arc;
///
/// use chatkeep_domain::{
///     ConversationRepository, MessageQuery, MessageStream, Scope, ThreadId, message_stream, next_message,
/// };
///
/// /// A stream that keeps its store alive.
/// fn stream(
///     store: Arc<dyn ConversationRepository>,
///     scope: Scope,
///     thread: ThreadId,
/// ) -> MessageStream<'static> {
///     message_stream(|outlet| async move {
///         let mut messages = store.stream_messages(&scope, thread, MessageQuery::default());
///         while let Some(message) = next_message(&mut messages).await {
///             outlet.give(message?).await;
///         }
///         Ok(())
///     })
/// }
/// ```
pub fn message_stream<'a, F>(work: impl FnOnce(Outlet) -> F) -> MessageStream<'a>
where
    F: Future<Output = Result<(), StoreError>> + Send + 'a,
{
    let given = Arc::default();
    let work = Box::pin(work(Outlet { given: Arc::clone(&given) }));
    Box::pin(Worked { work: Some(work), given, taken: VecDeque::new(), error: None })
}

/// Where the block of a [`message_stream`] gives its messages.
#[derive(Debug)]
pub struct Outlet {
    given: Arc<Mutex<VecDeque<ChatMessage>>>,
}

impl Outlet {
    /// Gives a message, and waits until the reader wants the next. Await it in the block itself, not within something that
    /// polls futures only when they wake it.
    pub async fn give(&self, message: ChatMessage) {
        locked(&self.given).push_back(message);
        self.taken().await;
    }

    /// The same with several messages, in their order.
    pub async fn give_all(&self, messages: Vec<ChatMessage>) {
        {
            let mut given = locked(&self.given);
            if given.is_empty() {
                *given = messages.into();
            } else {
                given.extend(messages);
            }
        }
        self.taken().await;
    }

    /// Nobody needs to be woken: the reader polls again once it has taken all.
    async fn taken(&self) {
        poll_fn(|_| if locked(&self.given).is_empty() { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

fn locked(given: &Mutex<VecDeque<ChatMessage>>) -> MutexGuard<'_, VecDeque<ChatMessage>> {
    given.lock().unwrap_or_else(PoisonError::into_inner)
}

/// See [`message_stream`].
struct Worked<F> {
    /// `None` once it has ended.
    work: Option<Pin<Box<F>>>,
    given: Arc<Mutex<VecDeque<ChatMessage>>>,
    /// What comes next. The lock is for all that was given at a time.
    taken: VecDeque<ChatMessage>,
    /// Comes behind what was given.
    error: Option<StoreError>,
}

impl<F: Future<Output = Result<(), StoreError>>> Stream for Worked<F> {
    type Item = Result<ChatMessage, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(message) = self.taken.pop_front() {
                return Poll::Ready(Some(Ok(message)));
            }
            let Some(work) = &mut self.work else {
                return Poll::Ready(self.error.take().map(Err));
            };
            let worked = work.as_mut().poll(context);
            let Self { work, given, taken, error } = &mut *self;
            swap(taken, &mut *locked(given));
            match worked {
                Poll::Ready(ended) => (*work, *error) = (None, ended.err()),
                Poll::Pending if taken.is_empty() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
