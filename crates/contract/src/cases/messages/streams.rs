//! Messages as a stream.

use chatkeep_domain::{
    ChatMessage, Cursor, MAX_BATCH_LEN, MAX_PAGE_LEN, MessageFilter, MessageQuery, MessageStream, NewMessage,
    Order, Role, StoreError, ThreadUpdate, next_message,
};

use crate::fixture::search::tagged;
use crate::fixture::{Fixture, Talk, at, ids, message, message_id, numbered, texts, thread_id};

/// The next message of a stream that has one.
async fn next(stream: &mut MessageStream<'_>) -> ChatMessage {
    next_message(stream).await.expect("there is more").expect("the message is streamed")
}

/// All that is left of a stream that works.
async fn rest(stream: &mut MessageStream<'_>) -> Vec<ChatMessage> {
    let mut messages = Vec::new();
    while let Some(message) = next_message(stream).await {
        messages.push(message.expect("the message is streamed"));
    }
    messages
}

/// What a stream that fails gives first. Nothing comes behind it.
async fn refused(stream: &mut MessageStream<'_>) -> Result<(), StoreError> {
    let first = next_message(stream).await.expect("an error, not an empty stream");
    assert!(next_message(stream).await.is_none(), "a stream ends with its error");
    first.map(drop)
}

/// Queries for 1, 3 and 100 messages at a time, in both orders.
fn queries() -> impl Iterator<Item = MessageQuery> {
    [1, 3, 100].into_iter().flat_map(|limit| [MessageQuery::first(limit), MessageQuery::newest(limit)])
}

/// In the order of the query.
fn ordered<T: Clone>(items: &[T], query: &MessageQuery) -> Vec<T> {
    match query.order {
        Order::OldestFirst => items.to_vec(),
        Order::NewestFirst => items.iter().rev().cloned().collect(),
    }
}

/// A stream gives whole messages, each once and in the query's order; of a thread without messages, none.
pub(crate) async fn a_stream_gives_every_message_in_order(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, said) = Talk::with(&ada, 10).await;
    let (one, first) = Talk::with(&ada, 1).await;
    for query in queries() {
        assert_eq!(talk.streamed(&query).await, ordered(&said, &query), "{query:?}");
        assert_eq!(one.streamed(&query).await, first, "{query:?}");
        assert_eq!(ada.talk().await.streamed(&query).await, []);
    }
}

/// A thread of 10,000 messages is streamed whole, in both orders.
pub(crate) async fn a_long_thread_is_streamed_whole(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let batch = numbered(MAX_BATCH_LEN);
    let expected: Vec<_> = batch.iter().map(|message| message.id).collect();
    talk.say(batch).await;
    for query in [MessageQuery::first(100), MessageQuery::newest(100)] {
        let streamed = ids(&talk.streamed(&query).await);
        assert!(streamed == ordered(&expected, &query), "the order of all messages: {:?}", query.order);
    }
}

/// Bounds and filters hold for a whole stream, also behind what is read at a time.
pub(crate) async fn a_stream_is_of_what_the_query_finds(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let said = (0..20u8).map(|number| {
        let role = [Role::User, Role::Assistant][usize::from(number % 2)];
        NewMessage::new(message_id(), role, number.to_string(), at(number.into()))
    });
    let said = talk.say(said).await;
    let user = MessageFilter::new().role(Role::User);
    let dated = MessageFilter::new().created(at(3), at(8));
    let nowhere = MessageFilter::new().metadata(tagged("/even", true));
    for query in queries() {
        let between = query.clone().after(said[2].position).before(said[9].position);
        for (query, expected) in [
            (between.clone(), vec!["3", "4", "5", "6", "7", "8"]),
            (query.clone().filter(dated.clone()), vec!["3", "4", "5", "6", "7"]),
            (between.filter(user.clone()), vec!["4", "6", "8"]),
            (query.clone().filter(user.clone().created(at(11), None)), vec!["12", "14", "16", "18"]),
            (query.clone().after(said[19].position), vec![]),
            (query.filter(nowhere.clone()), vec![]),
        ] {
            assert_eq!(texts(&talk.streamed(&query).await), ordered(&expected, &query), "{query:?}");
        }
    }
}

/// An offset leaves out messages at the start of the stream, after the filters, and nowhere else.
pub(crate) async fn an_offset_of_a_stream_counts_once(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 9).await;
    for query in queries() {
        for offset in [1, 4, 8, 9, 100] {
            let expected = ordered(&said, &query).split_off(offset.min(9));
            let query = query.clone().offset(offset as u64);
            assert_eq!(talk.streamed(&query).await, expected, "{query:?}");
        }
        let query = query.after(said[1].position).offset(2);
        assert_eq!(talk.streamed(&query).await, ordered(&said[2..], &query)[2..], "{query:?}");
    }
}

/// A stream begins behind the cursor of a page, and behind that of a message; an offset counts from there.
pub(crate) async fn a_stream_goes_on_behind_a_cursor(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 9).await;
    for query in queries().filter(|query| query.limit < 9) {
        let page = talk.page(&query).await.unwrap();
        let rest = query.clone().behind(page.next.expect("there is more"));
        assert_eq!(talk.streamed(&rest).await, ordered(&said, &query)[query.limit..], "{query:?}");
        let behind = query.clone().behind(query.cursor_behind(talk.id, said[4].position));
        assert_eq!(talk.streamed(&behind).await, ordered(&said, &query)[5..], "{query:?}");
        assert_eq!(talk.streamed(&behind.offset(2)).await, ordered(&said, &query)[7..], "{query:?}");
    }
}

/// The query's limit bounds no stream, be it 0 or more than a page may have.
pub(crate) async fn a_limit_bounds_no_stream(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 5).await;
    for limit in [0, 1, 4, 5, MAX_PAGE_LEN + 1, usize::MAX] {
        for query in [MessageQuery::first(limit), MessageQuery::newest(limit)] {
            assert_eq!(talk.streamed(&query).await, ordered(&said, &query), "{query:?}");
        }
    }
}

/// A stream of an absent thread begins with `NotFound`, and ends with it.
pub(crate) async fn a_stream_of_an_absent_thread_is_not_found(fixture: Fixture) {
    let ada = fixture.tenant();
    let absent = thread_id();
    for query in queries().chain([MessageQuery::first(0), MessageQuery::first(5).offset(5)]) {
        let mut stream = fixture.repo.stream_messages(&ada.scope, absent, query);
        let refused = refused(&mut stream).await;
        assert_refused!(refused, StoreError::NotFound { id, .. } if id == absent.to_string());
    }
}

/// A stream begins with the error of a query that a list refuses for anything but its limit.
pub(crate) async fn a_stream_refuses_what_a_list_refuses(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 3).await;
    let (first, newest) = (MessageQuery::first(2), MessageQuery::newest(2));
    let of_another_order = newest.cursor_behind(talk.id, said[1].position);
    let of_another_thread = first.cursor_behind(thread_id(), said[1].position);
    for (query, field) in [
        (first.clone().behind(Cursor::from("damaged".to_owned())), "cursor"),
        (first.clone().behind(of_another_order), "cursor"),
        (first.clone().behind(of_another_thread), "cursor"),
        (first.offset(1 << 63), "offset"),
    ] {
        let refused = refused(&mut talk.stream(&query)).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == field);
    }
}

/// Nothing is read before the stream is: what is said before that is in it.
pub(crate) async fn a_stream_begins_when_it_is_read(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 1).await;
    let (forth, back) = (MessageQuery::first(5), MessageQuery::newest(5));
    let mut streams = [talk.stream(&forth), talk.stream(&back)];
    let more = talk.say([message("more")]).await;
    let [forth, back] = &mut streams;
    assert_eq!(rest(forth).await, [said[0].clone(), more[0].clone()]);
    assert_eq!(rest(back).await, [more[0].clone(), said[0].clone()]);
}

/// What is said while a stream is read comes in its place or not at all, and takes nothing from what was there.
pub(crate) async fn what_is_appended_meanwhile_is_streamed_once_at_most(fixture: Fixture) {
    for query in queries() {
        let (talk, said) = Talk::with(&fixture.tenant(), 8).await;
        let (mut stream, mut streamed) = (talk.stream(&query), Vec::new());
        while let Some(message) = next_message(&mut stream).await {
            streamed.push(message.expect("the message is streamed").position);
            if streamed.len() <= 8 {
                talk.say(numbered(2)).await;
            }
        }
        let is_in_order = streamed.is_sorted_by(|a, b| match query.order {
            Order::OldestFirst => a < b,
            Order::NewestFirst => a > b,
        });
        assert!(is_in_order, "{streamed:?} of {query:?}");
        let old = said.iter().filter(|message| streamed.contains(&message.position));
        assert_eq!(old.count(), 8, "{streamed:?} of {query:?}");
        assert_eq!(talk.all().await.len(), 24);
    }
}

/// Messages that are deleted while a stream is read take no others with them; what was given is not given again.
pub(crate) async fn what_is_deleted_meanwhile_moves_nothing(fixture: Fixture) {
    for query in queries() {
        let (talk, said) = Talk::with(&fixture.tenant(), 8).await;
        let expected = ordered(&said, &query);
        let mut stream = talk.stream(&query);
        assert_eq!(next(&mut stream).await, expected[0]);
        // One that was given, the next one, and one further on.
        for gone in [0, 1, 5] {
            talk.delete_message(expected[gone].id, at(9)).await.unwrap();
        }
        let deleted = [expected[1].id, expected[5].id];
        let streamed = rest(&mut stream).await;
        let kept: Vec<_> = streamed.into_iter().filter(|message| !deleted.contains(&message.id)).collect();
        let left: Vec<_> = expected[1..].iter().filter(|it| !deleted.contains(&it.id)).cloned().collect();
        assert_eq!(kept, left, "{query:?}");
    }
}

/// A reader that stops half-way and holds on to its streams keeps nobody from writing, and reads on afterwards.
pub(crate) async fn a_stream_keeps_nobody_from_writing(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 6).await;
    let (forth, back) = (MessageQuery::first(2), MessageQuery::newest(2));
    let mut streams = [talk.stream(&forth), talk.stream(&back)];
    let [forth, back] = &mut streams;
    assert_eq!((next(forth).await, next(back).await), (said[0].clone(), said[5].clone()));
    let update = ThreadUpdate::new(at(3)).name("renamed");
    talk.tenant.repo.update_thread(&talk.tenant.scope, talk.id, update).await.unwrap();
    talk.edit(said[0].id, "edited", at(4)).await.unwrap();
    talk.say(numbered(3)).await;
    assert_eq!(rest(forth).await[..5], said[1..]);
    // Of the edited one, nobody says which content.
    assert_eq!(ids(&rest(back).await), ordered(&ids(&said[..5]), &MessageQuery::newest(1)));
    let forth = talk.stream(&MessageQuery::first(2));
    assert_eq!(talk.delete().await.unwrap(), 9);
    drop(forth);
}

/// Streams that are dropped, before they are read or half-way, leave the store as usable as before.
pub(crate) async fn streams_are_dropped_half_way(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 30).await;
    for number in 0..60 {
        let query = MessageQuery::first(1 + number % 7);
        let mut stream = talk.stream(&query);
        for expected in &said[..number % 5] {
            assert_eq!(next(&mut stream).await, *expected);
        }
    }
    assert_eq!(talk.streamed(&MessageQuery::first(9)).await, said);
    talk.say(numbered(1)).await;
    assert_eq!(talk.clear(at(9)).await.unwrap(), 31);
}

/// Two streams that are read in turns are read each for itself.
pub(crate) async fn two_streams_do_not_meet(fixture: Fixture) {
    let ada = fixture.tenant();
    let ((one, here), (other, there)) = (Talk::with(&ada, 7).await, Talk::with(&ada, 7).await);
    let query = MessageQuery::first(2);
    let (mut first, mut second) = (one.stream(&query), other.stream(&query));
    for (this, that) in here.into_iter().zip(there) {
        assert_eq!((next(&mut first).await, next(&mut second).await), (this, that));
    }
    assert!(next_message(&mut first).await.is_none() && next_message(&mut second).await.is_none());
}
