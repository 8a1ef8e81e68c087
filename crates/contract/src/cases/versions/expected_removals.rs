//! What removals expect.

use chatkeep_domain::{Append, Removal, StoreError};

use crate::cases::versions::counts::version;
use crate::cases::versions::expected::others;
use crate::fixture::{Fixture, Talk, at, message_id, numbered, thread_id};

/// A message is deleted only if the thread has the version that is expected.
pub(crate) async fn a_message_is_deleted_at_the_version_that_is_expected(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 2).await;
    let before = talk.snapshot().await;
    for other in others(before.0.version) {
        let refused = talk.delete_message(said[0].id, Removal::new(at(2)).expect_version(other)).await;
        assert_refused!(refused, StoreError::Conflict { expected, actual, .. }
            if (expected, actual) == (other.get(), before.0.version.get()));
    }
    assert_eq!(talk.snapshot().await, before);
    talk.delete_message(said[0].id, Removal::new(at(2)).expect_version(before.0.version)).await.unwrap();
    assert_eq!(talk.all().await, said[1..]);
}

/// A thread is cleared only if it has the version that is expected.
pub(crate) async fn a_thread_is_cleared_at_the_version_that_is_expected(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 3).await;
    let before = talk.snapshot().await;
    for other in others(before.0.version) {
        let refused = talk.clear(Removal::new(at(2)).expect_version(other)).await;
        assert_refused!(refused, StoreError::Conflict { expected, actual, .. }
            if (expected, actual) == (other.get(), before.0.version.get()));
    }
    assert_eq!(talk.snapshot().await, before);
    assert_eq!(talk.clear(Removal::new(at(2)).expect_version(before.0.version)).await.unwrap(), 3);
    assert_eq!(talk.all().await, []);
}

/// A clear of a thread without messages changes nothing, and is no conflict.
pub(crate) async fn a_clear_of_nothing_succeeds_at_any_version(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 2).await;
    let removal = Removal::new(at(2)).expect_version(talk.thread().await.version);
    assert_eq!(talk.clear(removal).await.unwrap(), 2);
    let cleared = talk.thread().await;
    assert_eq!(talk.clear(removal).await.unwrap(), 0, "again");
    assert_eq!(talk.thread().await, cleared);
}

/// A thread is deleted only if it has the version that is expected.
pub(crate) async fn a_thread_is_deleted_at_the_version_that_is_expected(fixture: Fixture) {
    for count in [0, 2] {
        let (talk, _) = Talk::with(&fixture.tenant(), count).await;
        let before = talk.snapshot().await;
        let (repo, scope) = (&fixture.repo, &talk.tenant.scope);
        for other in others(before.0.version) {
            let refused = repo.delete_thread(scope, talk.id, Some(other)).await;
            assert_refused!(refused, StoreError::Conflict { expected, actual, .. }
                if (expected, actual) == (other.get(), before.0.version.get()));
        }
        assert_eq!(talk.snapshot().await, before);
        let deleted = repo.delete_thread(scope, talk.id, Some(before.0.version)).await;
        assert_eq!(deleted.unwrap(), count as u64);
        assert_refused!(repo.get_thread(scope, talk.id).await, StoreError::NotFound { .. });
    }
}

/// A thread or a message that is not there, or is another user's, is not found, whatever is expected.
pub(crate) async fn what_is_not_there_is_not_found_whatever_is_expected(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 1).await;
    let before = talk.snapshot().await;
    let theirs = Talk::of(&talk.tenant.colleague(), talk.id);
    for expected in [before.0.version, before.0.version.next()] {
        let removal = Removal::new(at(2)).expect_version(expected);
        for absent in [&Talk::of(&talk.tenant, thread_id()), &theirs] {
            let (repo, scope) = (&fixture.repo, &absent.tenant.scope);
            let append = Append::new(numbered(1)).expect_version(expected);
            assert_refused!(absent.append(append).await, StoreError::NotFound { .. });
            assert_refused!(absent.delete_message(said[0].id, removal).await, StoreError::NotFound { .. });
            assert_refused!(absent.clear(removal).await, StoreError::NotFound { .. });
            let deleted = repo.delete_thread(scope, absent.id, Some(expected)).await;
            assert_refused!(deleted, StoreError::NotFound { .. });
        }
        assert_refused!(talk.delete_message(message_id(), removal).await, StoreError::NotFound { .. });
    }
    assert_eq!(talk.snapshot().await, before);
}

/// What was read of a thread that was deleted is no ground to write to another one with its id.
pub(crate) async fn a_version_of_a_deleted_thread_is_not_that_of_its_successor(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk_from(ada.new_thread().with_version(version(1_000))).await;
    let seen = talk.append(Append::new(numbered(2))).await.unwrap().version;
    talk.delete().await.unwrap();
    let again = ada.new_thread().with_version(version(50_000));
    ada.create(with!(again, id: talk.id)).await.unwrap();
    talk.say(numbered(1)).await;
    let before = talk.snapshot().await;
    let late = talk.append(Append::new(numbered(1)).expect_version(seen)).await;
    assert_refused!(late, StoreError::Conflict { .. });
    assert_refused!(talk.clear(Removal::new(at(2)).expect_version(seen)).await, StoreError::Conflict { .. });
    let deleted = fixture.repo.delete_thread(&ada.scope, talk.id, Some(seen)).await;
    assert_refused!(deleted, StoreError::Conflict { .. });
    assert_eq!(talk.snapshot().await, before);
}
