//! Writers at the same time.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::Arc;

use chatkeep_domain::{Append, MessageQuery, Metadata, NewMessage, Position, StoreError, ThreadUpdate};
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;

use crate::fixture::{Fixture, Talk, at, message, numbered, positions, texts};

/// A race is run this often: what can go wrong goes wrong in one of so many.
pub(crate) const ROUNDS: usize = 20;

/// Starts all at the same time; gives their results in the order given.
pub(crate) async fn race<F>(racers: Vec<F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let start = Arc::new(Barrier::new(racers.len()));
    let mut running = JoinSet::new();
    for (number, racer) in racers.into_iter().enumerate() {
        let start = Arc::clone(&start);
        running.spawn(async move {
            start.wait().await;
            (number, racer.await)
        });
    }
    let mut results = running.join_all().await;
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Messages whose text tells the writer and the number.
pub(crate) fn signed(writer: usize, numbers: impl IntoIterator<Item = usize>) -> Vec<NewMessage> {
    let numbers = numbers.into_iter();
    numbers.map(|number| message(format!("{writer} {number}"))).collect()
}

/// All messages of a thread, as (writer, number).
pub(crate) async fn signatures(talk: &Talk) -> Vec<(usize, usize)> {
    let (mut query, mut signatures) = (MessageQuery::first(100), Vec::new());
    let mut last = Position::ZERO;
    loop {
        let page = talk.page(&query).await.unwrap();
        for message in &page.items {
            assert!(message.position > last, "positions are distinct and in order");
            last = message.position;
        }
        signatures.extend(texts(&page.items).into_iter().map(|text| {
            let (writer, number) = text.split_once(' ').expect("a signature");
            (writer.parse::<usize>().unwrap(), number.parse::<usize>().unwrap())
        }));
        let Some(next) = page.next else { break };
        query = query.behind(next);
    }
    assert_eq!(talk.thread().await.head, last, "the head is the last position");
    signatures
}

pub(crate) fn assert_each_in_order(signatures: &[(usize, usize)], writers: usize, numbers: usize) {
    assert_eq!(signatures.len(), writers * numbers, "messages in all");
    let mut next: HashMap<usize, usize> = HashMap::new();
    for (writer, number) in signatures {
        let expected = next.entry(*writer).or_default();
        assert_eq!(number, expected, "the next message of writer {writer}");
        *expected += 1;
    }
}

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
            let mut answer = answer.expect("a retry is answered");
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
                Ok(stored) => assert_eq!(talk.thread().await.head, stored[1].position),
                Err(StoreError::Conflict { expected, actual, .. }) => {
                    assert!(expected == head && actual > head, "told {actual}, expected {expected}");
                }
                Err(other) => panic!("a lost race is a Conflict, not {other:?}"),
            }
        }
        assert_eq!(talk.all().await.len(), 2 * (round + 1), "messages after round {round}");
    }
}

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
