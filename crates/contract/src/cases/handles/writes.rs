//! What one handle writes decides what the other may write.

use chatkeep_domain::{Append, Position, StoreError};

use crate::fixture::{Fixture, at, message, numbered, positions, texts};

/// Positions grow from append to append, whichever handle each goes through.
pub(crate) async fn positions_go_on_whichever_handle_appends(fixture: Fixture) {
    let here = fixture.tenant().talk().await;
    let there = here.through(&fixture.other);
    let mut said = Vec::new();
    for handle in [&here, &there, &there, &here, &there, &here] {
        said.extend(handle.say(numbered(2)).await);
    }
    assert!(said.is_sorted_by(|one, next| one.position < next.position), "{:?}", positions(&said));
    assert_eq!(here.all().await, said);
    assert_eq!(there.all().await, said);
}

/// A retry of an append that the other handle stored gives the stored messages, and stores nothing.
pub(crate) async fn a_retry_through_the_other_handle_stores_nothing(fixture: Fixture) {
    let here = fixture.tenant().talk().await;
    let there = here.through(&fixture.other);
    let batch = numbered(3);
    let said = here.say(batch.clone()).await;
    let before = here.snapshot().await;
    assert_eq!(there.say(batch.clone()).await, said);
    let compared = Append::new(batch).expect_head(Position::ZERO);
    assert_eq!(there.append(compared).await.unwrap().messages, said);
    let edited = there.edit(said[0].id, "edited", at(2)).await.unwrap();
    assert_eq!(here.edit(said[0].id, "edited", at(2)).await.unwrap(), edited);
    assert_eq!(here.revisions(said[0].id).await.unwrap().len(), 1);
    assert_eq!(here.thread().await.head, before.0.head);
}

/// A compare-and-append sees the head that the other handle made.
pub(crate) async fn a_head_that_the_other_handle_moved_is_a_conflict(fixture: Fixture) {
    let here = fixture.tenant().talk().await;
    let there = here.through(&fixture.other);
    let head = here.say([message("first")]).await[0].position;
    let moved = there.say([message("second")]).await[0].position;
    let late = Append::new([message("late")]).expect_head(head);
    assert_refused!(here.append(late).await, StoreError::Conflict { expected, actual, .. }
        if (expected, actual) == (head.get(), moved.get()));
    let in_time = Append::new([message("third")]).expect_head(moved);
    here.append(in_time).await.unwrap();
    assert_eq!(texts(&there.all().await), ["first", "second", "third"]);
}

/// An append to a thread that the other handle deleted is not found, and the thread does not come back by it.
pub(crate) async fn an_append_to_a_thread_that_the_other_handle_deleted_is_not_found(fixture: Fixture) {
    let here = fixture.tenant().talk().await;
    let there = here.through(&fixture.other);
    here.say([message("x")]).await;
    assert_eq!(there.delete().await.unwrap(), 1);
    assert_refused!(here.append(Append::new([message("y")])).await, StoreError::NotFound { .. });
    assert_eq!(here.tenant.list_ids(&here.tenant.scope).await, []);
}
