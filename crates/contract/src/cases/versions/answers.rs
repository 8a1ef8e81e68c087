//! What an append tells of its thread.

use chatkeep_domain::{Append, Appended, Position};

use crate::fixture::{Fixture, Talk, answers_to_each, append_each, at, numbered};

/// The head and the version of a thread as they are read.
async fn now(talk: &Talk) -> (Position, chatkeep_domain::Version) {
    let thread = talk.thread().await;
    (thread.head, thread.version)
}

/// The same as an append tells them.
fn told(appended: &Appended) -> (Position, chatkeep_domain::Version) {
    (appended.head, appended.version)
}

/// An append, of one message or of many, tells the head and the version that it makes.
pub(crate) async fn an_append_tells_the_head_and_the_version(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    for count in [1, 5, 1, 100] {
        let before = talk.thread().await.version;
        let appended = talk.append(Append::new(numbered(count))).await.unwrap();
        assert_eq!(told(&appended), (appended.messages[count - 1].position, before.next()), "of {count}");
        assert_eq!(told(&appended), now(&talk).await, "of {count}");
    }
}

/// A retry, and an append of nothing, tell the head and the version as they are by now.
pub(crate) async fn an_append_of_nothing_new_tells_what_is_there(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    assert_eq!(told(&talk.append(Append::default()).await.unwrap()), now(&talk).await, "of an empty thread");
    let append = Append::new(numbered(2));
    let said = talk.append(append.clone()).await.unwrap().messages;
    talk.say(numbered(3)).await;
    talk.edit(said[0].id, "edited", at(5)).await.unwrap();
    assert_eq!(told(&talk.append(append.clone()).await.unwrap()), now(&talk).await, "of a retry");
    assert_eq!(told(&talk.append(Append::default()).await.unwrap()), now(&talk).await, "of nothing");
    talk.clear(at(6)).await.unwrap();
    let again = talk.append(append).await.unwrap();
    assert_eq!(told(&again), now(&talk).await, "of what was cleared");
    assert_eq!(again.head, again.messages[1].position);
}

/// Each append of a call tells the head and the version that it makes itself, not those of the last one to its thread.
pub(crate) async fn appends_of_a_call_tell_their_own_heads_and_versions(fixture: Fixture) {
    let ada = fixture.tenant();
    let (one, other) = (ada.talk().await, ada.talk().await);
    let (mut at_one, mut at_other) = (one.thread().await.version, other.thread().await.version);
    let append = |talk: &Talk, count| talk.appending(Append::new(numbered(count)));
    let call = [append(&one, 2), append(&other, 1), append(&one, 1), append(&other, 4), append(&one, 3)];
    let answers = answers_to_each(&fixture.repo, call).await;
    for (number, answer) in answers.into_iter().enumerate() {
        let appended = answer.unwrap_or_else(|error| panic!("append {number}: {error:?}"));
        let version = if number % 2 == 0 { &mut at_one } else { &mut at_other };
        *version = version.next();
        let last = appended.messages.last().expect("a message").position;
        assert_eq!(told(&appended), (last, *version), "append {number}");
    }
    assert_eq!((now(&one).await.1, now(&other).await.1), (at_one, at_other));
}

/// A retry in a call tells the head and the version of its thread as they are when it is answered.
pub(crate) async fn a_retry_in_a_call_tells_what_is_there(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, other) = (ada.talk().await, ada.talk().await);
    let first = Append::new(numbered(2));
    append_each(&fixture.repo, [talk.appending(first.clone())]).await.remove(0).unwrap();
    talk.say(numbered(1)).await;
    let there = now(&talk).await;
    let call = [other.appending(Append::new(numbered(1))), talk.appending(first)];
    let answers = answers_to_each(&fixture.repo, call).await;
    assert_eq!(told(answers[1].as_ref().expect("a retry")), there);
    assert_eq!(now(&talk).await, there);
}
