//! Append: order, whole batches, times, what is refused.

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
    assert_eq!(talk.append(Append::default()).await.unwrap().messages, []);
    assert_eq!(talk.snapshot().await, before);
}
