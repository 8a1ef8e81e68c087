//! A script, the layer around it, and what a caller is told.

use std::sync::Arc;
use std::time::Duration;

use chatkeep_domain::{Again, ConversationRepository, Outcome, StoreError};
use chatkeep_layers::Retry;

use crate::calls::Talk;
use crate::scripted::Scripted;

pub(super) const DEADLINE: Duration = Duration::from_secs(30);

pub(super) fn unavailable(outcome: Outcome, again: Again) -> StoreError {
    StoreError::unavailable("scripted", outcome, again, "the script says so", "a test")
}

/// Nothing was done, and it may be a moment later.
pub(super) fn refused() -> StoreError {
    unavailable(Outcome::NotDone, Again::Soon)
}

/// Nobody knows whether it was done.
pub(super) fn lost() -> StoreError {
    unavailable(Outcome::Unknown, Again::Soon)
}

/// The store, the layer around it, and a thread with a message in the store.
pub(super) async fn bench(store: Arc<Scripted>) -> (Arc<Scripted>, Retry, Talk) {
    let talk = Talk::begin(&store.memory).await;
    let retry = Retry::new(Arc::clone(&store) as Arc<dyn ConversationRepository>, DEADLINE);
    (store, retry, talk)
}

/// What the caller of this name is told, and how often the store was called.
pub(super) async fn told(name: &str, store: Arc<Scripted>) -> (Result<(), StoreError>, usize) {
    let (store, retry, talk) = bench(store).await;
    let answer = talk.call(&retry, name).await;
    let calls = store.calls();
    assert!(calls.iter().all(|call| call.split(' ').next() == Some(name)), "{calls:?} of {name}");
    (answer, calls.len())
}

/// Asserts that the outcome is unknown, that repeating does not help, and that the source is the error itself.
#[track_caller]
pub(super) fn assert_may_be_done(error: StoreError, is_source: impl FnOnce(&StoreError) -> bool) {
    let StoreError::Unavailable { outcome, again, source, .. } = error else {
        panic!("expected that the outcome is unknown, got {error:?}");
    };
    assert_eq!((outcome, again), (Outcome::Unknown, Again::No));
    let source = source.downcast_ref().expect("the store's own error");
    assert!(is_source(source), "{source:?}");
}
