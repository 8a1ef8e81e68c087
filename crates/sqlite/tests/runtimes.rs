//! Callers on every kind of runtime, and callers that go away.

mod common;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use chatkeep_domain::{Append, ConversationRepository as _, MessageQuery, MessageRepository as _, ThreadId};
use chatkeep_sqlite::{SqliteConfig, SqliteRepository};
use tokio::runtime::{Builder, Handle};
use tokio::task::{LocalSet, block_in_place};

use crate::common::{message, open, scope, thread_of, until_none};

/// One call of each kind.
async fn calls(store: &SqliteRepository) {
    let thread = thread_of(store, "ada").await;
    store.append(&scope(), thread, Append::new([message("one", 1)])).await.expect("an append");
    assert_eq!(count(store, thread).await, 1);
}

async fn count(store: &SqliteRepository, thread: ThreadId) -> usize {
    store.list_messages(&scope(), thread, &MessageQuery::default()).await.expect("a page").items.len()
}

/// Without any runtime.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

async fn everywhere(store: SqliteRepository) {
    calls(&store).await;
}

#[test]
fn every_runtime_will_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    block_on(async { everywhere(open(&path).await).await });

    let current = Builder::new_current_thread().enable_all().build().expect("a runtime");
    current.block_on(async { everywhere(open(&path).await).await });
    LocalSet::new().block_on(&current, async { everywhere(open(&path).await).await });

    let several = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    several.block_on(async { everywhere(open(&path).await).await });
    LocalSet::new().block_on(&several, async { everywhere(open(&path).await).await });
    let nested = async {
        let store = open(&path).await;
        tokio::spawn(everywhere(store.clone())).await.expect("no panic");
        let inner = store.clone();
        tokio::spawn(async move {
            block_in_place(|| Handle::current().block_on(LocalSet::new().run_until(calls(&inner))));
        })
        .await
        .expect("no panic");
        store
    };
    let store = several.block_on(nested);
    // A store outlives the runtime that it was opened on.
    drop(several);
    current.block_on(calls(&store));
}

#[test]
fn in_memory_too() {
    let several = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let open = SqliteRepository::open(SqliteConfig::in_memory());
    let store = several.block_on(open).expect("a database");
    several.block_on(calls(&store));
    block_on(calls(&store));
}

/// Futures are dropped after each number of polls, and tasks aborted at any time. What was begun is there as a whole or not at all,
/// and the store goes on.
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_given_up_leave_nothing_half_done() {
    const BATCH: usize = 7;
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder.path().join("chat.db")).await;
    let thread = thread_of(&store, "ada").await;
    let batch = || Append::new((0..BATCH).map(|n| message(format!("message {n}"), 1)));
    for polls in 0..50 {
        let scope = scope();
        let mut call = pin!(store.append(&scope, thread, batch()));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..polls {
            if call.as_mut().poll(&mut context).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    for wait in 0..50 {
        let (writing, append) = (store.clone(), batch());
        let task = tokio::spawn(async move { writing.append(&scope(), thread, append).await.map(drop) });
        tokio::time::sleep(Duration::from_micros(20 * wait)).await;
        task.abort();
        give_up_a_read(&store, thread);
    }
    store.append(&scope(), thread, batch()).await.expect("the store goes on");
    let mut last = 0;
    let mut query = MessageQuery::first(1_000);
    loop {
        let page = store.list_messages(&scope(), thread, &query).await.expect("a page");
        last += page.items.len();
        for (n, message) in page.items.iter().enumerate() {
            let text = format!("message {}", n % BATCH);
            assert_eq!(message.content.as_text(), Some(text.as_str()), "a batch is whole");
        }
        let Some(next) = page.next else { break };
        query = query.behind(next);
    }
    assert!(last >= BATCH && last.is_multiple_of(BATCH), "{last} messages");
}

/// After its first poll.
fn give_up_a_read(store: &SqliteRepository, thread: ThreadId) {
    let mut reading = pin!(count(store, thread));
    let _ = reading.as_mut().poll(&mut Context::from_waker(Waker::noop()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_call_writes_that_is_alone_goes_into_the_index_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let store = open(&path).await;
    let thread = thread_of(&store, "ada").await;
    for number in 0..40 {
        let (store, append) = (store.clone(), Append::new([message(format!("number {number}"), number)]));
        let append = async move { store.append(&scope(), thread, append).await };
        tokio::spawn(append).await.expect("no panic").expect("an append");
        if number % 10 == 0 {
            until_none(&path, "SELECT COUNT(*) FROM chat_message WHERE pending = 1").await;
        }
    }
    until_none(&path, "SELECT COUNT(*) FROM chat_message WHERE pending = 1").await;
    store.close().await.expect("it is closed");
    let append = Append::new([message("too late", 50)]);
    let late = tokio::spawn(async move { store.append(&scope(), thread, append).await });
    let error = late.await.expect("no panic").expect_err("the store is closed");
    assert!(format!("{error:?}").contains("closed"), "{error:?}");
}
