use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};

use uuid::Uuid;

use super::{MessageStream, message_stream};
use crate::append::NewMessage;
use crate::error::StoreError;
use crate::id::{MessageId, ThreadId};
use crate::message::ChatMessage;
use crate::position::Position;
use crate::role::Role;
use crate::time::Timestamp;

fn message(position: i64) -> ChatMessage {
    let id = MessageId::from(Uuid::from_u128(position.unsigned_abs().into()));
    let new = NewMessage::new(id, Role::User, "x", Timestamp::UNIX_EPOCH);
    new.into_message(ThreadId::from(Uuid::nil()), Position::new(position).unwrap())
}

/// What a poll gives: a position, 0 for an error, and `None` at the end.
fn poll(stream: &mut MessageStream<'_>) -> Poll<Option<i64>> {
    let polled = stream.as_mut().poll_next(&mut Context::from_waker(Waker::noop()));
    polled.map(|item| item.map(|item| item.map_or(0, |message| message.position.get())))
}

fn all(mut stream: MessageStream<'_>) -> Vec<i64> {
    let mut given = Vec::new();
    while let Poll::Ready(Some(position)) = poll(&mut stream) {
        given.push(position);
    }
    assert_eq!([poll(&mut stream), poll(&mut stream)], [Poll::Ready(None); 2], "an end is for good");
    given
}

#[test]
fn what_is_given_comes_in_order_and_an_error_behind_it() {
    for (is_whole, expected) in [(true, vec![1, 2, 3, 4]), (false, vec![1, 2, 3, 4, 0])] {
        let stream = message_stream(|outlet| async move {
            outlet.give(message(1)).await;
            outlet.give_all(Vec::new()).await;
            outlet.give_all(vec![message(2), message(3)]).await;
            outlet.give(message(4)).await;
            if is_whole { Ok(()) } else { Err(StoreError::backend("toy", "a test")) }
        });
        assert_eq!(all(stream), expected);
    }
    assert_eq!(all(message_stream(|_| async { Ok(()) })), [0; 0]);
}

#[test]
fn the_block_goes_on_only_while_the_reader_waits() {
    let steps = AtomicUsize::new(0);
    let mut stream = message_stream(|outlet| {
        let steps = &steps;
        async move {
            for position in [1, 3, 5] {
                steps.fetch_add(1, SeqCst);
                outlet.give_all(vec![message(position), message(position + 1)]).await;
            }
            Ok(())
        }
    });
    assert_eq!(steps.load(SeqCst), 0, "nothing is done before the first poll");
    for position in 1..=6 {
        assert_eq!(poll(&mut stream), Poll::Ready(Some(position)));
        assert_eq!(steps.load(SeqCst), usize::try_from(position).unwrap().div_ceil(2));
    }
}

#[test]
fn a_block_that_waits_keeps_the_reader_waiting() {
    let mut stream = message_stream(|outlet| async move {
        outlet.give(message(1)).await;
        std::future::pending().await
    });
    assert_eq!([poll(&mut stream), poll(&mut stream)], [Poll::Ready(Some(1)), Poll::Pending]);
}

#[test]
fn a_stream_that_is_dropped_half_way_drops_its_block() {
    let held = Arc::new(());
    let in_block = Arc::clone(&held);
    let mut stream = message_stream(|outlet| async move {
        outlet.give(message(1)).await;
        drop(in_block);
        Ok(())
    });
    assert_eq!(poll(&mut stream), Poll::Ready(Some(1)));
    assert_eq!(Arc::strong_count(&held), 2);
    drop(stream);
    assert_eq!(Arc::strong_count(&held), 1);
}
