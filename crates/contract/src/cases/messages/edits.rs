//! Edits, deleted messages, cleared threads.

use chatkeep_domain::{
    Content, Entity, MAX_PAGE_LEN, MessageQuery, MessageRevision, Removal, StoreError, Timestamp,
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::fixture::{Fixture, Talk, at, message, message_id, numbered, positions, texts};

/// An edit replaces the content; id, position, sender and `created_at` stay, and so do the other messages.
pub(crate) async fn an_edit_replaces_the_content_alone(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 3).await;
    let edited = talk.edit(said[1].id, "edited", at(5)).await.unwrap();
    let expected = with!(said[1].clone(), content: Content::text("edited"), revision: 2, updated_at: at(5));
    assert_eq!(edited, expected, "what edit gives");
    assert_eq!(talk.get(said[1].id).await.unwrap(), expected, "what is read");
    assert_eq!(talk.all().await, [said[0].clone(), expected, said[2].clone()]);
    assert_eq!(talk.thread().await.head, said[2].position, "the head");
}

/// The earlier contents are kept as revisions, oldest first, each with the time when it was written.
pub(crate) async fn earlier_contents_are_kept_as_revisions(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 1).await;
    let id = said[0].id;
    for (seconds, text) in [(5, "second"), (9, "third"), (12, "fourth")] {
        talk.edit(id, text, at(seconds)).await.unwrap();
    }
    let revisions = talk.revisions(id).await.unwrap();
    let expected = [(1, "0", 1), (2, "second", 5), (3, "third", 9)];
    let expected = expected
        .map(|(revision, text, seconds)| MessageRevision::new(revision, Content::text(text), at(seconds)));
    assert_eq!(revisions, expected);
}

/// Going back to an earlier content is an edit as any other.
pub(crate) async fn going_back_to_an_earlier_content_is_an_edit(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 1).await;
    talk.edit(said[0].id, "other", at(2)).await.unwrap();
    let back = talk.edit(said[0].id, "0", at(3)).await.unwrap();
    assert_eq!((back.content.as_text(), back.updated_at), (Some("0"), at(3)));
    let revisions = talk.revisions(said[0].id).await.unwrap();
    assert_eq!(revisions.len(), 2);
    assert_eq!(revisions[1].content.as_text(), Some("other"));
}

/// A message that was never edited has no revisions.
pub(crate) async fn a_message_never_edited_has_no_revisions(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 2).await;
    talk.edit(said[0].id, "edited", at(2)).await.unwrap();
    assert_eq!(talk.revisions(said[1].id).await.unwrap(), []);
}

/// Writing the content that a message has already changes nothing, so that a retry is safe.
pub(crate) async fn writing_the_same_content_changes_nothing(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 2).await;
    let before = talk.snapshot().await;
    let same = talk.edit(said[0].id, said[0].content.clone(), at(9)).await.unwrap();
    assert_eq!(same, said[0], "without an earlier edit");
    assert_eq!(talk.snapshot().await, before);
    let edited = talk.edit(said[0].id, "edited", at(10)).await.unwrap();
    let before = talk.snapshot().await;
    assert_eq!(talk.edit(said[0].id, "edited", at(99)).await.unwrap(), edited, "a retry");
    assert_eq!(talk.snapshot().await, before);
}

/// An edit whose answer was lost, and that comes again when somebody else has edited in between, is not written again: the
/// message stays as the other one left it.
pub(crate) async fn an_edit_is_written_once_whatever_came_in_between(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 1).await;
    let id = said[0].id;
    talk.edit(id, "mine", at(2)).await.unwrap();
    let theirs = talk.edit(id, "theirs", at(3)).await.unwrap();
    let before = talk.snapshot().await;
    assert_eq!(talk.edit(id, "mine", at(2)).await.unwrap(), theirs, "the retry of the first");
    assert_eq!(talk.snapshot().await, before);
    assert_eq!(talk.edit(id, "theirs", at(3)).await.unwrap(), theirs, "the retry of the second");
    assert_eq!(talk.snapshot().await, before);
}

/// An edit is known by its content and its time together: the same content at another time is a new edit, and so is another
/// content at the same time.
pub(crate) async fn the_time_and_the_content_tell_edits_apart(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 1).await;
    let id = said[0].id;
    for (number, (text, seconds)) in
        (1..).zip([("mine", 2), ("theirs", 2), ("mine", 4), ("theirs", 4), ("other", 2), ("mine", 5)])
    {
        let edited = talk.edit(id, text, at(seconds)).await.unwrap();
        assert_eq!(edited.content.as_text(), Some(text), "edit {number}");
        assert_eq!(talk.revisions(id).await.unwrap().len(), number, "edit {number}");
    }
}

/// The content that a message was appended with is no edit: going back to it is one, whatever the time.
pub(crate) async fn going_back_to_the_first_content_is_an_edit_at_any_time(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 1).await;
    talk.edit(said[0].id, "other", at(1)).await.unwrap();
    let back = talk.edit(said[0].id, "0", said[0].created_at).await.unwrap();
    assert_eq!(back.content.as_text(), Some("0"));
    assert_eq!(talk.revisions(said[0].id).await.unwrap().len(), 2);
}

/// The retry of an edit that brought an earlier time than the message's `updated_at` is known by the time that it brought.
pub(crate) async fn a_retry_is_known_by_the_time_that_it_brings(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 1).await;
    let id = said[0].id;
    talk.edit(id, "late", at(9)).await.unwrap();
    talk.edit(id, "early", at(2)).await.unwrap();
    let last = talk.edit(id, "last", at(3)).await.unwrap();
    let revisions = talk.revisions(id).await.unwrap();
    assert_eq!(revisions[2].written_at, at(9), "written later than it says");
    assert_eq!(talk.edit(id, "early", at(2)).await.unwrap(), last);
    assert_eq!(talk.revisions(id).await.unwrap(), revisions);
    let again = talk.edit(id, "early", at(9)).await.unwrap();
    assert_eq!(again.content.as_text(), Some("early"), "at the time when it was written, it is another edit");
}

/// Contents are the same when their JSON texts are: 0.0 and -0.0 are equal numbers, and different contents.
pub(crate) async fn an_edit_from_zero_to_minus_zero_is_an_edit(fixture: Fixture) {
    let number = |value: f64| Content::from_value(json!({"type": "number", "value": value})).unwrap();
    let talk = fixture.tenant().talk().await;
    let said = talk.say([with!(message(""), content: number(0.0))]).await;
    talk.edit(said[0].id, number(-0.0), at(5)).await.unwrap();
    let read = talk.get(said[0].id).await.unwrap();
    assert_eq!(read.content.get("value").and_then(Value::as_f64).map(f64::is_sign_negative), Some(true));
    assert_eq!(talk.revisions(said[0].id).await.unwrap().len(), 1);
}

/// An edit raises the `updated_at` of the message and of the thread, and never lowers either.
pub(crate) async fn an_edit_never_lowers_updated_at(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 2).await;
    let mut late = message("late");
    late.created_at = at(50);
    talk.say([late]).await;
    for (given, of_message, of_thread) in [(-9, 1, 50), (20, 20, 50), (60, 60, 60), (30, 60, 60)] {
        let edited = talk.edit(said[0].id, format!("at {given}"), at(given)).await.unwrap();
        assert_eq!(edited.updated_at, at(of_message), "the message after an edit at {given}");
        assert_eq!(talk.get(said[0].id).await.unwrap(), edited, "what is stored");
        assert_eq!(talk.thread().await.updated_at, at(of_thread), "the thread after it");
    }
    assert_eq!(talk.get(said[1].id).await.unwrap(), said[1], "the other message");
}

/// Editing or deleting what is not in the thread is `NotFound`, and nothing changes.
pub(crate) async fn a_message_that_is_not_there_is_not_found(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, _) = Talk::with(&ada, 2).await;
    let (other, elsewhere) = Talk::with(&ada, 1).await;
    let before = (talk.snapshot().await, other.snapshot().await);
    for id in [message_id(), elsewhere[0].id] {
        let told = id.to_string();
        let edited = talk.edit(id, "x", at(9)).await;
        assert_refused!(edited, StoreError::NotFound { entity: Entity::Message, id, .. } if id == told);
        let revisions = talk.revisions(id).await;
        assert_refused!(revisions, StoreError::NotFound { entity: Entity::Message, id, .. } if id == told);
        let deleted = talk.delete_message(id, at(9)).await;
        assert_refused!(deleted, StoreError::NotFound { entity: Entity::Message, id, .. } if id == told);
    }
    assert_eq!((talk.snapshot().await, other.snapshot().await), before);
}

/// Deleting a message leaves the others where they are.
pub(crate) async fn deleting_a_message_leaves_the_others(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 5).await;
    talk.edit(said[3].id, "edited", at(2)).await.unwrap();
    let (_, _, revisions) = talk.snapshot().await;
    let kept = talk.get(said[3].id).await.unwrap();
    for gone in [0, 2, 4] {
        talk.delete_message(said[gone].id, at(3)).await.unwrap();
    }
    assert_eq!(talk.all().await, [said[1].clone(), kept]);
    assert_eq!(talk.revisions(said[3].id).await.unwrap(), revisions[3]);
    let newest = talk.read(&MessageQuery::newest(9)).await;
    assert_eq!(positions(&newest), [said[3].position.get(), said[1].position.get()]);
}

/// A deleted message is `NotFound`, with its revisions, and a second time too.
pub(crate) async fn a_deleted_message_is_not_found(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 2).await;
    let id = said[0].id;
    talk.edit(id, "edited", at(2)).await.unwrap();
    talk.delete_message(id, at(3)).await.unwrap();
    assert_refused!(talk.get(id).await, StoreError::NotFound { .. });
    assert_refused!(talk.revisions(id).await, StoreError::NotFound { .. });
    assert_refused!(talk.edit(id, "late", at(4)).await, StoreError::NotFound { .. });
    let before = talk.thread().await;
    assert_refused!(talk.delete_message(id, at(5)).await, StoreError::NotFound { .. });
    assert_eq!(talk.thread().await, before, "the second time changes nothing");
}

/// The revisions of a deleted message are gone with it, also when its id is appended anew.
pub(crate) async fn revisions_are_deleted_with_their_message(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let new = message("secret");
    for clear in [false, true] {
        talk.say([new.clone()]).await;
        talk.edit(new.id, "redacted", at(2)).await.unwrap();
        if clear {
            talk.clear(at(3)).await.unwrap();
        } else {
            talk.delete_message(new.id, at(3)).await.unwrap();
        }
        talk.say([new.clone()]).await;
        assert_eq!(talk.revisions(new.id).await.unwrap(), [], "cleared: {clear}");
        assert_eq!(texts(&talk.all().await), ["secret"]);
    }
}

/// A clear gives the number of messages, and keeps the thread and its head.
pub(crate) async fn a_clear_keeps_the_thread_and_its_head(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 4).await;
    talk.delete_message(said[1].id, at(2)).await.unwrap();
    let before = talk.thread().await;
    let expected = with!(before.clone(), version: before.version.next(), updated_at: at(7));
    assert_eq!(talk.clear(at(7)).await.unwrap(), 3, "the messages that were there");
    assert_eq!(talk.thread().await, expected);
    assert_eq!(talk.all().await, []);
    assert_refused!(talk.get(said[0].id).await, StoreError::NotFound { .. });
    assert_refused!(talk.revisions(said[0].id).await, StoreError::NotFound { .. });
    assert_eq!(talk.clear(at(7)).await.unwrap(), 0, "a second time");
}

/// A clear of a thread without messages is no write, as a retry of one is: it changes nothing.
pub(crate) async fn a_clear_of_nothing_changes_nothing(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    for seconds in [20, 30] {
        let before = talk.snapshot().await;
        assert_eq!(talk.clear(at(seconds + 5)).await.unwrap(), 0);
        assert_eq!(talk.snapshot().await, before);
        talk.say(numbered(2)).await;
        assert_eq!(talk.clear(at(seconds)).await.unwrap(), 2);
        assert_eq!(talk.thread().await.updated_at, at(seconds));
    }
}

/// A clear of more messages than a page holds removes them all.
pub(crate) async fn a_clear_removes_more_than_a_page(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), MAX_PAGE_LEN + 200).await;
    assert_eq!(talk.clear(at(7)).await.unwrap(), 1_200);
    assert_eq!(talk.all().await, []);
}

/// Deleting messages never lowers `updated_at`.
pub(crate) async fn deleting_never_lowers_updated_at(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 3).await;
    for (gone, given, expected) in [(0, 30, 30), (1, -4, 30)] {
        talk.delete_message(said[gone].id, at(given)).await.unwrap();
        assert_eq!(talk.thread().await.updated_at, at(expected), "after a delete at {given}");
    }
    talk.clear(at(-9)).await.unwrap();
    assert_eq!(talk.thread().await.updated_at, at(30), "after a clear at -9");
}

/// A time that no store keeps is refused by a removal, which then removes nothing.
pub(crate) async fn a_removal_refuses_a_time_out_of_range(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 2).await;
    let before = talk.snapshot().await;
    for bad in [at(9) + TimeDelta::nanoseconds(1), Timestamp::MAX_UTC, Timestamp::MIN_UTC] {
        let bad = with!(Removal::new(at(9)), at: bad);
        let removed = talk.delete_message(said[0].id, bad).await;
        assert_refused!(removed, StoreError::InvalidArgument(error) if error.field == "at");
        assert_refused!(talk.clear(bad).await, StoreError::InvalidArgument(error) if error.field == "at");
    }
    assert_eq!(talk.snapshot().await, before);
}
