//! `append_each`: appends to several threads in one call.

use chatkeep_domain::{
    Append, Content, Entity, MAX_BATCH_LEN, MAX_CONTENT_BYTES, NewMessage, Position, Role, StoreError,
    ThreadAppend, UserId,
};

use crate::fixture::{
    Fixture, Talk, Tenant, append_each, at, ids, message, message_id, numbered, positions, say_each, texts,
    thread_id,
};

pub(super) async fn talks<const N: usize>(tenant: &Tenant) -> [Talk; N] {
    let mut talks = Vec::new();
    for _ in 0..N {
        talks.push(tenant.talk().await);
    }
    talks.try_into().unwrap_or_else(|_| unreachable!("there are as many"))
}

pub(super) fn saying(texts: &[&str]) -> Append {
    Append::new(texts.iter().copied().map(message))
}

/// Each append of a call is answered in its place, whatever the order of the threads' ids; messages keep their order.
pub(crate) async fn each_append_is_answered_in_its_place(fixture: Fixture) {
    let talks: [Talk; 5] = talks(&fixture.tenant()).await;
    let order = [(3, 2), (0, 1), (4, 3), (1, 1), (2, 2)];
    let mut given = Vec::new();
    let appends = order.map(|(number, count)| {
        let mut batch = numbered(count);
        // The order of the ids says nothing either.
        batch.sort_by_key(|message| std::cmp::Reverse(message.id));
        given.push(batch.iter().map(|message| message.id).collect::<Vec<_>>());
        talks[number].appending(Append::new(batch))
    });
    let stored = say_each(&fixture.repo, appends).await;
    for (((number, _), given), stored) in order.into_iter().zip(given).zip(stored) {
        let talk = &talks[number];
        assert_eq!(ids(&stored), given, "the answer for thread {number}");
        assert_eq!(talk.all().await, stored, "what is read of thread {number}");
        assert!(stored.iter().all(|message| message.chat_thread_id == talk.id), "thread {number}");
        assert!(stored.is_sorted_by(|a, b| a.position < b.position), "{:?}", positions(&stored));
        assert_eq!(talk.thread().await.head, stored[stored.len() - 1].position, "the head of {number}");
    }
}

/// A call without appends has no answers.
pub(crate) async fn no_appends_have_no_answers(fixture: Fixture) {
    assert!(append_each(&fixture.repo, []).await.is_empty());
}

/// Messages come back as they were given in a call, every field; each append its own.
pub(crate) async fn messages_of_a_call_come_back_as_they_were_given(fixture: Fixture) {
    let talks: [Talk; 4] = talks(&fixture.tenant()).await;
    let sender = UserId::new("Zoë@example.org").unwrap();
    let floats = Content::from_value(serde_json::json!({"type": "odd", "n": [1.0, -0.0, 1e300, null]}));
    let contents = [
        Content::text("nul \0, '; DROP TABLE x; -- \" \\ {} , \u{202e} 🦀"),
        floats.expect("a content"),
        Content::text(""),
        Content::text("x".repeat(100_000)),
    ];
    let mut given = Vec::new();
    for ((number, role), content) in (1..).zip(Role::ALL).zip(contents) {
        let new = |content: Content| NewMessage::new(message_id(), role, content, at(number));
        given.push(vec![new(content.clone()), new(content).with_sender(sender.clone())]);
    }
    let appends = given.iter().zip(&talks).map(|(given, talk)| talk.appending(Append::new(given.clone())));
    let stored = say_each(&fixture.repo, appends).await;
    for ((given, stored), talk) in given.into_iter().zip(stored).zip(&talks) {
        let placed = given.into_iter().zip(&stored);
        let expected: Vec<_> = placed.map(|(new, it)| new.into_message(talk.id, it.position)).collect();
        assert_eq!(stored, expected, "what the call gives");
        assert_eq!(talk.all().await, expected, "what is read");
    }
}

/// What is refused for its own sake takes nothing from the other appends of the call, and nothing of it is written.
pub(crate) async fn a_refused_append_takes_nothing_from_the_others(fixture: Fixture) {
    let talks: [Talk; 5] = talks(&fixture.tenant()).await;
    let mut large = numbered(3);
    large[1].content = Content::text("x".repeat(MAX_CONTENT_BYTES));
    let mut twice = numbered(4);
    twice[2].id = twice[0].id;
    let batches = [numbered(2), large, numbered(1), twice, numbered(3)];
    let appends = talks.iter().zip(batches).map(|(talk, batch)| talk.appending(Append::new(batch)));
    let mut answers = append_each(&fixture.repo, appends).await;
    for (number, count) in [(4, 3), (2, 1), (0, 2)] {
        let stored = answers.remove(number).expect("a good append");
        assert_eq!(stored.len(), count);
        assert_eq!(talks[number].all().await, stored, "the thread of a good append");
    }
    let [large, twice] = <[_; 2]>::try_from(answers).expect("two");
    assert_refused!(large, StoreError::TooLarge { .. });
    assert_refused!(twice, StoreError::InvalidArgument(error) if error.field == "messages");
    for number in [1, 3] {
        assert_eq!(talks[number].thread().await.head, Position::ZERO, "the thread of a refused append");
        assert_eq!(talks[number].all().await, []);
    }
}

/// A thread that is absent takes nothing from the other appends of the call, and is not made.
pub(crate) async fn an_absent_thread_takes_nothing_from_the_others(fixture: Fixture) {
    let ada = fixture.tenant();
    let [first, last] = talks(&ada).await;
    let absent = [numbered(2), numbered(0)].map(|batch| {
        let append = Append::new(batch);
        ThreadAppend::new(ada.scope.clone(), thread_id(), append)
    });
    let missing = absent.clone().map(|append| append.thread.to_string());
    let [before, after] = absent;
    let appends = [before, first.appending(saying(&["1"])), after, last.appending(saying(&["2"]))];
    let answers = append_each(&fixture.repo, appends).await;
    let mut answers = answers.into_iter();
    let mut next = || answers.next().expect("an answer");
    for (missing, talk) in missing.into_iter().zip([first, last]) {
        let refused = next();
        assert_refused!(
            refused,
            StoreError::NotFound { entity: Entity::Thread, id: told, .. } if told == missing
        );
        assert_eq!(next().expect("a good append"), talk.all().await);
        assert_eq!(talk.all().await.len(), 1);
    }
    assert_eq!(ada.list_ids(&ada.scope).await.len(), 2, "threads");
}

/// A conflict takes nothing from the other appends of the call, and nothing of its own append is written.
pub(crate) async fn a_conflict_takes_nothing_from_the_others(fixture: Fixture) {
    let ada = fixture.tenant();
    let [first, last] = talks(&ada).await;
    let (moved, said) = Talk::with(&ada, 2).await;
    let before = moved.snapshot().await;
    let late = Append::new(numbered(2)).expect_head(said[0].position);
    let appends = [
        first.appending(saying(&["1"]).expect_head(Position::ZERO)),
        moved.appending(late),
        last.appending(saying(&["2"])),
    ];
    let [one, conflict, two] = <[_; 3]>::try_from(append_each(&fixture.repo, appends).await).expect("three");
    assert_eq!((one.unwrap(), two.unwrap()), (first.all().await, last.all().await));
    assert_eq!(texts(&[first.all().await, last.all().await].concat()), ["1", "2"]);
    assert_refused!(
        conflict,
        StoreError::Conflict { expected, actual, .. }
            if (expected, actual) == (said[0].position.get(), said[1].position.get())
    );
    assert_eq!(moved.snapshot().await, before);
}

/// Each append of a call has its own scope: another user's thread is absent, and organizations with the same ids get
/// each its own messages.
pub(crate) async fn each_append_of_a_call_has_its_own_scope(fixture: Fixture) {
    let (ada, eve) = (fixture.tenant(), fixture.tenant());
    let bob = ada.colleague();
    let new = ada.new_thread();
    let hers = ada.talk_from(new.clone()).await;
    let mut same = eve.new_thread();
    same.id = new.id;
    let (theirs, his) = (eve.talk_from(same).await, bob.talk().await);
    let id = message_id();
    let saying = |text| Append::new([with!(message(text), id)]);
    let appends = [
        ThreadAppend::new(ada.scope.clone(), his.id, saying("ada's, to bob")),
        hers.appending(saying("ada's")),
        ThreadAppend::new(bob.scope.clone(), hers.id, saying("bob's, to ada")),
        theirs.appending(saying("eve's")),
        ThreadAppend::new(eve.org_scope(), his.id, saying("eve's, to bob")),
        ThreadAppend::new(ada.org_scope(), his.id, saying("the organization's")),
    ];
    let answers = append_each(&fixture.repo, appends).await;
    for (number, answer) in answers.into_iter().enumerate() {
        match [None, Some("ada's"), None, Some("eve's"), None, Some("the organization's")][number] {
            Some(said) => assert_eq!(texts(&answer.expect("a thread of the scope")), [said]),
            None => assert_refused!(answer, StoreError::NotFound { .. }, "for append {number}"),
        }
    }
    for (talk, said) in [(hers, "ada's"), (theirs, "eve's"), (his, "the organization's")] {
        assert_eq!(texts(&talk.all().await), [said]);
    }
}

/// An append of nothing in a call gives back nothing, and changes nothing.
pub(crate) async fn an_append_of_nothing_in_a_call_changes_nothing(fixture: Fixture) {
    let ada = fixture.tenant();
    let (quiet, _) = Talk::with(&ada, 2).await;
    let other = ada.talk().await;
    let before = quiet.snapshot().await;
    let absent = ThreadAppend::new(ada.scope.clone(), thread_id(), Append::default());
    let appends =
        [quiet.appending(Append::default()), other.appending(Append::new(numbered(1))), absent.clone()];
    let [nothing, something, missing] =
        <[_; 3]>::try_from(append_each(&fixture.repo, appends).await).expect("three");
    assert_eq!((nothing.unwrap(), something.unwrap()), (vec![], other.all().await));
    assert_refused!(missing, StoreError::NotFound { .. });
    let alone = append_each(&fixture.repo, [quiet.appending(Append::default())]).await;
    assert!(alone.into_iter().all(|answer| answer.is_ok_and(|stored| stored.is_empty())));
    assert_eq!(quiet.snapshot().await, before);
}

/// A call of hundreds of appends to dozens of threads, with more messages in all than one append may hold, is stored
/// whole.
pub(crate) async fn a_call_may_hold_more_than_one_append_may(fixture: Fixture) {
    let talks: [Talk; 30] = talks(&fixture.tenant()).await;
    let long = MAX_BATCH_LEN / 2;
    let lengths = |number: usize| if number < 2 { long } else { number % 3 };
    let appends =
        (0..300).map(|number| talks[number * 7 % 30].appending(Append::new(numbered(lengths(number)))));
    let stored = say_each(&fixture.repo, appends).await;
    let mut heads = [Position::ZERO; 30];
    for (number, stored) in stored.iter().enumerate() {
        assert_eq!(stored.len(), lengths(number), "append {number}");
        let head = &mut heads[number * 7 % 30];
        for message in stored {
            assert!(message.position > *head, "append {number}");
            *head = message.position;
        }
    }
    for (talk, head) in talks.iter().zip(heads) {
        assert_eq!(talk.thread().await.head, head);
    }
}
