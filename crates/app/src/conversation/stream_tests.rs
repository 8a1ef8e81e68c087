use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chatkeep_domain::{
    ChatMessage, Entity, MessageFilter, MessageQuery, MockConversationRepository, Role, StoreError, ThreadId,
    UserId, message_stream,
};
use futures_core::Stream;
use tokio::sync::Semaphore;

use super::Conversation;
use crate::error::Error;
use crate::state_manager::StateManager;
use crate::stream::MessageStream;
use crate::testing::{Faulty, scope, unavailable};

/// A conversation of as many messages; their texts are their positions.
async fn conversation_of(count: usize) -> (Arc<Faulty>, Conversation) {
    let store = Faulty::new();
    let chat = store.conversation().await;
    say(&chat, 1..=count).await;
    (store, chat)
}

async fn say(chat: &Conversation, numbers: impl Iterator<Item = usize>) {
    chat.add_messages(numbers.map(|number| (Role::User, number.to_string()))).await.unwrap();
}

/// The positions of all messages, and 0 for each error.
async fn read(stream: &mut MessageStream) -> Vec<i64> {
    let mut positions = Vec::new();
    while let Some(message) = stream.next().await {
        positions.push(message.map_or(0, |message| message.position.get()));
    }
    assert!(stream.next().await.is_none(), "an end is for good");
    positions
}

async fn next(stream: &mut MessageStream) -> i64 {
    stream.next().await.unwrap().unwrap().position.get()
}

fn count(counter: &AtomicUsize) -> usize {
    counter.load(Ordering::SeqCst)
}

fn lists(store: &Faulty) -> usize {
    store.lists.lock().unwrap().len()
}

/// Lets every task go on until all of them wait.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn absent() -> ThreadId {
    "0198c0de-0000-7000-8000-000000000001".parse().unwrap()
}

#[tokio::test]
async fn gives_every_message_in_order_wherever_pages_end() {
    for (messages, pages) in [(0, 1), (1, 1), (2, 1), (3, 1), (4, 2), (6, 2), (10, 4)] {
        let (store, chat) = conversation_of(messages).await;
        let all: Vec<i64> = (1..=i64::try_from(messages).unwrap()).collect();
        let mut stream = chat.stream_messages(MessageQuery::first(3)).unwrap();
        assert_eq!((read(&mut stream).await, lists(&store)), (all.clone(), pages), "{messages}");

        let back: Vec<i64> = all.into_iter().rev().collect();
        let mut stream = chat.stream_messages(MessageQuery::newest(3)).unwrap();
        assert_eq!((read(&mut stream).await, lists(&store)), (back, 2 * pages), "{messages}");
    }
}

#[tokio::test]
async fn gives_whole_messages_as_any_stream_does() {
    fn stream(
        stream: MessageStream,
    ) -> impl Stream<Item = Result<ChatMessage, Error>> + Send + Unpin + 'static {
        stream
    }
    let (_, chat) = conversation_of(1).await;
    let mut stream = stream(chat.stream_messages(MessageQuery::default()).unwrap());
    let first = std::future::poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await;
    assert_eq!(vec![first.unwrap().unwrap()], chat.get_messages().await.unwrap());
}

#[tokio::test]
async fn reads_the_next_page_ahead_and_no_more() {
    let (store, chat) = conversation_of(10).await;
    let mut stream = chat.stream_messages(MessageQuery::first(3)).unwrap();
    settle().await;
    assert_eq!(lists(&store), 0, "nothing is read before it is asked for");
    for position in 1..=10 {
        assert_eq!(next(&mut stream).await, position);
        settle().await;
        let page = usize::try_from((position - 1) / 3).unwrap();
        assert_eq!(lists(&store), (page + 2).min(4), "the page of the reader and one more");
        let in_memory = count(&store.listed) - usize::try_from(position).unwrap();
        assert!(in_memory < 6, "{in_memory}");
        assert_eq!(count(&store.listing), 0, "a reader that waits holds up nothing");
    }
    assert!(stream.next().await.is_none());
    let limits: Vec<_> = store.lists.lock().unwrap().iter().map(|query| query.limit).collect();
    assert_eq!(limits, [3; 4]);
}

#[tokio::test]
async fn what_is_appended_before_the_last_page_is_read_follows_only_oldest_first() {
    let (_, chat) = conversation_of(5).await;
    let mut forth = chat.stream_messages(MessageQuery::first(2)).unwrap();
    let mut back = chat.stream_messages(MessageQuery::newest(2)).unwrap();
    assert_eq!((next(&mut forth).await, next(&mut back).await), (1, 5));
    settle().await;
    say(&chat, 6..=7).await;
    assert_eq!(read(&mut forth).await, [2, 3, 4, 5, 6, 7]);
    assert_eq!(read(&mut back).await, [4, 3, 2, 1]);
}

#[tokio::test]
async fn deleting_meanwhile_skips_and_repeats_nothing_else() {
    let (_, chat) = conversation_of(6).await;
    let all = chat.get_messages().await.unwrap();
    let mut stream = chat.stream_messages(MessageQuery::first(2)).unwrap();
    assert_eq!(next(&mut stream).await, 1);
    settle().await;
    for message in &all[2..5] {
        chat.message(message.id).delete().await.unwrap();
    }
    // Those of the page that was there already are still given.
    assert_eq!(read(&mut stream).await, [2, 3, 4, 6]);
}

#[tokio::test]
async fn dropping_it_ends_the_fetch_and_dropping_next_does_not() {
    let (store, chat) = conversation_of(3).await;
    store.list_gate.forget_permits(usize::MAX);
    let mut stream = chat.stream_messages(MessageQuery::first(2)).unwrap();
    for _ in 0..2 {
        tokio::select! {
            biased;
            _ = stream.next() => panic!("the gate is shut"),
            () = settle() => {}
        }
        assert_eq!((count(&store.listing), lists(&store)), (1, 1));
    }
    store.list_gate.add_permits(1);
    assert_eq!(next(&mut stream).await, 1);
    settle().await;
    assert_eq!((count(&store.listing), lists(&store)), (1, 2));
    drop(stream);
    settle().await;
    assert_eq!((count(&store.listing), lists(&store)), (0, 2));
    store.list_gate.add_permits(Semaphore::MAX_PERMITS);
}

#[tokio::test]
async fn an_error_comes_in_its_place_and_is_the_last_item() {
    let (store, chat) = conversation_of(9).await;
    *store.check_page.lock().unwrap() = |_, page| match page.items.first() {
        Some(first) if first.position.get() > 3 => Err(unavailable()),
        _ => Ok(()),
    };
    let mut stream = chat.stream_messages(MessageQuery::first(3)).unwrap();
    for position in 1..=3 {
        assert_eq!(next(&mut stream).await, position);
        settle().await;
    }
    assert!(stream.next().await.unwrap().unwrap_err().is_transient());
    assert_eq!(read(&mut stream).await, [0; 0]);
    assert_eq!(lists(&store), 2);

    let absent = chat.state_manager().conversation(absent());
    let mut absent = absent.stream_messages(MessageQuery::default()).unwrap();
    assert!(absent.next().await.unwrap().unwrap_err().is_not_found());
    assert_eq!(read(&mut absent).await, [0; 0]);
}

#[tokio::test]
async fn a_row_that_cannot_be_decoded_hides_none_of_its_neighbours() {
    let (store, chat) = conversation_of(8).await;
    *store.corrupt.lock().unwrap() = vec![1, 3, 4, 8];
    for page_len in [1, 2, 3, 4, 8, 9] {
        let mut forth = chat.stream_messages(MessageQuery::first(page_len)).unwrap();
        assert_eq!(read(&mut forth).await, [0, 2, 0, 0, 5, 6, 7, 0], "{page_len}");
        let mut back = chat.stream_messages(MessageQuery::newest(page_len)).unwrap();
        assert_eq!(read(&mut back).await, [0, 7, 6, 5, 0, 0, 2, 0], "{page_len}");
    }
    let all = store.lists.lock().unwrap().len();
    let (after, before) = (7.try_into().unwrap(), 8.try_into().unwrap());
    let mut end = chat.stream_messages(MessageQuery::first(9).after(after)).unwrap();
    assert_eq!(read(&mut end).await, [0]);
    let part = MessageQuery::newest(9).before(before).after(4.try_into().unwrap());
    let mut part = chat.stream_messages(part).unwrap();
    assert_eq!(read(&mut part).await, [7, 6, 5]);
    assert!(lists(&store) > all);

    let error = chat.stream_messages(MessageQuery::default()).unwrap().next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::CorruptRow { entity: Entity::Message, .. })));
}

#[tokio::test]
async fn a_corrupt_row_without_a_place_is_the_last_item() {
    let mut mock = MockConversationRepository::new();
    let corrupt = || StoreError::corrupt_row(Entity::Message, "of unknown id", "no number");
    mock.expect_stream_messages()
        .times(1)
        .returning(move |_, _, _| message_stream(move |_| async move { Err(corrupt()) }));
    let chat = StateManager::new(Arc::new(mock), scope()).conversation(absent());
    assert_eq!(read(&mut chat.stream_messages(MessageQuery::default()).unwrap()).await, [0]);
}

#[tokio::test]
async fn what_the_request_says_reaches_the_store() {
    let (store, chat) = conversation_of(1).await;
    let bob = UserId::new("bob").unwrap();
    let message = chat.get_messages().await.unwrap().remove(0);
    let until = message.created_at + std::time::Duration::from_secs(1);
    let filter = MessageFilter::new().role(Role::Tool).sender_id(bob).created(message.created_at, until);
    let query = MessageQuery::newest(7).after(message.position).before(9.try_into().unwrap()).filter(filter);
    assert_eq!(read(&mut chat.stream_messages(query.clone()).unwrap()).await, [0; 0]);
    assert_eq!(store.lists.lock().unwrap().last(), Some(&query));
}

#[tokio::test]
async fn refuses_what_it_cannot_read() {
    let (_, chat) = conversation_of(1).await;
    for page_len in [0, 1_001] {
        let error = chat.stream_messages(MessageQuery::first(page_len)).unwrap_err();
        assert_eq!(error.to_string(), format!("limit must be from 1 to 1000 (got {page_len})"));
    }
    assert_eq!(read(&mut chat.stream_messages(MessageQuery::first(1_000)).unwrap()).await, [1]);
}

#[tokio::test]
async fn shows_its_thread_and_nothing_of_what_it_says() {
    let (_, chat) = conversation_of(0).await;
    let thread = chat.thread_id();
    chat.add_message(Role::User, "secret").await.unwrap();
    chat.add_message(Role::User, "secret").await.unwrap();
    let mut stream = chat.stream_messages(MessageQuery::default()).unwrap();
    assert_eq!(next(&mut stream).await, 1);
    let shown = format!("{stream:?}");
    assert_eq!(shown, format!("MessageStream {{ thread: {thread:?}, in_memory: 1, .. }}"));
}

#[test]
fn without_a_runtime_it_says_so_also_halfway() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let first = runtime();
    let (store, mut stream) = first.block_on(async {
        let (store, chat) = conversation_of(3).await;
        let mut stream = chat.stream_messages(MessageQuery::first(1)).unwrap();
        assert_eq!(next(&mut stream).await, 1);
        settle().await;
        store.list_gate.forget_permits(usize::MAX);
        assert_eq!(next(&mut stream).await, 2);
        settle().await;
        (store, stream)
    });
    assert_eq!((lists(&store), count(&store.listing)), (3, 1));
    drop(first);
    let second = runtime();
    let error = second.block_on(stream.next()).unwrap().unwrap_err();
    assert!(matches!(error, Error::NoRuntime));
    assert_eq!(second.block_on(read(&mut stream)), [0; 0]);

    let chat = store.state().conversation(absent());
    let mut stream = chat.stream_messages(MessageQuery::default()).unwrap();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let polled = Pin::new(&mut stream).poll_next(&mut context);
    assert!(matches!(polled, std::task::Poll::Ready(Some(Err(Error::NoRuntime)))));
}

#[tokio::test]
#[should_panic(expected = "the store has a bug")]
async fn a_panic_of_the_store_is_the_readers() {
    let mut mock = MockConversationRepository::new();
    mock.expect_stream_messages().returning(|_, _, _| panic!("the store has a bug"));
    let chat = StateManager::new(Arc::new(mock), scope()).conversation(absent());
    let _ = chat.stream_messages(MessageQuery::default()).unwrap().next().await;
}
