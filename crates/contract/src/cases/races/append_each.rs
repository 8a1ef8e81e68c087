//! `append_each` while others write.

use std::sync::Arc;

use chatkeep_domain::{Append, MAX_PAGE_LEN, MessageQuery, StoreError};
use tokio::sync::Semaphore;

use crate::cases::races::racing::{ROUNDS, assert_each_in_order, race, signatures, signed};
use crate::fixture::{Fixture, Talk, append_each, numbered, say_each};

/// Calls that name the same threads in different orders all succeed, lose nothing and double nothing.
pub(crate) async fn calls_in_different_orders_all_succeed(fixture: Fixture) {
    let ada = fixture.tenant();
    let mut talks = Vec::new();
    for _ in 0..4 {
        talks.push(ada.talk().await);
    }
    let writer = |writer: usize| {
        let (repo, mut talks) = (fixture.repo.clone(), talks.clone());
        talks.rotate_left(writer % 4);
        if writer % 2 == 1 {
            talks.reverse();
        }
        async move {
            let mut answers = Vec::new();
            for number in 0..15 {
                let appends = talks.iter().map(|talk| talk.appending(Append::new(signed(writer, [number]))));
                answers.extend(append_each(&repo, appends).await);
            }
            answers
        }
    };
    for answer in race((0..8).map(writer).collect()).await.into_iter().flatten() {
        answer.expect("no append fails for another call");
    }
    for talk in talks {
        assert_each_in_order(&signatures(&talk).await, 8, 15);
    }
}

/// The messages of each append of a call are neighbours, whoever writes at the same time: calls and single appends.
pub(crate) async fn appends_of_calls_stay_neighbours(fixture: Fixture) {
    let ada = fixture.tenant();
    let talks = [ada.talk().await, ada.talk().await];
    let writer = |writer: usize| {
        let (repo, mut talks) = (fixture.repo.clone(), talks.clone());
        if writer % 2 == 1 {
            talks.reverse();
        }
        async move {
            for batch in 0..8 {
                let batch = || Append::new(signed(writer, batch * 5..(batch + 1) * 5));
                if writer < 4 {
                    say_each(&repo, talks.each_ref().map(|talk| talk.appending(batch()))).await;
                } else {
                    for talk in &talks {
                        talk.append(batch()).await.expect("an append");
                    }
                }
            }
        }
    };
    race((0..6).map(writer).collect()).await;
    for talk in talks {
        let signatures = signatures(&talk).await;
        assert_each_in_order(&signatures, 6, 40);
        for batch in signatures.chunks(5) {
            assert!(batch.iter().all(|(writer, _)| *writer == batch[0].0), "not neighbours: {batch:?}");
        }
    }
}

/// No reader sees a part of an append of a call.
pub(crate) async fn no_reader_sees_a_part_of_an_append_of_a_call(fixture: Fixture) {
    let ada = fixture.tenant();
    let talks = [ada.talk().await, ada.talk().await];
    // Each look allows one call more, so that the writer cannot end before it was looked at.
    let allowed = Arc::new(Semaphore::new(1));
    let writing = tokio::spawn({
        let (repo, talks, allowed) = (fixture.repo.clone(), talks.clone(), Arc::clone(&allowed));
        async move {
            for _ in 0..20 {
                allowed.acquire().await.expect("it is never closed").forget();
                say_each(&repo, talks.each_ref().map(|talk| talk.appending(Append::new(numbered(40))))).await;
            }
        }
    });
    loop {
        let finished = writing.is_finished();
        for talk in &talks {
            let count = talk.read(&MessageQuery::first(MAX_PAGE_LEN)).await.len();
            assert_eq!(count % 40, 0, "a reader saw {count} messages of appends of 40");
        }
        if finished {
            break;
        }
        if allowed.available_permits() == 0 {
            allowed.add_permits(1);
        }
        tokio::task::yield_now().await;
    }
    writing.await.expect("the writer ends well");
    for talk in &talks {
        assert_eq!(talk.all().await.len(), 800, "messages in all");
    }
}

/// Retries of one call at the same time store it once, and all get the stored messages.
pub(crate) async fn retries_of_a_call_at_the_same_time_store_once(fixture: Fixture) {
    let ada = fixture.tenant();
    let talks = [ada.talk().await, ada.talk().await];
    for round in 0..ROUNDS {
        let appends = talks.each_ref().map(|talk| talk.appending(Append::new(numbered(2))));
        let retry = |number: usize| {
            let (repo, mut appends) = (fixture.repo.clone(), appends.clone());
            let backwards = number % 2 == 1;
            if backwards {
                appends.reverse();
            }
            async move {
                let mut answers = say_each(&repo, appends).await;
                if backwards {
                    answers.reverse();
                }
                answers
            }
        };
        let answers = race((0..4).map(retry).collect()).await;
        for (number, talk) in talks.iter().enumerate() {
            let mut stored = talk.read(&MessageQuery::newest(2)).await;
            stored.reverse();
            assert!(answers.iter().all(|answer| answer[number] == stored), "in round {round}");
            assert_eq!(talk.all().await.len(), 2 * (round + 1), "messages after round {round}");
        }
    }
}

/// Of calls that compare-and-append at one head, exactly one wins; the others are told `Conflict`, and their other
/// appends are stored.
pub(crate) async fn one_of_many_calls_at_one_head_wins(fixture: Fixture) {
    let ada = fixture.tenant();
    let (shared, other) = (ada.talk().await, ada.talk().await);
    for round in 0..ROUNDS {
        let head = shared.thread().await.head;
        let racer = |writer: usize| {
            let (repo, shared, other) = (fixture.repo.clone(), shared.clone(), other.clone());
            let compare = shared.appending(Append::new(signed(writer, [0])).expect_head(head));
            let free = other.appending(Append::new(signed(writer, [0])));
            let appends = if writer == 0 { [compare, free] } else { [free, compare] };
            async move {
                let mut answers = append_each(&repo, appends).await;
                let free = answers.remove(usize::from(writer == 0));
                free.expect("an append that compares nothing");
                answers.remove(0)
            }
        };
        let answers = race((0..3).map(racer).collect()).await;
        let wins = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(wins, 1, "winners of round {round}");
        for lost in answers.into_iter().filter(Result::is_err) {
            assert_refused!(
                lost,
                StoreError::Conflict { expected, actual, .. } if expected == head.get() && actual > head.get()
            );
        }
        assert_eq!(shared.all().await.len(), round + 1, "messages after round {round}");
        assert_eq!(other.all().await.len(), 3 * (round + 1), "the others after round {round}");
    }
}

/// A delete that races a call takes its own thread alone: the append to it was before, or found no thread.
pub(crate) async fn a_delete_that_races_a_call_takes_its_thread_alone(fixture: Fixture) {
    let ada = fixture.tenant();
    let kept = ada.talk().await;
    for round in 0..ROUNDS {
        let (gone, _) = Talk::with(&ada, 1).await;
        let racer = |deletes: bool| {
            let (repo, gone, kept) = (fixture.repo.clone(), gone.clone(), kept.clone());
            async move {
                if deletes {
                    let count = gone.delete().await.expect("a delete");
                    return (count, None);
                }
                let appends = [&kept, &gone, &kept].map(|talk| talk.appending(Append::new(numbered(2))));
                let mut answers = append_each(&repo, appends).await;
                let appended = answers.remove(1);
                assert!(answers.iter().all(Result::is_ok), "the appends to the other thread: {answers:?}");
                (0, Some(appended))
            }
        };
        let answers = race([true, false].map(racer).into()).await;
        let count = answers[0].0;
        match answers[1].1.as_ref().expect("the call's answer") {
            Ok(_) => assert_eq!(count, 3, "the append was before the delete, in round {round}"),
            Err(StoreError::NotFound { .. }) => assert_eq!(count, 1, "in round {round}"),
            Err(other) => panic!("an append to a deleted thread is NotFound, not {other:?}"),
        }
        assert_refused!(gone.page(&MessageQuery::default()).await, StoreError::NotFound { .. });
        assert_eq!(kept.all().await.len(), 4 * (round + 1), "the other thread after round {round}");
    }
}
