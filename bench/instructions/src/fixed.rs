//! Time, ids and texts that are the same in every run.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chatkeep::domain::RequestId;
use chatkeep::{
    ChatMessage, Clock, Conversation, IdGenerator, MemoryRepository, MessageId, NewMessage, OrgId, Position,
    Role, Scope, StateManager, ThreadId, Timestamp, UserId, Version,
};
use futures_util::FutureExt as _;
use uuid::Uuid;

/// A text as people write them, of about 100 characters.
pub(crate) const TEXT: &str =
    "Could you check whether the quarterly report covers the café in Oslo, and send Ada the new figures?";

/// A clock that moves on by a millisecond each time it is read, and ids that are counted.
#[derive(Debug, Default)]
pub(crate) struct Fixed(AtomicU64);

impl Fixed {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        at(self.next())
    }
}

impl IdGenerator for Fixed {
    fn thread_id(&self) -> ThreadId {
        uuid(self.next()).into()
    }

    fn message_id(&self) -> MessageId {
        uuid(self.next()).into()
    }

    fn request_id(&self) -> RequestId {
        uuid(self.next()).into()
    }

    fn version(&self) -> Version {
        Version::beginning(self.next())
    }
}

pub(crate) fn at(millis: u64) -> Timestamp {
    let start = 1_700_000_000_000;
    Timestamp::from_timestamp_millis(start + i64::try_from(millis).expect("a few"))
        .expect("a time within range")
}

/// In the form of a UUIDv7, so that they grow as real ones do.
fn uuid(number: u64) -> Uuid {
    Uuid::from_u128((0x018b_cfe5_6800_7000_8000 << 48) + u128::from(number))
}

pub(crate) fn thread() -> ThreadId {
    uuid(0).into()
}

pub(crate) fn org() -> OrgId {
    OrgId::new("acme").expect("an id")
}

/// An empty conversation in memory.
pub(crate) fn conversation(repository: MemoryRepository) -> Conversation {
    let scope = Scope::user(org(), UserId::new("ada").expect("an id"));
    let fixed = Arc::new(Fixed::default());
    let state = StateManager::new(Arc::new(repository), scope).with_clock(fixed.clone());
    let state = state.with_id_generator(fixed);
    let thread = now(state.create_thread("a thread")).expect("the thread is new");
    state.conversation(thread.id)
}

pub(crate) fn new_message(number: usize) -> NewMessage {
    let number = number as u64 + 1;
    NewMessage::new(uuid(number).into(), role(number), TEXT, at(number))
}

pub(crate) fn message(number: usize) -> ChatMessage {
    let position = Position::ZERO.advance(number + 1).expect("a few");
    new_message(number).into_message(thread(), position)
}

fn role(number: u64) -> Role {
    if number.is_multiple_of(2) { Role::Assistant } else { Role::User }
}

/// Nothing here waits, so that no runtime is counted.
pub(crate) fn now<F: IntoFuture<Output = Result<T, E>>, T, E: fmt::Debug>(future: F) -> Result<T, E> {
    future.into_future().now_or_never().expect("memory is at hand")
}
