//! A stream of messages: each wait for the next one is a call of its own.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use chatkeep_domain::{
    ChatMessage, ConversationRepository, MessageQuery, MessageStream, Position, Scope, StoreError, ThreadId,
    message_stream, next_message,
};

use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::retry::call::Attempts;
use crate::retry::past::Kind;

/// The store's stream, and after a transient error another one behind what was given.
pub(super) fn stream_messages<'a>(
    store: &'a dyn ConversationRepository,
    deadline: Duration,
    (scope, thread, query): (&'a Scope, ThreadId, MessageQuery),
) -> MessageStream<'a> {
    let mut reading =
        Reading { store, scope, thread, query, stream: None, given: None, failed: None, is_end: false };
    message_stream(move |outlet| async move {
        loop {
            if reading.is_end {
                return Ok(());
            }
            let Some(message) = reading.next_within(deadline).await? else { return Ok(()) };
            let mut messages = vec![message];
            while messages.len() < AT_ONCE
                && let Some(message) = reading.next_at_once().await
            {
                messages.push(message);
            }
            reading.given = messages.last().map(|message| message.position);
            outlet.give_all(messages).await;
        }
    })
}

/// The most messages that are handed over together.
const AT_ONCE: usize = 100;

struct Reading<'a> {
    store: &'a dyn ConversationRepository,
    scope: &'a Scope,
    thread: ThreadId,
    query: MessageQuery,
    /// `None` before the first attempt, and after one that failed.
    stream: Option<MessageStream<'a>>,
    /// The position of the last message that was given.
    given: Option<Position>,
    /// What the next attempt answers.
    failed: Option<StoreError>,
    is_end: bool,
}

impl Reading<'_> {
    /// What the store has ready, without a clock. An error is left to the next attempt.
    async fn next_at_once(&mut self) -> Option<ChatMessage> {
        let stream = self.stream.as_mut()?;
        match poll_fn(|context| Poll::Ready(stream.as_mut().poll_next(context))).await {
            Poll::Ready(Some(next)) => next.map_err(|error| self.failed = Some(error)).ok(),
            Poll::Ready(None) => {
                self.is_end = true;
                None
            }
            Poll::Pending => None,
        }
    }

    async fn next_within(&mut self, deadline: Duration) -> Result<Option<ChatMessage>, StoreError> {
        if Handle::try_current().is_err() {
            // Nobody measures the time.
            return self.next().await;
        }
        let mut attempts = Attempts::new(self.store.name(), Kind::Read);
        let next = async {
            loop {
                if let Some(next) = attempts.one(self.next()).await {
                    return next;
                }
            }
        };
        let ended = timeout(deadline, next).await;
        ended.unwrap_or_else(|_| Err(attempts.deadline_passed()))
    }

    /// One attempt to get on.
    async fn next(&mut self) -> Result<Option<ChatMessage>, StoreError> {
        if let Some(error) = self.failed.take() {
            self.stream = None;
            return Err(error);
        }
        let Self { store, scope, thread, query, stream, given, .. } = self;
        let stream = stream.get_or_insert_with(|| {
            if let Some(given) = given.take() {
                *query = query.clone().behind(query.cursor_behind(*thread, given));
            }
            store.stream_messages(scope, *thread, query.clone())
        });
        let next = next_message(stream).await.transpose();
        if next.is_err() {
            self.stream = None;
        }
        next
    }
}
