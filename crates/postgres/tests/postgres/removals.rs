//! Removals in steps, and what others do between the steps.

use chatkeep_domain::{Append, MessageRepository as _, Position, ThreadRepository as _};
use chatkeep_postgres::PostgresRepository;

use crate::common::{at, message, new_thread, scope, thread_id};
use crate::postgres::database::TestDatabase;

/// Several steps.
const MANY: u128 = 6_000;

/// How often a removal is begun until it is met between two of its steps.
const TRIES: usize = 20;

async fn say(repository: &PostgresRepository, numbers: std::ops::Range<u128>) {
    for first in numbers.clone().step_by(1_000) {
        let batch = (first..numbers.end.min(first + 1_000)).map(|number| message(number, "said"));
        repository.append(&scope(), thread_id(), Append::new(batch)).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_removal_leaves_a_new_thread_of_the_same_id_alone() {
    let database = TestDatabase::new().await;
    let repository = database.open().await;
    for _ in 0..TRIES {
        repository.create_thread(&scope(), new_thread()).await.unwrap();
        say(&repository, 1..MANY + 1).await;
        let clearing = tokio::spawn({
            let repository = repository.clone();
            async move { repository.clear_messages(&scope(), thread_id(), at(9).into()).await }
        });
        let many = i64::try_from(MANY).unwrap();
        while database.number("SELECT message_count FROM chat_thread").await == many {}
        repository.delete_thread(&scope(), thread_id(), None).await.unwrap();
        let mut new = new_thread();
        new.created_at = at(10);
        repository.create_thread(&scope(), new).await.unwrap();
        say(&repository, 1..11).await;
        let removed = clearing.await.unwrap().unwrap();
        let thread = repository.get_thread(&scope(), thread_id()).await.unwrap();
        assert_eq!(thread.head, Position::new(10).unwrap());
        assert_eq!(database.number("SELECT COUNT(*) FROM chat_message").await, 10, "{removed} were removed");
        repository.delete_thread(&scope(), thread_id(), None).await.unwrap();
        if u128::from(removed) < MANY {
            return;
        }
    }
    panic!("the removal was never met between its steps");
}
