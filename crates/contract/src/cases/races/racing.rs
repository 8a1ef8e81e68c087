//! What races are written with.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use chatkeep_domain::{MessageQuery, NewMessage, Position};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::fixture::{Talk, message, texts};

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
