//! A stream that fails half-way.

use std::sync::Arc;
use std::time::Duration;

use chatkeep_domain::{
    Again, Append, MessageQuery, MessageRepository as _, Order, Outcome, StoreError, next_message,
};
use chatkeep_layers::Retry;

use super::bench::{DEADLINE, bench, refused};
use crate::calls::{Talk, message};
use crate::scripted::{Scripted, Step};

/// A thread of six messages behind the layer, in a store of this script.
async fn six(store: Arc<Scripted>) -> (Arc<Scripted>, Retry, Talk) {
    let (store, retry, talk) = bench(store).await;
    let more = Append::new(["2", "3", "4", "5", "6"].map(message));
    store.memory.append(&talk.scope, talk.thread, more).await.unwrap();
    (store, retry, talk)
}

/// The positions that a stream gives, and the error that it ends with.
async fn read(retry: &Retry, talk: &Talk, query: MessageQuery) -> (Vec<i64>, Option<StoreError>) {
    let mut stream = retry.stream_messages(&talk.scope, talk.thread, query);
    let mut positions = Vec::new();
    while let Some(next) = next_message(&mut stream).await {
        match next {
            Ok(message) => positions.push(message.position.get()),
            Err(error) => {
                assert!(next_message(&mut stream).await.is_none(), "a stream ends with its error");
                return (positions, Some(error));
            }
        }
    }
    (positions, None)
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_behind_the_last_message() {
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let fail = || Step::Fail(refused());
        // Twice ahead of the first message, behind the second, and twice behind the third.
        let steps = [fail(), fail(), Step::Do, Step::Do, fail(), Step::Do, fail(), fail(), Step::Do];
        let (store, retry, talk) = six(Scripted::new(steps)).await;
        let query = MessageQuery::first(2).order(order).offset(1);
        let (positions, error) = read(&retry, &talk, query.clone()).await;
        assert!(error.is_none(), "{error:?}");
        let expected = match order {
            Order::OldestFirst => [2, 3, 4, 5, 6],
            Order::NewestFirst => [5, 4, 3, 2, 1],
        };
        assert_eq!(positions, expected);
        let asked = store.streams.lock().unwrap().clone();
        let behind = |place: usize| {
            let position = expected[place - 1].try_into().unwrap();
            query.clone().behind(query.cursor_behind(talk.thread, position))
        };
        let (all, third) = (query.clone(), behind(3));
        let expected = [all.clone(), all.clone(), all, behind(2), third.clone(), third];
        assert_eq!(asked, expected, "the offset counts once");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_comes_to_stay_ends_it() {
    let full = || StoreError::backend("scripted", "the disk is full");
    let steps = [Step::Do, Step::Do, Step::Fail(refused()), Step::Do, Step::Fail(full())];
    let (store, retry, talk) = six(Scripted::new(steps)).await;
    let (positions, error) = read(&retry, &talk, MessageQuery::first(9)).await;
    assert_eq!(positions, [1, 2, 3]);
    assert_eq!(format!("{:?}", error.unwrap()), format!("{:?}", full()), "as it is");
    assert_eq!(store.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_bounds_each_wait_and_not_the_stream() {
    let (_, retry, talk) = six(Scripted::new([])).await;
    let mut stream = retry.stream_messages(&talk.scope, talk.thread, MessageQuery::first(1));
    for _ in 0..6 {
        next_message(&mut stream).await.unwrap().unwrap();
        tokio::time::sleep(2 * DEADLINE).await;
    }
    assert!(next_message(&mut stream).await.is_none(), "a reader may take its time");

    let steps = [Step::Do, Step::Do, Step::Fail(refused())];
    let (_, retry, talk) = six(Scripted::with_last(steps, || Step::Hang)).await;
    let begin = tokio::time::Instant::now();
    let (positions, error) = read(&retry, &talk, MessageQuery::first(1)).await;
    assert_eq!(positions, [1, 2]);
    assert_eq!(begin.elapsed().as_secs(), DEADLINE.as_secs());
    let error = error.expect("the deadline passes");
    assert!(
        matches!(&error, StoreError::Unavailable { outcome: Outcome::NotDone, again: Again::Soon, .. }),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn progress_begins_the_pauses_and_the_deadline_anew() {
    // As many failures as would take longer than the deadline, if they were of one call.
    let failing = |_| (0..30).map(|_| Step::Fail(refused())).chain([Step::Do]);
    let (_, retry, talk) = six(Scripted::new((0..7).flat_map(failing))).await;
    let begin = tokio::time::Instant::now();
    let (positions, error) = read(&retry, &talk, MessageQuery::first(9)).await;
    assert_eq!((positions, error.is_none()), (vec![1, 2, 3, 4, 5, 6], true));
    assert!(begin.elapsed() > DEADLINE + Duration::from_secs(1), "{:?}", begin.elapsed());
}
