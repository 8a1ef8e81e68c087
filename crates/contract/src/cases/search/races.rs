//! Searches while others write.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use chatkeep_domain::{MAX_PAGE_LEN, SearchOrder, SearchQuery};
use tokio::task::JoinSet;

use crate::fixture::search::said;
use crate::fixture::{Fixture, at, message, numbered};

/// While writers append, a search finds every message that was acknowledged before it began, each once.
pub(crate) async fn a_search_misses_nothing_acknowledged(fixture: Fixture) {
    let ada = fixture.tenant();
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut writing = JoinSet::new();
    for _ in 0..4 {
        let (talk, acknowledged) = (ada.talk().await, Arc::clone(&acknowledged));
        writing.spawn(async move {
            for _ in 0..20 {
                talk.say(["x 1", "x 2", "x 3"].map(message)).await;
                acknowledged.fetch_add(3, SeqCst);
            }
        });
    }
    let mut looks = 0;
    loop {
        let is_last = writing.is_empty();
        let before = acknowledged.load(SeqCst);
        let order = [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance][looks % 3];
        let hits = ada.hits(&SearchQuery::new("x").order(order).limit(MAX_PAGE_LEN)).await;
        assert!(
            hits.len() >= before,
            "{} are found by {order:?} after {before} were acknowledged",
            hits.len()
        );
        let mut distinct: Vec<_> = hits.iter().map(|hit| hit.message.id).collect();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), hits.len(), "found once each");
        looks += 1;
        if is_last {
            assert_eq!(hits.len(), 240, "found in all");
            break;
        }
        while let Some(ended) = writing.try_join_next() {
            ended.expect("the writer ends well");
        }
        tokio::task::yield_now().await;
    }
}

/// A message that is edited over and over, and keeps a word, is always found by it, and once.
pub(crate) async fn an_edited_message_is_never_missing(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.says(["kept 0"]).await;
    talk.say(numbered(3)).await;
    let id = talk.all().await[0].id;
    let editing = tokio::spawn({
        let talk = talk.clone();
        async move {
            for number in 1..=60 {
                talk.edit(id, format!("kept {number}"), at(2)).await.expect("an edit");
            }
        }
    });
    loop {
        let is_last = editing.is_finished();
        for query in [SearchQuery::new("kept"), SearchQuery::new("kep*").thread(talk.id)] {
            let hits = ada.hits(&query).await;
            assert_eq!(hits.len(), 1, "found: {:?}", said(&hits));
        }
        if is_last {
            break;
        }
        tokio::task::yield_now().await;
    }
    editing.await.expect("the edits end well");
    ada.assert_finds(&[("kept", "kept 60"), ("59", "")]).await;
}

/// A search sees all of a batch or nothing of it.
pub(crate) async fn a_search_sees_no_part_of_a_batch(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk().await;
    let writing = tokio::spawn({
        let talk = talk.clone();
        async move {
            for _ in 0..20 {
                talk.say((0..40).map(|number| message(format!("x {number}")))).await;
            }
        }
    });
    loop {
        let is_last = writing.is_finished();
        let count = ada.hits(&SearchQuery::new("x").limit(MAX_PAGE_LEN)).await.len();
        assert_eq!(count % 40, 0, "a search found {count} messages of batches of 40");
        if is_last {
            assert_eq!(count, 800, "found in all");
            break;
        }
        tokio::task::yield_now().await;
    }
    writing.await.expect("the writer ends well");
}
