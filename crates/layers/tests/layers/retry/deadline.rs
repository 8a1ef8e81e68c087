//! What the caller is told when the deadline passes.

use std::error::Error as _;
use std::time::Duration;

use chatkeep_domain::{Again, Outcome, StoreError};
use chatkeep_layers::Retry;

use super::bench::{DEADLINE, lost, refused, told};
use crate::calls::{self, BLIND, READS, RECOGNIZED, Talk};
use crate::scripted::{Scripted, Step};

/// What may go over a whole thread has twenty times as long, unless it fails at once.
const LONG: [&str; 4] = ["clear_messages", "delete_branch", "truncate_branch", "fork_thread"];

/// Asserts that the deadline passed after exactly as long. Gives the outcome.
async fn outcome(name: &str, steps: impl IntoIterator<Item = Step>, last: fn() -> Step) -> Outcome {
    let begin = tokio::time::Instant::now();
    let (answer, attempts) = told(name, Scripted::with_last(steps, last)).await;
    let deadlines = if LONG.contains(&name) && matches!(last(), Step::Hang) { 20 } else { 1 };
    assert_eq!(begin.elapsed().as_secs(), deadlines * DEADLINE.as_secs(), "{name}");
    assert!(attempts > 0, "{name}");
    let error = answer.unwrap_err();
    assert_eq!(error.to_string(), "memory is unavailable: the deadline passed", "{name}");
    let StoreError::Unavailable { outcome, again: Again::Soon, .. } = error else {
        panic!("{name}: {error:?}")
    };
    outcome
}

fn writes() -> impl Iterator<Item = &'static str> {
    RECOGNIZED.into_iter().chain(BLIND)
}

#[tokio::test(start_paused = true)]
async fn an_attempt_under_way_leaves_a_write_unknown_and_a_read_not_done() {
    for name in READS {
        assert_eq!(outcome(name, [], || Step::Hang).await, Outcome::NotDone, "{name}");
    }
    for name in writes() {
        assert_eq!(outcome(name, [], || Step::Hang).await, Outcome::Unknown, "{name}");
        let refused_first = [Step::Fail(refused())];
        assert_eq!(outcome(name, refused_first, || Step::Hang).await, Outcome::Unknown, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_that_all_did_nothing_leave_a_call_not_done() {
    for name in calls::all() {
        assert_eq!(outcome(name, [], || Step::Fail(refused())).await, Outcome::NotDone, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_earlier_attempt_of_unknown_outcome_leaves_a_write_unknown() {
    for name in READS {
        assert_eq!(outcome(name, [], || Step::Fail(lost())).await, Outcome::NotDone, "{name}");
    }
    for name in writes() {
        let lost_first = [Step::Fail(lost())];
        assert_eq!(outcome(name, lost_first, || Step::Fail(refused())).await, Outcome::Unknown, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_error_is_the_source() {
    for name in calls::all() {
        let (answer, _) = told(name, Scripted::with_last([], || Step::Fail(refused()))).await;
        let error = answer.unwrap_err();
        let source = error.source().expect("it has a source").to_string();
        assert_eq!(source, "scripted is unavailable: the script says so", "{name}");
    }
}

#[tokio::test]
async fn a_deadline_may_be_as_long_as_a_duration_can_be() {
    for name in calls::all() {
        let store = Scripted::new([]);
        let talk = Talk::begin(&store.memory).await;
        let retry = Retry::new(store, Duration::MAX);
        talk.call(&retry, name).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}
