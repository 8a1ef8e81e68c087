//! Which errors are followed by another attempt.

use chatkeep_domain::{Again, Entity, Outcome, StoreError};

use super::bench::{lost, refused, told, unavailable};
use crate::block_on::block_on;
use crate::calls;
use crate::scripted::{Scripted, Step};

#[tokio::test(start_paused = true)]
async fn a_transient_error_is_followed_by_another_attempt() {
    for name in calls::all() {
        let (answer, attempts) = told(name, Scripted::new((0..9).map(|_| Step::Fail(refused())))).await;
        answer.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(attempts, 10, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_other_error_is_followed_by_another_attempt() {
    let errors: [fn() -> StoreError; 5] = [
        || unavailable(Outcome::NotDone, Again::No),
        || unavailable(Outcome::Unknown, Again::No),
        || StoreError::backend("scripted", "the disk is full"),
        || StoreError::not_found(Entity::Thread, "x"),
        || StoreError::unsupported("this", "scripted"),
    ];
    for name in calls::all() {
        for error in errors {
            let (answer, attempts) = told(name, Scripted::new([Step::Fail(error())])).await;
            let (told, expected) = (answer.unwrap_err(), error());
            assert_eq!(format!("{told:?}"), format!("{expected:?}"), "{name}: as it is");
            assert_eq!(attempts, 1, "{name} after {expected:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_comes_to_stay_ends_the_attempts() {
    for name in calls::all() {
        let steps = [Step::Fail(refused()), Step::Fail(StoreError::backend("scripted", "the disk is full"))];
        let (answer, attempts) = told(name, Scripted::new(steps)).await;
        assert!(matches!(answer, Err(StoreError::Backend { .. })), "{name}: {answer:?}");
        assert_eq!(attempts, 2, "{name}");
    }
}

#[test]
fn outside_a_runtime_the_first_answer_is_given() {
    for name in calls::all() {
        let (answer, attempts) = block_on(told(name, Scripted::new([])));
        answer.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(attempts, 1, "{name}");
        for error in [refused, lost] {
            let (answer, attempts) = block_on(told(name, Scripted::new([Step::Fail(error())])));
            assert_eq!(answer.unwrap_err().outcome(), error().outcome(), "{name}");
            assert_eq!(attempts, 1, "{name}");
        }
    }
}
