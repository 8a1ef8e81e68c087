//! Appends of messages that the thread holds: each is stored once.

use chatkeep_domain::{Content, Role};

use crate::fixture::{Fixture, at, message, numbered, texts};

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
