//! Callers of several runtimes, of one that ends, and of none.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

use chatkeep_domain::{
    Append, Appended, Clock as _, IdGenerator as _, MessageRepository as _, NewMessage, NewThread, OrgId,
    Role, Scope, StoreError, SystemClock, ThreadId, ThreadRepository as _, UserId, UuidV7Generator,
};
use chatkeep_layers::Coalescing;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, JoinSet};

use crate::block_on::block_on;
use crate::slow::Slow;

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

#[derive(Clone)]
struct Bench {
    slow: Arc<Slow>,
    store: Arc<Coalescing>,
    scope: Scope,
}

impl Bench {
    fn new(set: impl FnOnce(Coalescing) -> Coalescing) -> Self {
        let slow = Slow::new();
        let store = Arc::new(set(Coalescing::new(Arc::clone(&slow) as _).max_in_flight(1)));
        let (org, user) = (OrgId::new("acme").unwrap(), UserId::new("ada").unwrap());
        Self { slow, store, scope: Scope::user(org, user) }
    }

    async fn say(self, text: &'static str) -> Result<Appended, StoreError> {
        let thread = self.thread().await;
        self.append(thread, text).await
    }

    async fn append(self, thread: ThreadId, text: &'static str) -> Result<Appended, StoreError> {
        let message = NewMessage::new(UuidV7Generator.message_id(), Role::User, text, SystemClock.now());
        self.store.append(&self.scope, thread, Append::new([message])).await
    }

    async fn thread(&self) -> ThreadId {
        let (id, org) = (UuidV7Generator.thread_id(), OrgId::new("acme").unwrap());
        let new = NewThread::new(id, org, UserId::new("ada").unwrap(), "a thread", SystemClock.now());
        self.store.create_thread(&self.scope, new).await.unwrap().id
    }

    fn start(&self, runtime: &Runtime, text: &'static str) -> JoinHandle<Result<Appended, StoreError>> {
        runtime.spawn(self.clone().say(text))
    }

    fn until(&self, in_flight: usize, waiting: usize) {
        let expected = format!("Coalescing {{ in_flight: {in_flight}, waiting: {waiting},");
        while !format!("{:?}", self.store).starts_with(&expected) {
            thread::yield_now();
        }
    }
}

#[test]
fn the_end_of_one_callers_runtime_leaves_the_others_to_theirs() {
    let bench = Bench::new(|store| store);
    let (ending, staying) = (runtime(), runtime());
    let first = bench.start(&ending, "first");
    bench.until(1, 0);
    let second = bench.start(&staying, "second");
    bench.until(1, 1);
    let third = bench.start(&ending, "third");
    bench.until(1, 2);
    drop(ending);
    bench.slow.gate.add_permits(1);
    let stored = staying.block_on(second).unwrap().unwrap();
    assert_eq!(stored.messages.len(), 1);
    assert!(staying.block_on(first).unwrap_err().is_cancelled());
    assert!(staying.block_on(third).unwrap_err().is_cancelled());
    bench.until(0, 0);
}

#[test]
fn a_runtime_that_ends_under_many_who_wait_ends() {
    // Each that waits is a group: none may be handed on from within another.
    let bench = Bench::new(|store| store.max_group_len(1));
    let ending = runtime();
    let callers: Vec<_> = (0..20_000).map(|_| bench.start(&ending, "x")).collect();
    bench.until(1, callers.len() - 1);
    drop(ending);
    bench.until(0, 0);
    bench.slow.gate.add_permits(1);
    assert_eq!(runtime().block_on(bench.clone().say("after")).unwrap().messages.len(), 1);
}

/// Writers on four workers, each of which gives up every third append: some before it is written, some after.
#[test]
fn callers_that_give_up_under_load_leave_the_others_what_they_stored() {
    let bench = Bench::new(|store| store.max_in_flight(3).max_group_len(5));
    let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let threads = [bench.thread().await, bench.thread().await];
        let mut writing = JoinSet::new();
        for writer in 0..16 {
            let bench = bench.clone();
            writing.spawn(async move {
                let mut stored = Vec::new();
                for number in 0..60 {
                    let thread = threads[writer % 2];
                    let new = bench.clone().append(thread, "x");
                    if number % 3 < 2 {
                        stored.extend(new.await.expect("it is stored").messages);
                    } else {
                        let given_up = tokio::spawn(new);
                        tokio::task::yield_now().await;
                        given_up.abort();
                    }
                }
                stored
            });
        }
        // So that some go together, whatever comes after.
        bench.until(2, 14);
        bench.slow.gate.add_permits(10_000);
        for stored in writing.join_all().await {
            assert_eq!(stored.len(), 40);
            assert!(stored.is_sorted_by(|a, b| a.position < b.position), "each writer's own order");
            for message in stored {
                let read = bench.store.get_message(&bench.scope, message.chat_thread_id, message.id).await;
                assert_eq!(read.expect("what was acknowledged is there"), message);
            }
        }
    });
    bench.until(0, 0);
    assert!(bench.slow.most_in_flight.load(SeqCst) <= 2, "one a thread");
    assert!(bench.slow.calls().iter().any(|call| call.starts_with("each")), "some went together");
}

#[test]
fn a_caller_outside_a_runtime_waits_for_nobody() {
    let bench = Bench::new(|store| store);
    let others = runtime();
    let first = bench.start(&others, "first");
    bench.until(1, 0);
    let outside = thread::spawn({
        let bench = bench.clone();
        move || block_on(bench.say("outside"))
    });
    while bench.slow.in_flight.load(SeqCst) < 2 {
        thread::yield_now();
    }
    bench.slow.gate.add_permits(2);
    assert_eq!(outside.join().unwrap().unwrap().messages.len(), 1);
    assert_eq!(others.block_on(first).unwrap().unwrap().messages.len(), 1);
    let mut calls = bench.slow.calls();
    calls.sort();
    assert_eq!(calls, ["append first", "append outside"]);
}
