//! A stream in its span.

use std::pin::Pin;
use std::task::{Context, Poll};

use chatkeep_domain::{ChatMessage, MessageStream, StoreError};
use futures_core::Stream;
use tracing::Span;

/// The stream, each poll of it in its span where somebody listens.
pub(super) fn within(span: Span, stream: MessageStream<'_>) -> MessageStream<'_> {
    if span.is_disabled() { stream } else { Box::pin(Within { stream, span }) }
}

struct Within<'a> {
    stream: MessageStream<'a>,
    span: Span,
}

impl Stream for Within<'_> {
    type Item = Result<ChatMessage, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { stream, span } = &mut *self;
        let _entered = span.enter();
        stream.as_mut().poll_next(context)
    }
}
