//! How many statements and round trips each operation takes, to the last one.
//!
//! Of a connection that is warm: each operation has been run before, so that its statements are prepared.

#[path = "round_trips/branches.rs"]
mod branches;
mod common;
#[path = "round_trips/operations.rs"]
mod operations;
#[path = "round_trips/postgres.rs"]
mod postgres;
mod wire;

use std::fmt::Debug;

use chatkeep_domain::ThreadRepository;
use chatkeep_postgres::PostgresRepository;

use crate::branches::{BRANCHES, set_up_branches};
use crate::common::{everything_shown, scope, thread_id, three_messages};
use crate::operations::{OPERATIONS, Operation, set_up};

/// Runs every operation once to warm up, and three times to count, of which one has to be right: once a second the store
/// cleans its index over the same connection. What is counted is what `count` gives behind it, and behind the read that
/// follows. That read has to wait for the one connection, so that what a call leaves to be done, such as a rollback, is
/// counted as its own. Fails with all operations that never take what is `expected` of them, without the read.
async fn check<T, C: Debug + PartialEq>(
    store: &PostgresRepository,
    mut count: impl AsyncFnMut() -> T,
    without_read: impl Fn(T) -> C,
    expected: impl Fn(&Operation) -> C,
) {
    three_messages(store).await;
    let operations = || OPERATIONS.iter().chain(BRANCHES);
    let mut faults: Vec<Option<String>> = operations().map(|_| Some(String::new())).collect();
    for round in 0..4 {
        set_up(store, round).await;
        set_up_branches(store, round).await;
        for (operation, fault) in operations().zip(&mut faults) {
            count().await;
            (operation.run)(store, round).await;
            let read = store.get_thread(&scope(), thread_id()).await;
            read.unwrap_or_else(|error| panic!("{}: {}", operation.name, everything_shown(&error)));
            let (counted, expected) = (without_read(count().await), expected(operation));
            if round > 0 && counted == expected {
                *fault = None;
            } else if let Some(fault) = fault {
                *fault = format!("{}: {counted:?} instead of {expected:?}", operation.name);
            }
        }
    }
    let faults: Vec<_> = faults.into_iter().flatten().collect();
    assert!(
        faults.is_empty(),
        "the tables in operations.rs and branches.rs say otherwise:\n{}",
        faults.join("\n")
    );
}
