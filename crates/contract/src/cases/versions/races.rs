//! Writers at the same time.

use std::collections::BTreeSet;
use std::sync::Arc;

use chatkeep_domain::{Append, Expected, MessageEdit, MessageQuery, Removal, StoreError, ThreadUpdate};
use tokio::sync::Semaphore;

use crate::cases::races::racing::{ROUNDS, race, signed};
use crate::fixture::{Fixture, Talk, at, numbered};

/// Fails unless one has won, and the others were told that they are late.
fn assert_one_won<T>(answers: Vec<Result<T, StoreError>>, wanted: Expected, round: usize) {
    let mut wins = 0;
    for answer in answers {
        match answer {
            Ok(_) => wins += 1,
            Err(StoreError::Conflict { of, expected, actual, .. }) => {
                assert!(of == wanted && actual > expected, "told {of} {actual}, expected {expected}");
            }
            Err(other) => panic!("a lost race is a Conflict, not {other:?}"),
        }
    }
    assert_eq!(wins, 1, "winners of round {round}");
}

/// Of appends at one version, exactly one wins.
pub(crate) async fn one_of_many_appends_at_a_version_wins(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    for round in 0..ROUNDS {
        let version = talk.thread().await.version;
        let racer = |writer: usize| {
            let talk = talk.clone();
            async move { talk.append(Append::new(signed(writer, 0..2)).expect_version(version)).await }
        };
        assert_one_won(race((0..3).map(racer).collect()).await, Expected::Version, round);
        assert_eq!(talk.all().await.len(), 2 * (round + 1), "messages after round {round}");
    }
}

/// Of updates at one version, exactly one wins.
pub(crate) async fn one_of_many_updates_at_a_version_wins(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    for round in 0..ROUNDS {
        let version = talk.thread().await.version;
        let racer = |writer: usize| {
            let talk = talk.clone();
            let update = ThreadUpdate::new(at(1)).name(format!("{round} {writer}"));
            async move { talk.update(update.expect_version(version)).await }
        };
        assert_one_won(race((0..3).map(racer).collect()).await, Expected::Version, round);
        assert_eq!(talk.thread().await.version, version.next());
    }
}

/// Of edits at one revision, exactly one wins.
pub(crate) async fn one_of_many_edits_at_a_revision_wins(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 1).await;
    let id = said[0].id;
    for round in 0..ROUNDS {
        let revision = talk.get(id).await.unwrap().revision;
        let racer = |writer: usize| {
            let (talk, edit) = (talk.clone(), MessageEdit::new(format!("{round} {writer}"), at(1)));
            async move { talk.edit_as(id, edit.expect_revision(revision)).await }
        };
        assert_one_won(race((0..3).map(racer).collect()).await, Expected::Revision, round);
        assert_eq!(talk.revisions(id).await.unwrap().len(), round + 1);
    }
}

/// Of writes of different kinds at one version, exactly one wins.
pub(crate) async fn one_of_many_different_writes_at_a_version_wins(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    for round in 0..ROUNDS {
        let said = talk.say(numbered(2)).await;
        let (kept, gone) = (said[0].id, said[1].id);
        let version = talk.thread().await.version;
        let racer = |kind: usize| {
            let talk = talk.clone();
            async move {
                match kind {
                    0 => talk.append(Append::new(numbered(1)).expect_version(version)).await.map(drop),
                    1 => {
                        let edit = MessageEdit::new("edited", at(2)).expect_version(version);
                        talk.edit_as(kept, edit).await.map(drop)
                    }
                    2 => talk.delete_message(gone, Removal::new(at(2)).expect_version(version)).await,
                    _ => {
                        let update = ThreadUpdate::new(at(2)).name(round.to_string());
                        talk.update(update.expect_version(version)).await.map(drop)
                    }
                }
            }
        };
        assert_one_won(race((0..4).map(racer).collect()).await, Expected::Version, round);
        assert_eq!(talk.thread().await.version, version.next());
    }
}

/// Every append under load tells a version of its own, and together they are all that there were.
pub(crate) async fn every_append_under_load_has_a_version_of_its_own(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let begun = talk.thread().await.version.get();
    let writer = |writer: usize| {
        let talk = talk.clone();
        async move {
            let mut told = Vec::new();
            for number in 0..20 {
                let appended = talk.append(Append::new(signed(writer, [number]))).await.expect("an append");
                told.push((appended.version.get(), appended.head, appended.messages[0].position));
            }
            told
        }
    };
    let told: Vec<_> = race((0..12).map(writer).collect()).await.concat();
    assert!(told.iter().all(|(_, head, position)| head == position), "a head that is another's");
    let versions: BTreeSet<_> = told.iter().map(|(version, ..)| *version).collect();
    assert_eq!(versions, (begun + 1..=begun + 240).collect());
    assert_eq!(talk.thread().await.version.get(), begun + 240);
    // In the order of the positions.
    let mut by_position: Vec<_> = told.iter().map(|(version, _, position)| (*position, *version)).collect();
    by_position.sort_unstable();
    assert!(by_position.is_sorted_by_key(|(_, version)| *version));
}

/// A page that is read while others write is what was there at its version: neither older nor newer.
pub(crate) async fn a_page_is_what_was_there_at_its_version(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let begun = talk.thread().await.version.get();
    // Each look allows a few writes more, so that the writer is at work while there are looks.
    let allowed = Arc::new(Semaphore::new(2));
    let writing = tokio::spawn({
        let (talk, allowed) = (talk.clone(), Arc::clone(&allowed));
        async move {
            for number in 0..90 {
                allowed.acquire().await.expect("it is never closed").forget();
                talk.say(signed(0, [number])).await;
            }
        }
    });
    let mut seen = BTreeSet::new();
    loop {
        let finished = writing.is_finished();
        let page = talk.page(&MessageQuery::first(100)).await.unwrap();
        let version = page.version.expect("a version").get();
        let count = i64::try_from(page.items.len()).expect("a few");
        assert_eq!(count, version - begun, "messages in a page of a thread that had so many writes");
        seen.insert(count);
        if finished {
            break;
        }
        if allowed.available_permits() == 0 {
            allowed.add_permits(2);
        }
        tokio::task::yield_now().await;
    }
    writing.await.expect("the writer ends well");
    assert!(seen.len() >= 5, "the reader looked while the writer was at work, and saw {seen:?}");
}

/// Writers on two handles count one version.
pub(crate) async fn writers_on_two_handles_share_the_versions(fixture: Fixture) {
    let here = fixture.tenant().talk().await;
    let there = here.through(&fixture.other);
    let begun = here.thread().await.version.get();
    let writer = |writer: usize| {
        let talk = if writer.is_multiple_of(2) { here.clone() } else { there.clone() };
        async move {
            let mut told = Vec::new();
            for number in 0..10 {
                told.push(
                    talk.append(Append::new(signed(writer, [number])))
                        .await
                        .expect("an append")
                        .version
                        .get(),
                );
            }
            told
        }
    };
    let told: BTreeSet<_> = race((0..4).map(writer).collect()).await.into_iter().flatten().collect();
    assert_eq!(told, (begun + 1..=begun + 40).collect());
    assert_eq!(there.thread().await.version.get(), begun + 40);
}
