//! What appends, updates and edits expect.

use chatkeep_domain::{Append, Expected, MessageEdit, Position, StoreError, ThreadUpdate, Version};

use crate::cases::versions::counts::version;
use crate::fixture::{Fixture, Talk, answers_to_each, at, message_id, numbered, texts, thread_id};

/// Fails unless it is a conflict of this, with these numbers.
fn assert_conflict<T: std::fmt::Debug>(
    answer: Result<T, StoreError>,
    wanted: Expected,
    numbers: (impl Into<i64>, impl Into<i64>),
) {
    let numbers: (i64, i64) = (numbers.0.into(), numbers.1.into());
    assert_refused!(
        answer,
        StoreError::Conflict { of, expected, actual, .. } if (of, (expected, actual)) == (wanted, numbers)
    );
}

/// Versions that a thread of this version does not have.
pub(crate) fn others(than: Version) -> [Version; 3] {
    let number = than.get();
    [number + 1, number.checked_sub(1).filter(|one| *one >= 0).unwrap_or(number + 2), number + 1_000]
        .map(version)
}

/// An append is written if the thread has the version that it expects; the next one expects what the first told.
pub(crate) async fn an_append_is_written_at_the_version_that_it_expects(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let mut at = talk.thread().await.version;
    for count in [1, 3, 1] {
        let append = Append::new(numbered(count)).expect_version(at);
        at = talk.append(append).await.unwrap().version;
    }
    assert_eq!(texts(&talk.all().await), ["0", "0", "1", "2", "0"]);
}

/// An append that expects another version is a conflict that tells both, and nothing is written: of one message, of
/// several, and of some that are held.
pub(crate) async fn an_append_that_expects_another_version_is_a_conflict(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let held = numbered(1);
    talk.say(held.clone()).await;
    let before = talk.snapshot().await;
    for other in others(before.0.version) {
        for append in [numbered(1), numbered(3), [held.clone(), numbered(1)].concat()] {
            let refused = talk.append(Append::new(append).expect_version(other)).await;
            assert_conflict(refused, Expected::Version, (other, before.0.version));
        }
    }
    assert_eq!(talk.snapshot().await, before);
}

/// An append may expect a head and a version: both have to be there, and the head is told first.
pub(crate) async fn an_append_may_expect_a_head_and_a_version(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 2).await;
    let thread = talk.thread().await;
    let (elsewhere, other) = (Position::ZERO, others(thread.version)[0]);
    let append = |count, head, at| Append::new(numbered(count)).expect_head(head).expect_version(at);
    for count in [1, 2] {
        let refused = talk.append(append(count, elsewhere, thread.version)).await;
        assert_conflict(refused, Expected::Head, (elsewhere, thread.head));
        let refused = talk.append(append(count, thread.head, other)).await;
        assert_conflict(refused, Expected::Version, (other, thread.version));
        let refused = talk.append(append(count, elsewhere, other)).await;
        assert_conflict(refused, Expected::Head, (elsewhere, thread.head));
    }
    talk.append(append(2, thread.head, thread.version)).await.unwrap();
    assert_eq!(talk.all().await.len(), 4);
}

/// An append that was written and comes again gives the stored messages, whatever version the thread has by now. One
/// of which a part is held is no retry.
pub(crate) async fn a_retry_of_an_append_succeeds_at_any_version(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let begun = talk.thread().await.version;
    let append = Append::new(numbered(2)).expect_version(begun);
    let said = talk.append(append.clone()).await.unwrap().messages;
    assert_eq!(talk.append(append.clone()).await.unwrap().messages, said, "at once");
    talk.say(numbered(1)).await;
    let before = talk.snapshot().await;
    assert_eq!(talk.append(append.clone()).await.unwrap().messages, said, "later");
    let mut longer = append;
    longer.messages.extend(numbered(1));
    assert_conflict(talk.append(longer).await, Expected::Version, (begun, before.0.version));
    assert_eq!(talk.snapshot().await, before);
}

/// In a call an append may expect the version that the one before it to the same thread makes; one that expects the
/// version of before the call is late.
pub(crate) async fn an_append_may_expect_the_version_that_the_one_before_makes(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let begun = talk.thread().await.version;
    let next = begun.next();
    let append = |count| Append::new(numbered(count));
    let call = [append(2), append(1).expect_version(next), append(1).expect_version(begun), append(2)];
    let mut answers = answers_to_each(&fixture.repo, call.map(|append| talk.appending(append))).await;
    let versions = [0, 1, 3].map(|number: usize| answers[number].as_ref().expect("it is written").version);
    assert_eq!(versions, [next, next.next(), next.next().next()]);
    assert_conflict(answers.remove(2), Expected::Version, (begun, next.next()));
    assert_eq!(talk.all().await.len(), 5);
}

/// An update is written if the thread has the version that it expects.
pub(crate) async fn an_update_is_written_at_the_version_that_it_expects(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let tags = || [("a".to_owned(), 1.into())].into_iter().collect();
    let mut at_version = talk.thread().await.version;
    for update in [ThreadUpdate::new(at(2)).name("one"), ThreadUpdate::new(at(3)).metadata(tags())] {
        at_version = talk.update(update.expect_version(at_version)).await.unwrap().version;
    }
    let thread = talk.thread().await;
    assert_eq!((thread.version, &*thread.name, thread.metadata), (at_version, "one", tags()));
}

/// An update that expects another version is a conflict, and nothing is written; that of an absent thread is not found.
pub(crate) async fn an_update_that_expects_another_version_is_a_conflict(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let before = talk.snapshot().await;
    let tags = || [("a".to_owned(), 1.into())].into_iter().collect();
    let updates = [
        ThreadUpdate::new(at(9)).name("another"),
        ThreadUpdate::new(at(0)).metadata(tags()),
        ThreadUpdate::new(at(9)),
    ];
    for update in updates {
        for other in others(before.0.version) {
            let refused = talk.update(update.clone().expect_version(other)).await;
            assert_conflict(refused, Expected::Version, (other, before.0.version));
        }
        let absent = Talk::of(&talk.tenant, thread_id());
        let refused = absent.update(update.expect_version(before.0.version)).await;
        assert_refused!(refused, StoreError::NotFound { .. });
    }
    assert_eq!(talk.snapshot().await, before);
}

/// An update that was written and comes again changes nothing, and is no conflict.
pub(crate) async fn an_update_that_changes_nothing_succeeds_at_any_version(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let update = ThreadUpdate::new(at(2)).name("one").expect_version(talk.thread().await.version);
    let updated = talk.update(update.clone()).await.unwrap();
    assert_eq!(talk.update(update.clone()).await.unwrap(), updated);
    talk.say(numbered(1)).await;
    let before = talk.thread().await;
    assert_eq!(talk.update(update).await.unwrap(), before);
    assert_eq!(talk.thread().await, before);
}

/// An edit is written if the message has the revision, and the thread the version, that it expects.
pub(crate) async fn an_edit_is_written_at_what_it_expects(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 2).await;
    let edit = |text: &str, seconds| MessageEdit::new(text, at(seconds));
    let first = talk.edit_as(said[0].id, edit("one", 2).expect_revision(1)).await.unwrap();
    talk.edit_as(said[0].id, edit("two", 3).expect_revision(first.revision)).await.unwrap();
    let version = talk.thread().await.version;
    talk.edit_as(said[1].id, edit("three", 4).expect_version(version)).await.unwrap();
    let both = edit("four", 5).expect_revision(2).expect_version(version.next());
    talk.edit_as(said[1].id, both).await.unwrap();
    assert_eq!(texts(&talk.all().await), ["two", "four"]);
}

/// An edit that expects another revision or version is a conflict, of the revision first, and nothing is written. A
/// message that is not there is not found, whatever is expected.
pub(crate) async fn an_edit_that_expects_something_else_is_a_conflict(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 2).await;
    let id = said[0].id;
    talk.edit(id, "edited", at(2)).await.unwrap();
    let before = talk.snapshot().await;
    let (edit, version) = (MessageEdit::new("another", at(3)), before.0.version);
    for revision in [1, 3, 0] {
        let refused = talk.edit_as(id, edit.clone().expect_revision(revision)).await;
        assert_conflict(refused, Expected::Revision, (i64::from(revision), 2));
    }
    for other in others(version) {
        let refused = talk.edit_as(id, edit.clone().expect_revision(2).expect_version(other)).await;
        assert_conflict(refused, Expected::Version, (other, version));
        let refused = talk.edit_as(id, edit.clone().expect_revision(1).expect_version(other)).await;
        assert_conflict(refused, Expected::Revision, (1, 2));
        let absent = talk.edit_as(message_id(), edit.clone().expect_revision(1).expect_version(other)).await;
        assert_refused!(absent, StoreError::NotFound { .. });
    }
    assert_eq!(talk.snapshot().await, before);
}

/// An edit that was written and comes again, also where another came in between, and one to the content that is there, are
/// no conflict.
pub(crate) async fn an_edit_that_changes_nothing_succeeds_at_any_version(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 1).await;
    let id = said[0].id;
    let begun = talk.thread().await.version;
    let edit = MessageEdit::new("one", at(2)).expect_revision(1).expect_version(begun);
    let edited = talk.edit_as(id, edit.clone()).await.unwrap();
    assert_eq!(talk.edit_as(id, edit.clone()).await.unwrap(), edited);
    let other = talk.edit(id, "two", at(3)).await.unwrap();
    assert_eq!(talk.edit_as(id, edit).await.unwrap(), other, "another came in between");
    let same = MessageEdit::new("two", at(9)).expect_revision(1).expect_version(begun);
    assert_eq!(talk.edit_as(id, same).await.unwrap(), other, "the content that is there");
}
