//! Appends at the same time.

use std::collections::BTreeSet;
use std::sync::Arc;

use chatkeep_domain::{Append, MessageQuery, StoreError};
use tokio::sync::Semaphore;

use crate::cases::races::racing::{ROUNDS, assert_each_in_order, race, signatures, signed};
use crate::fixture::{Fixture, numbered};

/// 16 writers with 100 messages each end with 1,600 messages, distinct positions, each writer's own order kept.
pub(crate) async fn sixteen_writers_lose_and_double_nothing(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let writer = |writer: usize| {
        let talk = talk.clone();
        async move {
            for message in signed(writer, 0..100) {
                talk.append(Append::new([message])).await.expect("an append");
            }
        }
    };
    race((0..16).map(writer).collect()).await;
    assert_each_in_order(&signatures(&talk).await, 16, 100);
}

/// The messages of one append are neighbours, whoever writes at the same time.
pub(crate) async fn batches_stay_neighbours(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let writer = |writer: usize| {
        let talk = talk.clone();
        async move {
            for batch in 0..10 {
                let batch = signed(writer, batch * 7..(batch + 1) * 7);
                talk.append(Append::new(batch)).await.expect("an append");
            }
        }
    };
    race((0..8).map(writer).collect()).await;
    let signatures = signatures(&talk).await;
    assert_each_in_order(&signatures, 8, 70);
    for batch in signatures.chunks(7) {
        assert!(batch.iter().all(|(writer, _)| *writer == batch[0].0), "not neighbours: {batch:?}");
    }
}

/// No reader sees a part of a batch.
pub(crate) async fn no_reader_sees_a_part_of_a_batch(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    // Each look allows one batch more, so that the writer is never far ahead: it cannot end before it was looked at.
    let allowed = Arc::new(Semaphore::new(1));
    let writing = tokio::spawn({
        let (talk, allowed) = (talk.clone(), Arc::clone(&allowed));
        async move {
            for batch in 0..25 {
                allowed.acquire().await.expect("it is never closed").forget();
                talk.say(signed(0, batch * 40..(batch + 1) * 40)).await;
            }
        }
    });
    let (mut seen, mut between) = (0, BTreeSet::new());
    loop {
        let finished = writing.is_finished();
        // In one page: pages are read one after the other.
        let count = talk.read(&MessageQuery::first(1_000)).await.len();
        assert_eq!(count % 40, 0, "a reader saw {count} messages of batches of 40");
        assert!(count >= seen, "a reader saw {count} messages after {seen}");
        seen = count;
        if finished {
            break;
        }
        between.insert(count);
        if allowed.available_permits() == 0 {
            allowed.add_permits(1);
        }
        tokio::task::yield_now().await;
    }
    writing.await.expect("the writer ends well");
    assert_eq!(seen, 1_000, "messages in all");
    assert!(between.len() >= 5, "the reader looked while the writer was at work, and saw {between:?}");
}

/// Retries of one append at the same time store it once, and all get the stored messages.
pub(crate) async fn retries_at_the_same_time_store_once(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    for round in 0..ROUNDS {
        let append = Append::new(numbered(3));
        let retry = |_| {
            let (talk, append) = (talk.clone(), append.clone());
            async move { talk.append(append).await }
        };
        let answers = race((0..4).map(retry).collect()).await;
        let stored = talk.read(&MessageQuery::newest(3)).await;
        for answer in answers {
            let mut answer = answer.expect("a retry is answered").messages;
            answer.reverse();
            assert_eq!(answer, stored, "in round {round}");
        }
        assert_eq!(talk.all().await.len(), 3 * (round + 1), "messages after round {round}");
    }
}

/// Of writers that compare-and-append at one head, exactly one wins; the others are told `Conflict`.
pub(crate) async fn one_of_many_compare_and_appends_wins(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    for round in 0..ROUNDS {
        let head = talk.thread().await.head;
        let racer = |writer: usize| {
            let talk = talk.clone();
            async move { talk.append(Append::new(signed(writer, 0..2)).expect_head(head)).await }
        };
        let answers = race((0..3).map(racer).collect()).await;
        let wins = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(wins, 1, "winners of round {round}");
        for answer in answers {
            match answer {
                Ok(stored) => assert_eq!(talk.thread().await.head, stored.messages[1].position),
                Err(StoreError::Conflict { expected, actual, .. }) => {
                    assert!(
                        expected == head.get() && actual > head.get(),
                        "told {actual}, expected {expected}"
                    );
                }
                Err(other) => panic!("a lost race is a Conflict, not {other:?}"),
            }
        }
        assert_eq!(talk.all().await.len(), 2 * (round + 1), "messages after round {round}");
    }
}

/// Writers of different threads do not disturb each other.
pub(crate) async fn writers_of_different_threads_are_independent(fixture: Fixture) {
    let ada = fixture.tenant();
    let writer = |writer: usize| {
        let ada = ada.clone();
        async move {
            let talk = ada.talk().await;
            for batch in 0..10 {
                talk.say(signed(writer, batch * 5..(batch + 1) * 5)).await;
            }
            talk
        }
    };
    let talks = race((0..8).map(writer).collect()).await;
    for (writer, talk) in talks.iter().enumerate() {
        let expected: Vec<_> = (0..50).map(|number| (writer, number)).collect();
        assert_eq!(signatures(talk).await, expected);
        assert_eq!(talk.thread().await.head.get(), 50, "positions of writer {writer}");
    }
}
