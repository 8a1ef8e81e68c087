//! Streams that meet rows that cannot be decoded.

use chatkeep_domain::{Entity, MessageFilter, MessageQuery, StoreError, next_message};

use crate::fixture::search::tagged;
use crate::fixture::{Fixture, Talk};

/// What a stream gives: the positions of messages, and 0 for a corrupt row. Behind that a new stream goes on.
async fn streamed(talk: &Talk, query: &MessageQuery) -> Vec<i64> {
    let (mut given, mut query) = (Vec::new(), query.clone());
    // More than any case here has.
    while given.len() < 20 {
        let mut stream = talk.stream(&query);
        let behind = loop {
            match next_message(&mut stream).await {
                Some(Ok(message)) => given.push(message.position.get()),
                Some(Err(StoreError::CorruptRow { behind, .. })) => break behind.expect("it has a place"),
                Some(Err(other)) => panic!("expected a message or a corrupt row, got {other:?}"),
                None => return given,
            }
        };
        assert!(next_message(&mut stream).await.is_none(), "a stream ends with a corrupt row");
        drop(stream);
        given.push(0);
        query = query.behind(behind);
    }
    panic!("it never ends: {given:?}")
}

/// A stream gives what is ahead of a corrupt row, then the row's error with its id and the cursor behind it, and ends.
pub(crate) async fn a_stream_ends_with_a_corrupt_message(fixture: Fixture) {
    let (talk, stored) = fixture.damaged(6, &[3]).await;
    for limit in [1, 2, 3, 9] {
        let mut stream = talk.stream(&MessageQuery::first(limit));
        for expected in &stored[..2] {
            assert_eq!(next_message(&mut stream).await.expect("there is more").unwrap(), *expected);
        }
        let error = next_message(&mut stream).await.expect("the corrupt row").map(drop);
        let bad = stored[2].id.to_string();
        assert_refused!(error, StoreError::CorruptRow { entity: Entity::Message, id, .. } if id == bad);
        assert!(next_message(&mut stream).await.is_none(), "a stream ends with its error");
        drop(stream);
        assert_eq!(streamed(&talk, &MessageQuery::first(limit)).await, [1, 2, 0, 4, 5, 6]);
        assert_eq!(streamed(&talk, &MessageQuery::newest(limit)).await, [6, 5, 4, 0, 2, 1]);
    }
}

/// Several corrupt rows in a row, at the start and at the end: each is reported once, and costs no neighbour.
pub(crate) async fn streams_go_on_behind_corrupt_messages(fixture: Fixture) {
    let (talk, _) = fixture.damaged(6, &[1, 3, 4, 6]).await;
    for limit in [1, 2, 9] {
        assert_eq!(streamed(&talk, &MessageQuery::first(limit)).await, [0, 2, 0, 0, 5, 0]);
        assert_eq!(streamed(&talk, &MessageQuery::newest(limit)).await, [0, 5, 0, 0, 2, 0]);
    }
}

/// A filter on metadata cannot be asked of a corrupt row: it counts as a match.
pub(crate) async fn filtered_streams_end_with_a_corrupt_message(fixture: Fixture) {
    let (talk, _) = fixture.damaged(8, &[4]).await;
    for limit in [1, 2, 9] {
        let even = MessageQuery::first(limit).filter(MessageFilter::new().metadata(tagged("/even", true)));
        assert_eq!(streamed(&talk, &even).await, [2, 0, 6, 8]);
        assert_eq!(streamed(&talk, &even.offset(2)).await, [6, 8]);
    }
}
