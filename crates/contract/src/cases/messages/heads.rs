//! The head of a thread: compare-and-append, and positions that are never given twice.

use chatkeep_domain::{Append, Position, StoreError};

use crate::fixture::{Fixture, Talk, at, message, numbered, positions};

/// With `expect_head` it writes where the thread's head is there.
pub(crate) async fn expect_head_writes_at_the_head(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let mut head = Position::ZERO;
    for count in [2, 1] {
        let append = Append::new(numbered(count)).expect_head(head);
        let stored = talk.append(append).await.unwrap();
        assert_eq!(stored.messages.len(), count);
        head = talk.thread().await.head;
        assert_eq!(stored.messages[count - 1].position, head);
    }
}

/// With `expect_head` elsewhere it is a `Conflict` that tells the actual head, and nothing is written.
pub(crate) async fn expect_head_elsewhere_is_a_conflict(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 2).await;
    let before = talk.snapshot().await;
    let head = said[1].position;
    for wrong in [Position::ZERO, said[0].position, head.advance(1).unwrap()] {
        let refused = talk.append(Append::new(numbered(2)).expect_head(wrong)).await;
        assert_refused!(
            refused,
            StoreError::Conflict { expected, actual, .. } if (expected, actual) == (wrong.get(), head.get())
        );
    }
    assert_eq!(talk.snapshot().await, before);
}

/// A retry of a compare-and-append that succeeded is answered as one, also when the head moved on.
pub(crate) async fn a_retry_of_a_compare_and_append_succeeds(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let append = Append::new(numbered(2)).expect_head(Position::ZERO);
    let first = talk.append(append.clone()).await.unwrap().messages;
    assert_eq!(talk.append(append.clone()).await.unwrap().messages, first, "at once");
    talk.say([message("another writer")]).await;
    assert_eq!(talk.append(append).await.unwrap().messages, first, "after another writer");
    assert_eq!(talk.all().await.len(), 3);
}

/// A compare-and-append that is held only in part is no retry: it conflicts, and nothing is written.
pub(crate) async fn a_compare_and_append_held_in_part_conflicts(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let batch = numbered(3);
    talk.say([batch[1].clone()]).await;
    let before = talk.snapshot().await;
    let refused = talk.append(Append::new(batch).expect_head(Position::ZERO)).await;
    assert_refused!(refused, StoreError::Conflict { .. });
    assert_eq!(talk.snapshot().await, before);
}

/// The head stays when messages go: `expect_head` counts from it.
pub(crate) async fn expect_head_counts_deleted_messages(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 3).await;
    talk.delete_message(said[2].id, at(2)).await.unwrap();
    talk.append(Append::new(numbered(1)).expect_head(said[2].position)).await.unwrap();
    let head = talk.thread().await.head;
    talk.clear(at(3)).await.unwrap();
    let refused = talk.append(Append::new(numbered(1)).expect_head(Position::ZERO)).await;
    assert_refused!(refused, StoreError::Conflict { actual, .. } if actual == head.get());
    talk.append(Append::new(numbered(1)).expect_head(head)).await.unwrap();
}

/// The position of a deleted message is not given again, also when it was the last.
pub(crate) async fn positions_are_not_given_again_after_a_delete(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 3).await;
    for message in &said[1..] {
        talk.delete_message(message.id, at(2)).await.unwrap();
    }
    assert_eq!(talk.thread().await.head, said[2].position, "the head stays");
    let next = talk.say([message("next")]).await;
    assert!(next[0].position > said[2].position, "{:?}", positions(&next));
}

/// Positions are not given again after a clear.
pub(crate) async fn positions_are_not_given_again_after_a_clear(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 3).await;
    talk.clear(at(2)).await.unwrap();
    assert_eq!(talk.thread().await.head, said[2].position, "the head stays");
    let next = talk.say([message("next")]).await;
    assert!(next[0].position > said[2].position, "{:?}", positions(&next));
}
