//! Creates, edits, deletes and clears at the same time.

use std::collections::BTreeSet;

use chatkeep_domain::{Append, MessageQuery, Metadata, StoreError, ThreadUpdate};

use crate::cases::races::racing::{ROUNDS, assert_each_in_order, race, signatures, signed};
use crate::fixture::{Fixture, Talk, at, numbered, positions};

/// A delete that races an append ends with the thread gone and no message left; the append was before it, or
/// found no thread.
pub(crate) async fn a_delete_that_races_an_append_leaves_nothing(fixture: Fixture) {
    let ada = fixture.tenant();
    for round in 0..ROUNDS {
        let new = ada.new_thread();
        let talk = ada.talk_from(new.clone()).await;
        talk.say(numbered(1)).await;
        let racer = |deletes: bool| {
            let talk = talk.clone();
            async move {
                if deletes {
                    talk.delete().await.map(Some)
                } else {
                    talk.append(Append::new(numbered(2))).await.map(|_| None)
                }
            }
        };
        let mut answers = race([true, false].map(racer).into()).await;
        let (appended, deleted) = (answers.pop().expect("two"), answers.pop().expect("two"));
        let count = deleted.expect("the delete succeeds").expect("a count");
        match appended {
            Ok(_) => assert_eq!(count, 3, "the append was before the delete, in round {round}"),
            Err(StoreError::NotFound { .. }) => assert_eq!(count, 1, "in round {round}"),
            Err(other) => panic!("an append to a deleted thread is NotFound, not {other:?}"),
        }
        assert_refused!(talk.page(&MessageQuery::default()).await, StoreError::NotFound { .. });
        let fresh = ada.talk_from(new).await;
        assert_eq!(fresh.all().await, [], "no message is left in round {round}");
        fresh.delete().await.expect("the fresh thread is deleted");
    }
}

/// Creating a thread several times at once makes one thread; its owner gets it each time, and another user never.
pub(crate) async fn creating_at_the_same_time_makes_one_thread(fixture: Fixture) {
    let ada = fixture.tenant();
    for round in 0..ROUNDS {
        let id = ada.new_thread().id;
        let racer = |number: usize| {
            let owner = if number == 3 { ada.colleague() } else { ada.clone() };
            let mut new = owner.new_thread();
            (new.id, new.name) = (id, format!("of racer {number}"));
            async move { (owner.user.clone(), owner.create(new).await) }
        };
        let answers = race((0..4).map(racer).collect()).await;
        let stored = fixture.repo.get_thread(&ada.org_scope(), id).await.unwrap();
        for (number, (user, answer)) in answers.into_iter().enumerate() {
            match answer {
                Ok(thread) => {
                    assert_eq!(thread, stored, "racer {number} of round {round}");
                    assert_eq!(thread.user_id, user, "whose thread racer {number} of round {round} got");
                }
                Err(StoreError::AlreadyExists { .. }) => {
                    assert_ne!(stored.user_id, user, "who refused racer {number} of round {round}");
                }
                Err(other) => panic!("racer {number} got {other:?}"),
            }
        }
    }
    assert_eq!(ada.list_ids(&ada.org_scope()).await.len(), ROUNDS, "threads in all");
}

/// A clear that races appends gives no position twice.
pub(crate) async fn a_clear_that_races_appends_repeats_no_position(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let mut given = BTreeSet::new();
    for round in 0..ROUNDS {
        let racer = |number: usize| {
            let talk = talk.clone();
            async move {
                if number == 0 {
                    talk.clear(at(2)).await.expect("a clear");
                    return Vec::new();
                }
                talk.say(numbered(2)).await
            }
        };
        let stored = race((0..3).map(racer).collect()).await.concat();
        for position in positions(&stored) {
            assert!(given.insert(position), "position {position} was given twice, in round {round}");
        }
        let left = talk.all().await;
        assert!(left.iter().all(|message| given.contains(&message.position.get())));
        assert!(left.len() % 2 == 0, "a clear took a part of a batch");
        assert_eq!(talk.thread().await.head.get(), *given.last().expect("positions"), "the head");
    }
}

/// Edits of one message at the same time keep a revision each.
pub(crate) async fn edits_at_the_same_time_keep_every_revision(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 1).await;
    let id = said[0].id;
    let racer = |number: usize| {
        let talk = talk.clone();
        async move { talk.edit(id, format!("edit {number}"), at(2)).await.map(drop) }
    };
    for answer in race((0..8).map(racer).collect()).await {
        answer.expect("an edit");
    }
    let revisions = talk.revisions(id).await.unwrap();
    let numbers: Vec<_> = revisions.iter().map(|revision| revision.revision).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    let current = talk.get(id).await.unwrap();
    let contents = revisions.iter().map(|revision| &revision.content).chain([&current.content]);
    let distinct: BTreeSet<_> = contents.filter_map(|content| content.as_text()).collect();
    assert_eq!(distinct.len(), 9, "the first content and the eight edits: {distinct:?}");
}

/// Of deletes of one message, and of one thread, at the same time exactly one succeeds; the others are `NotFound`.
pub(crate) async fn one_of_many_deletes_succeeds(fixture: Fixture) {
    let ada = fixture.tenant();
    for round in 0..ROUNDS {
        let (talk, said) = Talk::with(&ada, 2).await;
        let id = said[0].id;
        for of_thread in [false, true] {
            let racer = |_| {
                let talk = talk.clone();
                async move {
                    if of_thread {
                        talk.delete().await
                    } else {
                        talk.delete_message(id, at(2)).await.map(|()| 1)
                    }
                }
            };
            let answers = race((0..3).map(racer).collect()).await;
            let counts: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
            assert_eq!(counts, [&1], "in round {round}, of the thread: {of_thread}");
            for refused in answers.into_iter().filter(Result::is_err) {
                assert_refused!(refused, StoreError::NotFound { .. });
            }
        }
    }
}

/// An update that races appends loses none of them, and they lose nothing of the update.
pub(crate) async fn an_update_that_races_appends_loses_neither(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let tags = |number: usize| Metadata::from_iter([("number".to_owned(), number.into())]);
    for round in 0..ROUNDS {
        let racer = |number: usize| {
            let talk = talk.clone();
            async move {
                if let Some(writer) = number.checked_sub(1) {
                    talk.say(signed(writer, [round])).await;
                    return;
                }
                for number in [2 * round, 2 * round + 1] {
                    let update =
                        ThreadUpdate::new(at(2)).name(format!("name {number}")).metadata(tags(number));
                    let updated = talk.tenant.repo.update_thread(&talk.tenant.scope, talk.id, update).await;
                    assert_eq!(updated.expect("an update").name, format!("name {number}"));
                }
            }
        };
        race((0..9).map(racer).collect()).await;
    }
    assert_each_in_order(&signatures(&talk).await, 8, ROUNDS);
    let thread = talk.thread().await;
    let last = 2 * ROUNDS - 1;
    assert_eq!((thread.name, thread.metadata), (format!("name {last}"), tags(last)), "the last update");
    assert_eq!(thread.updated_at, at(2));
}
