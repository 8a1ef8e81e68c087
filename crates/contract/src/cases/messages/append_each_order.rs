//! The appends of one call to one thread: they take effect in the order given, and change its thread as each would alone.

use chatkeep_domain::{Append, Content, MAX_CONTENT_BYTES, NewMessage, Position, StoreError};

use crate::cases::messages::append_each::{saying, talks};
use crate::fixture::{Fixture, Talk, append_each, at, message, numbered, say_each, texts};

/// An append that is refused takes nothing from those to the same thread in the same call.
pub(crate) async fn a_refused_append_takes_nothing_from_its_own_thread(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let mut bad = numbered(3);
    bad[1].content = Content::text("x".repeat(MAX_CONTENT_BYTES));
    let late = Append::new(numbered(1)).expect_head(Position::ZERO);
    let appends = [saying(&["first"]), Append::new(bad), late, saying(&["last"])];
    let answers = append_each(&fixture.repo, appends.map(|append| talk.appending(append))).await;
    let [first, bad, late, last] = <[_; 4]>::try_from(answers).expect("four");
    let (first, last) = (first.unwrap(), last.unwrap());
    assert_refused!(bad, StoreError::TooLarge { .. });
    assert_refused!(late, StoreError::Conflict { actual, .. } if actual == first[0].position.get());
    assert_eq!(talk.all().await, [first, last.clone()].concat());
    assert_eq!(talk.thread().await.head, last[0].position);
}

/// Appends to one thread take effect in the order given, also with others between them.
pub(crate) async fn appends_to_one_thread_take_effect_in_order(fixture: Fixture) {
    let [one, two] = talks(&fixture.tenant()).await;
    one.say([message("before")]).await;
    let appends = [(&one, ["a", "b"]), (&two, ["c", "d"]), (&one, ["e", "f"]), (&one, ["g", "h"])];
    let stored = say_each(&fixture.repo, appends.map(|(talk, said)| talk.appending(saying(&said)))).await;
    assert_eq!(texts(&stored.concat()), ["a", "b", "c", "d", "e", "f", "g", "h"], "what the call gives");
    assert_eq!(texts(&one.all().await), ["before", "a", "b", "e", "f", "g", "h"], "what is read");
    assert_eq!(one.all().await[1..], [&stored[0][..], &stored[2], &stored[3]].concat());
    assert_eq!(two.all().await, stored[1]);
    assert_eq!(one.thread().await.head, stored[3][1].position, "the head");
}

/// An append of a call may expect the head that the one before it makes; and no longer the one before the call.
pub(crate) async fn an_append_may_expect_the_head_that_the_one_before_makes(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let probe = talk.say(numbered(2)).await;
    let (second, head) = (probe[1].position, probe[1].position);
    // Where the head will be is the store's: it is learned from a thread that gets the same.
    let twin = talk.tenant.talk().await;
    twin.say(numbered(2)).await;
    let next = twin.say(numbered(3)).await[2].position;
    let stale = Append::new(numbered(1)).expect_head(second);
    let appends =
        [Append::new(numbered(3)).expect_head(head), Append::new(numbered(1)).expect_head(next), stale];
    let answers = append_each(&fixture.repo, appends.map(|append| talk.appending(append))).await;
    let [first, chained, stale] = <[_; 3]>::try_from(answers).expect("three");
    assert_eq!(first.unwrap()[2].position, next);
    let last = chained.expect("it expects the head that the first made")[0].position;
    assert_refused!(
        stale,
        StoreError::Conflict { expected, actual, .. } if (expected, actual) == (head.get(), last.get())
    );
    assert_eq!(talk.all().await.len(), 6);
}

/// A message id that two appends of a call bring to one thread is stored once; both get the stored message.
pub(crate) async fn an_id_of_two_appends_is_stored_once(fixture: Fixture) {
    let [one, two] = talks(&fixture.tenant()).await;
    let new = message("first");
    let other = with!(new.clone(), content: Content::text("other"));
    let mut around = numbered(2);
    around.insert(1, other.clone());
    let appends = [
        one.appending(Append::new([new])),
        // A message id is unique within its thread.
        two.appending(Append::new([other.clone()])),
        one.appending(Append::new(around)),
        one.appending(Append::new([other]).expect_head(Position::ZERO)),
    ];
    let stored = say_each(&fixture.repo, appends).await;
    assert_eq!(texts(&stored.concat()), ["first", "other", "0", "first", "1", "first"]);
    assert_eq!(texts(&one.all().await), ["first", "0", "1"]);
    assert_eq!(texts(&two.all().await), ["other"]);
    assert_eq!((&stored[2][1], &stored[3][0]), (&stored[0][0], &stored[0][0]));
}

/// A retry of a call gives the stored messages and changes nothing, also when others wrote in between.
pub(crate) async fn a_retry_of_a_call_gives_the_stored_messages(fixture: Fixture) {
    let [one, two] = talks(&fixture.tenant()).await;
    let appends = [
        one.appending(Append::new(numbered(2))),
        two.appending(Append::new(numbered(1)).expect_head(Position::ZERO)),
        one.appending(Append::new(numbered(3))),
    ];
    let first = say_each(&fixture.repo, appends.clone()).await;
    one.say([message("another writer")]).await;
    two.say([message("another writer")]).await;
    let before = (one.snapshot().await, two.snapshot().await);
    assert_eq!(say_each(&fixture.repo, appends.clone()).await, first, "the same call");
    let [_, second, third] = appends;
    assert_eq!(
        say_each(&fixture.repo, [third, second]).await,
        [first[2].clone(), first[1].clone()],
        "a part of it"
    );
    assert_eq!((one.snapshot().await, two.snapshot().await), before);
}

/// Of a call that is held in part, only the rest is stored; each message comes back in its place.
pub(crate) async fn a_call_held_in_part_stores_the_rest(fixture: Fixture) {
    let [one, two] = talks(&fixture.tenant()).await;
    let (batch, other) = (numbered(4), numbered(2));
    one.say([batch[2].clone(), batch[0].clone()]).await;
    let compare = Append::new(batch.clone()).expect_head(Position::ZERO);
    let appends = [
        one.appending(Append::new(batch[..3].to_vec())),
        two.appending(Append::new(other)),
        one.appending(compare),
        one.appending(Append::new(batch)),
    ];
    let [first, second, conflict, last] =
        <[_; 4]>::try_from(append_each(&fixture.repo, appends).await).expect("four");
    assert_eq!(texts(&first.unwrap()), ["0", "1", "2"]);
    assert_eq!(second.unwrap(), two.all().await);
    assert_refused!(conflict, StoreError::Conflict { .. }, "held in part is no retry");
    assert_eq!(texts(&last.unwrap()), ["0", "1", "2", "3"]);
    assert_eq!(texts(&one.all().await), ["2", "0", "1", "3"]);
}

/// A call raises the `updated_at` of each thread to the latest time of its own messages, and lowers none.
pub(crate) async fn a_call_raises_updated_at_of_each_thread_by_its_own(fixture: Fixture) {
    let talks: [Talk; 3] = talks(&fixture.tenant()).await;
    let at_times =
        |times: &[i64]| Append::new(times.iter().map(|time| with!(message("timed"), created_at: at(*time))));
    let appends =
        [(0, at_times(&[30, 50, 20])), (1, at_times(&[-100])), (2, at_times(&[60])), (0, at_times(&[40]))];
    say_each(&fixture.repo, appends.map(|(number, append)| talks[number].appending(append))).await;
    for (talk, expected) in talks.iter().zip([50, 0, 60]) {
        assert_eq!(talk.thread().await.updated_at, at(expected));
    }
    let listed = talks[0].tenant.list_ids(&talks[0].tenant.scope).await;
    assert_eq!(listed, [talks[2].id, talks[0].id, talks[1].id], "the newest update first");
}

/// Only what a call stores raises `updated_at`: not a message that its thread holds, nor one that an earlier append of the
/// same call has stored.
pub(crate) async fn a_held_message_of_a_call_raises_no_updated_at(fixture: Fixture) {
    let [mixed, quiet, twice] = talks(&fixture.tenant()).await;
    let timed = |new: &NewMessage, seconds| with!(new.clone(), created_at: at(seconds));
    let new = numbered(4);
    mixed.say([timed(&new[0], 1)]).await;
    quiet.say([timed(&new[0], 2)]).await;
    let before = quiet.snapshot().await;
    let appends = [
        mixed.appending(Append::new([timed(&new[0], 90), timed(&new[1], 30)])),
        quiet.appending(Append::new([timed(&new[0], 91)])),
        twice.appending(Append::new([timed(&new[2], 40)])),
        twice.appending(Append::new([timed(&new[3], 50), timed(&new[2], 92)])),
    ];
    say_each(&fixture.repo, appends).await;
    assert_eq!(quiet.snapshot().await, before, "after a retry alone");
    for (talk, expected) in [(mixed, 30), (twice, 50)] {
        assert_eq!(talk.thread().await.updated_at, at(expected));
    }
}
