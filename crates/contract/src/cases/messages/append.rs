//! Append: order, idempotence, compare-and-append, what is refused.

use chatkeep_domain::{
    Append, ChatMessage, Content, Entity, MAX_BATCH_LEN, MAX_CONTENT_BYTES, NewMessage, Position, Role,
    StoreError, UserId,
};

use crate::fixture::{Fixture, Talk, at, ids, message, message_id, numbered, positions, texts, thread_id};

/// Positions start at 1 and grow strictly, append after append, and the thread's head is the last.
pub(crate) async fn positions_start_at_1_and_grow(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let mut last = Position::ZERO;
    for count in [1, 3, 2] {
        let stored = talk.say(numbered(count)).await;
        for message in &stored {
            assert!(message.position > last, "{} follows {last}", message.position);
            last = message.position;
        }
        assert_eq!(talk.thread().await.head, last, "the head");
    }
    assert_eq!(talk.all().await[0].position.get(), 1, "the first position");
}

/// Messages come back as they were given, every field, every role: from the append and from each read.
pub(crate) async fn a_message_comes_back_as_it_was_given(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk().await;
    let sender = UserId::new("Zoë@example.org").unwrap();
    let mut given = Vec::new();
    for (number, role) in (1..).zip(Role::ALL) {
        let new = |text| NewMessage::new(message_id(), role, text, at(number));
        given.push(new("from nobody"));
        given.push(new("from somebody").with_sender(sender.clone()));
    }
    let stored = talk.say(given.clone()).await;
    assert_eq!(stored.len(), given.len());
    for (given, stored) in given.into_iter().zip(&stored) {
        let NewMessage { id, sender_id, sender_role, content, created_at, .. } = given;
        let expected = ChatMessage::new(id, talk.id, stored.position, sender_role, content, created_at);
        let expected = with!(expected, sender_id);
        assert_eq!(*stored, expected, "what append gives");
        assert_eq!(talk.get(expected.id).await.unwrap(), expected, "what is read alone");
    }
    assert_eq!(talk.all().await, stored, "what is listed");
}

/// A batch is stored, given back and read in the order given.
pub(crate) async fn a_batch_keeps_its_order(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    talk.say([message("before")]).await;
    let mut batch = numbered(7);
    // The order of the ids says nothing either.
    batch.sort_by_key(|message| std::cmp::Reverse(message.id));
    let expected: Vec<_> = batch.iter().map(|message| message.id).collect();
    let stored = talk.say(batch).await;
    assert_eq!(ids(&stored), expected, "what append gives");
    assert!(stored.is_sorted_by(|a, b| a.position < b.position), "{:?}", positions(&stored));
    assert_eq!(talk.all().await[1..], stored, "what is read");
}

/// A batch of 1,000 is stored whole and in order.
pub(crate) async fn a_batch_of_1000_is_stored_whole(fixture: Fixture) {
    let (talk, stored) = Talk::with(&fixture.tenant(), 1_000).await;
    let expected: Vec<_> = (0..1_000).map(|number| number.to_string()).collect();
    assert_eq!(texts(&stored), expected, "what append gives");
    assert_eq!(talk.all().await, stored, "what is read");
}

/// Order is by position, whatever the times say.
pub(crate) async fn order_is_by_position_whatever_the_times(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    for (text, seconds) in [("first", 50), ("second", 10), ("third", 30), ("fourth", 10)] {
        let mut new = message(text);
        new.created_at = at(seconds);
        talk.say([new]).await;
    }
    let read = talk.all().await;
    assert_eq!(texts(&read), ["first", "second", "third", "fourth"]);
    assert_eq!(read[1].created_at, at(10), "the time is kept as it is");
}

/// An append raises `updated_at` to the latest time of its messages.
pub(crate) async fn an_append_raises_updated_at_to_its_latest(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let mut batch = numbered(3);
    batch[1].created_at = at(77);
    talk.say(batch).await;
    assert_eq!(talk.thread().await.updated_at, at(77));
}

/// An append with a clock that is behind never lowers `updated_at`.
pub(crate) async fn an_append_never_lowers_updated_at(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    for (given, expected) in [(-100, 0), (60, 60), (20, 60)] {
        let mut new = message("skewed");
        new.created_at = at(given);
        talk.say([new]).await;
        assert_eq!(talk.thread().await.updated_at, at(expected), "after an append at {given}");
    }
}

/// Only what an append stores raises `updated_at`: a message that the thread holds is no write, whatever time a retry gives
/// it.
pub(crate) async fn a_held_message_raises_no_updated_at(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let held = talk.say(numbered(2)).await;
    let retried =
        |number: usize, seconds| with!(message("retried"), id: held[number].id, created_at: at(seconds));
    let new = |seconds| with!(message("new"), created_at: at(seconds));
    let before = talk.snapshot().await;
    assert_eq!(talk.say([retried(0, 50), retried(1, 90)]).await, held);
    assert_eq!(talk.snapshot().await, before, "after a retry alone");
    for (batch, expected) in [
        (vec![retried(0, 90), new(20), retried(1, 80)], 20),
        (vec![new(10), retried(0, 99)], 20),
        (vec![retried(1, 30), new(40), new(25)], 40),
    ] {
        let count = batch.len();
        assert_eq!(talk.say(batch).await.len(), count);
        assert_eq!(talk.thread().await.updated_at, at(expected));
    }
}

/// A batch with a bad message in the middle is refused, and nothing of it is written.
pub(crate) async fn a_batch_with_a_bad_message_writes_nothing(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let before = talk.snapshot().await;
    let mut batch = numbered(3);
    batch[1].content = Content::text("x".repeat(MAX_CONTENT_BYTES));
    let refused = talk.append(Append::new(batch)).await;
    assert_refused!(refused, StoreError::TooLarge { .. });
    assert_eq!(talk.snapshot().await, before);
}

/// A batch with one id twice is refused, and nothing of it is written.
pub(crate) async fn a_batch_with_an_id_twice_writes_nothing(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let before = talk.snapshot().await;
    let mut batch = numbered(4);
    batch[2].id = batch[0].id;
    let refused = talk.append(Append::new(batch)).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "messages");
    assert_eq!(talk.snapshot().await, before);
}

/// A batch of 10,000 is taken; a longer one is `TooLarge`, and nothing of it is written.
pub(crate) async fn a_batch_has_an_exact_limit(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let refused = talk.append(Append::new(numbered(MAX_BATCH_LEN + 1))).await;
    assert_refused!(refused, StoreError::TooLarge { limit: 10_000, actual: 10_001, .. });
    assert_eq!(talk.thread().await.head, Position::ZERO);
    assert_eq!(talk.say(numbered(MAX_BATCH_LEN)).await.len(), MAX_BATCH_LEN);
}

/// A message that the thread holds is not stored again; the stored one comes back.
pub(crate) async fn a_retry_of_one_message_gives_the_stored_one(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let new = message("once");
    let first = talk.say([new.clone()]).await;
    let before = talk.snapshot().await;
    assert_eq!(talk.say([new]).await, first);
    assert_eq!(talk.snapshot().await, before);
}

/// The same for a whole batch, also when others wrote in between.
pub(crate) async fn a_retry_of_a_batch_gives_the_stored_ones(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let batch = numbered(5);
    let first = talk.say(batch.clone()).await;
    talk.say([message("another writer")]).await;
    let before = talk.snapshot().await;
    assert_eq!(talk.say(batch.clone()).await, first);
    assert_eq!(talk.say(batch.into_iter().skip(2)).await, first[2..], "a part of it");
    assert_eq!(talk.snapshot().await, before);
}

/// The stored message wins over what a retry says, and comes back as it is now.
pub(crate) async fn a_retry_gives_the_message_as_it_is_stored(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let new = message("first");
    talk.say([new.clone()]).await;
    let other = with!(new.clone(), content: Content::text("other"), sender_role: Role::Tool);
    assert_eq!(texts(&talk.say([other]).await), ["first"]);
    let edited = talk.edit(new.id, "edited", at(5)).await.unwrap();
    assert_eq!(talk.say([new]).await, std::slice::from_ref(&edited));
    assert_eq!(talk.all().await, [edited]);
}

/// Of a batch that is held in part, only the rest is stored; each comes back in its place.
pub(crate) async fn a_batch_held_in_part_stores_the_rest(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let batch = numbered(5);
    talk.say([batch[3].clone(), batch[1].clone()]).await;
    let stored = talk.say(batch).await;
    assert_eq!(texts(&stored), ["0", "1", "2", "3", "4"], "what append gives");
    assert_eq!(texts(&talk.all().await), ["3", "1", "0", "2", "4"], "what is read");
    assert_eq!(talk.thread().await.head, stored[4].position, "the head");
}

/// With `expect_head` it writes where the thread's head is there.
pub(crate) async fn expect_head_writes_at_the_head(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let mut head = Position::ZERO;
    for count in [2, 1] {
        let append = Append::new(numbered(count)).expect_head(head);
        let stored = talk.append(append).await.unwrap();
        assert_eq!(stored.len(), count);
        head = talk.thread().await.head;
        assert_eq!(stored[count - 1].position, head);
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
            StoreError::Conflict { expected, actual, .. } if (expected, actual) == (wrong, head)
        );
    }
    assert_eq!(talk.snapshot().await, before);
}

/// A retry of a compare-and-append that succeeded is answered as one, also when the head moved on.
pub(crate) async fn a_retry_of_a_compare_and_append_succeeds(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let append = Append::new(numbered(2)).expect_head(Position::ZERO);
    let first = talk.append(append.clone()).await.unwrap();
    assert_eq!(talk.append(append.clone()).await.unwrap(), first, "at once");
    talk.say([message("another writer")]).await;
    assert_eq!(talk.append(append).await.unwrap(), first, "after another writer");
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
    assert_refused!(refused, StoreError::Conflict { actual, .. } if actual == head);
    talk.append(Append::new(numbered(1)).expect_head(head)).await.unwrap();
}

/// An append to an absent thread is `NotFound`, with `expect_head` too, and makes no thread.
pub(crate) async fn appending_to_an_absent_thread_is_not_found(fixture: Fixture) {
    let ada = fixture.tenant();
    let (id, append) = (thread_id(), Append::new(numbered(2)));
    for append in [append.clone(), append.expect_head(Position::ZERO), Append::default()] {
        let refused = fixture.repo.append(&ada.scope, id, append).await;
        assert_refused!(
            refused,
            StoreError::NotFound { entity: Entity::Thread, id: told, .. } if told == id.to_string()
        );
    }
    assert_eq!(ada.list_ids(&ada.scope).await, []);
}

/// Nothing to append gives back nothing, and changes nothing.
pub(crate) async fn nothing_to_append_changes_nothing(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 2).await;
    let before = talk.snapshot().await;
    assert_eq!(talk.append(Append::default()).await.unwrap(), []);
    assert_eq!(talk.snapshot().await, before);
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

/// A message id is unique within its thread; two threads may use the same.
pub(crate) async fn two_threads_may_use_one_message_id(fixture: Fixture) {
    let ada = fixture.tenant();
    let (one, two) = (ada.talk().await, ada.talk().await);
    let new = message("one");
    one.say([new.clone()]).await;
    let other = with!(new.clone(), content: Content::text("two"));
    assert_eq!(texts(&two.say([other]).await), ["two"]);
    assert_eq!(texts(&one.all().await), ["one"]);
    two.edit(new.id, "edited", at(2)).await.unwrap();
    assert_eq!(one.revisions(new.id).await.unwrap(), [], "each has its own revisions");
    two.delete_message(new.id, at(3)).await.unwrap();
    assert_eq!(texts(&one.all().await), ["one"], "after the other is deleted");
}
