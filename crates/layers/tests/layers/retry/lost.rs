//! Attempts that may have been done although they failed.

use chatkeep_domain::{
    Append, Clock as _, ConversationRepositoryExt as _, Entity, Expected, IdGenerator as _, MessageEdit,
    MessageRepository as _, NewThread, OrgId, Position, StoreError, SystemClock, ThreadRepository as _,
    UserId, UuidV7Generator,
};

use super::bench::{assert_may_be_done, bench, lost, told};
use crate::calls::{BLIND, READS, RECOGNIZED, message};
use crate::scripted::{Scripted, Step};

fn not_found() -> StoreError {
    StoreError::not_found(Entity::Thread, "x")
}

fn conflict() -> StoreError {
    StoreError::conflict(Expected::Head, Position::ZERO, Position::ZERO)
}

fn backend() -> StoreError {
    StoreError::backend("scripted", "the disk is full")
}

/// What the caller is told where an attempt was lost and the next failed for good.
async fn told_after_a_loss(name: &str, error: StoreError) -> StoreError {
    let (answer, attempts) = told(name, Scripted::new([Step::Fail(lost()), Step::Fail(error)])).await;
    assert_eq!(attempts, 2, "{name}");
    answer.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn what_a_blind_write_finds_afterwards_may_be_its_own_work() {
    for name in BLIND {
        assert_may_be_done(told_after_a_loss(name, not_found()).await, StoreError::is_not_found);
        let is_conflict = |error: &StoreError| matches!(error, StoreError::Conflict { .. });
        assert_may_be_done(told_after_a_loss(name, conflict()).await, is_conflict);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_store_finds_wrong_with_a_write_that_it_recognizes_is_passed_on() {
    for name in RECOGNIZED {
        let error = told_after_a_loss(name, not_found()).await;
        assert!(error.is_not_found(), "{name}: {error:?}");
        let error = told_after_a_loss(name, conflict()).await;
        assert!(matches!(error, StoreError::Conflict { .. }), "{name}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_tells_nothing_of_what_is_stored_leaves_a_write_unknown() {
    for name in RECOGNIZED.into_iter().chain(BLIND) {
        let is_backend = |error: &StoreError| matches!(error, StoreError::Backend { .. });
        assert_may_be_done(told_after_a_loss(name, backend()).await, is_backend);
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_read_is_passed_on() {
    for name in READS {
        let error = told_after_a_loss(name, not_found()).await;
        assert!(error.is_not_found(), "{name}: {error:?}");
        let error = told_after_a_loss(name, backend()).await;
        assert!(matches!(error, StoreError::Backend { .. }), "{name}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_whose_answer_was_lost_is_not_told_as_not_found() {
    for name in ["delete_thread", "delete_message"] {
        let (answer, attempts) = told(name, Scripted::new([Step::Lose(lost())])).await;
        assert_may_be_done(answer.unwrap_err(), StoreError::is_not_found);
        assert_eq!(attempts, 2, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clear_whose_answer_was_lost_counts_what_its_last_attempt_removed() {
    let (store, retry, talk) = bench(Scripted::new([Step::Lose(lost())])).await;
    assert_eq!(retry.clear_messages(&talk.scope, talk.thread, SystemClock.now().into()).await.unwrap(), 0);
    assert!(store.memory.last_messages(&talk.scope, talk.thread, 9).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_append_whose_answer_was_lost_is_stored_once() {
    for expected in [None, Some(Position::new(1).unwrap())] {
        let (store, retry, talk) = bench(Scripted::new([Step::Lose(lost()), Step::Lose(lost())])).await;
        let mut append = Append::new([message("a"), message("b")]);
        append.expect_head = expected;
        let stored = retry.append(&talk.scope, talk.thread, append).await.unwrap();
        assert_eq!(store.calls().len(), 3);
        let read = store.memory.last_messages(&talk.scope, talk.thread, 9).await.unwrap();
        assert_eq!(read[1..], stored.messages, "behind the first message, and once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_thread_whose_answer_was_lost_is_stored_once() {
    let (store, retry, talk) = bench(Scripted::new([Step::Lose(lost())])).await;
    let (org, user) = (OrgId::new("acme").unwrap(), UserId::new("ada").unwrap());
    let new = NewThread::new(UuidV7Generator.thread_id(), org, user, "another", SystemClock.now());
    let created = retry.create_thread(&talk.scope, new).await.unwrap();
    assert_eq!(store.memory.get_thread(&talk.scope, created.id).await.unwrap(), created);
    assert_eq!(store.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_edit_whose_answer_was_lost_takes_nothing_back() {
    let (store, retry, talk) = bench(Scripted::new([Step::Lose(lost())])).await;
    let edit = MessageEdit::new("mine", SystemClock.now());
    let edited = retry.edit_message(&talk.scope, talk.thread, talk.message, edit);
    let between = async {
        while store.calls().is_empty() {
            tokio::task::yield_now().await;
        }
        let edit = MessageEdit::new("theirs", SystemClock.now());
        store.memory.edit_message(&talk.scope, talk.thread, talk.message, edit).await.unwrap()
    };
    let (edited, theirs) = tokio::join!(edited, between);
    assert_eq!(store.calls().len(), 2);
    assert_eq!(edited.unwrap(), theirs, "as the message is now");
    let revisions = store.memory.list_revisions(&talk.scope, talk.thread, talk.message).await.unwrap();
    let texts: Vec<_> = revisions.iter().map(|it| it.content.as_text().unwrap()).collect();
    assert_eq!(texts, ["first", "mine"], "nothing was written twice");
}
