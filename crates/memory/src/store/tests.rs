use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use chatkeep_domain::search::SearchPlan;
use chatkeep_domain::{Append, IdGenerator as _, NewMessage, Role, SearchQuery, UuidV7Generator};

use super::*;

fn owner() -> (OrgId, UserId) {
    (OrgId::new("acme").unwrap(), UserId::new("ada").unwrap())
}

fn create(store: &Store, id: ThreadId) -> ChatThread {
    let (org, user) = owner();
    store.create(NewThread::new(id, org, user, "secret", Timestamp::UNIX_EPOCH)).unwrap()
}

fn store_with_two() -> (Store, Scope, [ThreadId; 2]) {
    let (org, user) = owner();
    let store = Store::new(true);
    let ids = [(); 2].map(|()| create(&store, UuidV7Generator.thread_id()).id);
    (store, Scope::user(org, user), ids)
}

fn say(store: &Store, scope: &Scope, thread: ThreadId) {
    let message = NewMessage::new(UuidV7Generator.message_id(), Role::User, "needle", Timestamp::UNIX_EPOCH);
    store.with(scope, thread, |record| record.append(Append::new([message]))).unwrap();
}

/// How many messages are found by their words, and how many without.
fn found(store: &Store, scope: &Scope, thread: Option<ThreadId>) -> [usize; 2] {
    let query = SearchQuery::new("needle");
    let plan = SearchPlan::new(&query).unwrap();
    [plan.expr(), None].map(|expr| {
        let mut found = 0;
        store.find(scope, thread, expr, |_, _| found += 1);
        found
    })
}

/// True once a call waits for the thread that another is at work on, or holds the map meanwhile.
fn is_awaited(store: &Store, id: ThreadId) -> bool {
    let threads = store.threads.try_read();
    // The map holds it, its lists hold it, and so does the one at work.
    let held = 1 + LISTS + 1;
    threads.map_or(true, |threads| Arc::strong_count(&threads[&owner().0].threads[&id]) > held)
}

#[test]
fn work_on_one_thread_does_not_wait_for_another() {
    let (store, scope, [one, two]) = store_with_two();
    let (done, finished) = mpsc::channel();
    let store = Arc::new(store);
    let (again, other) = (Arc::clone(&store), Arc::clone(&store));
    let held = store.with(&scope.clone(), one, |_| {
        let creating = thread::spawn(move || create(&again, one));
        thread::spawn(move || {
            while !is_awaited(&other, one) {
                thread::yield_now();
            }
            done.send(other.with(&scope, two, |_| Ok(())).is_ok())
        });
        Ok((creating, finished.recv_timeout(Duration::from_secs(10))))
    });
    let (creating, free) = held.unwrap();
    assert_eq!(free, Ok(true), "the other thread was free while one was busy, and created again");
    assert_eq!(creating.join().unwrap().id, one, "the busy one is given as it is stored");
}

#[test]
fn a_search_does_not_wait_for_a_thread_that_it_may_not_find() {
    let (store, ada, [one, two]) = store_with_two();
    say(&store, &ada, one);
    say(&store, &ada, two);
    let bob = Scope::user(owner().0, UserId::new("bob").unwrap());
    let (done, finished) = mpsc::channel();
    let store = Arc::new(store);
    let (other, scope) = (Arc::clone(&store), ada.clone());
    let searched = store.with(&ada, one, |_| {
        thread::spawn(move || done.send([found(&other, &bob, None), found(&other, &scope, Some(two))]));
        Ok(finished.recv_timeout(Duration::from_secs(10)))
    });
    assert_eq!(searched.unwrap(), Ok([[0, 0], [1, 1]]), "neither another user nor in another thread");
    assert_eq!(found(&store, &ada, None), [2, 2]);
}

#[test]
fn an_id_is_free_when_the_words_of_its_thread_are_gone() {
    let (store, scope, [one, _]) = store_with_two();
    say(&store, &scope, one);
    let store = Arc::new(store);
    let (other, others) = (Arc::clone(&store), scope.clone());
    let is_there = || store.threads.read().unwrap()[&owner().0].threads.contains_key(&one);
    let deleting = store.with(&scope, one, |_| {
        let deleting = thread::spawn(move || other.delete(&others, one));
        while is_there() && !is_awaited(&store, one) {
            thread::yield_now();
        }
        assert!(is_there(), "the deletion waits, and the next thread of this id with it");
        Ok(deleting)
    });
    assert_eq!(deleting.unwrap().join().unwrap().unwrap(), 1);
    assert_eq!(found(&store, &scope, None), [0, 0]);
    create(&store, one);
    say(&store, &scope, one);
    assert_eq!(found(&store, &scope, None), [1, 1]);
}

#[test]
fn a_panic_at_work_does_not_close_the_thread() {
    let (store, scope, [one, _]) = store_with_two();
    let panicked = catch_unwind(AssertUnwindSafe(|| store.with::<()>(&scope, one, |_| panic!("at work"))));
    assert!(panicked.is_err());
    assert!(store.with(&scope, one, |_| Ok(())).is_ok());
    assert_eq!(store.delete(&scope, one).unwrap(), 0);
}

#[test]
fn what_is_empty_is_not_kept() {
    let (store, scope, [one, two]) = store_with_two();
    store.delete(&scope, one).unwrap();
    assert_eq!(store.threads.read().unwrap().len(), 1);
    store.delete(&scope, two).unwrap();
    assert!(store.threads.read().unwrap().is_empty(), "the organization is forgotten");
}
