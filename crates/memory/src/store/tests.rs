use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use chatkeep_domain::search::SearchPlan;
use chatkeep_domain::{
    Append, IdGenerator as _, MessageId, NewMessage, Role, SearchQuery, ThreadUpdate, Timestamp,
    UuidV7Generator,
};

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
    // The map holds it, the notes of its lists hold it, and so does the one at work.
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
    let bob = UserId::new("bob").unwrap();
    let new = NewThread::new(UuidV7Generator.thread_id(), owner().0, bob, "", Timestamp::UNIX_EPOCH);
    let three = store.create(new).unwrap().id;
    let lens = || (store.threads.read().unwrap()[&owner().0].users.len(), store.listing.lens());
    assert_eq!(lens(), (2, (0, 3)));
    store.delete(&scope, one).unwrap();
    assert_eq!(lens(), (2, (2, 0)));
    store.delete(&scope, two).unwrap();
    assert_eq!(lens(), (1, (1, 0)), "the user is forgotten");
    store.delete(&Scope::operator(), three).unwrap();
    assert!(store.threads.read().unwrap().is_empty(), "the organization is forgotten");
    assert_eq!(store.listing.lens(), (0, 0));
}

fn touch(store: &Store, scope: &Scope, id: ThreadId, second: i64) {
    let touch = |record: &mut Record| {
        record.touch(Timestamp::from_timestamp(second, 0).unwrap());
        Ok(())
    };
    store.with(scope, id, touch).unwrap();
}

fn list(store: &Store, owner: &OwnerFilter) -> Vec<ChatThread> {
    store.list(owner, usize::MAX, None, |_| true)
}

#[test]
fn a_thread_is_noted_once_however_often_it_is_written_to() {
    let (store, scope, [one, two]) = store_with_two();
    assert_eq!(list(&store, &OwnerFilter::default()).len(), 2);
    for second in 1..100 {
        for id in [one, two] {
            touch(&store, &scope, id, second);
        }
    }
    assert_eq!(store.listing.lens(), (2, 2));
    let user = OwnerFilter { org_id: Some(owner().0), user_id: Some(owner().1) };
    let ids: Vec<_> = list(&store, &user).iter().map(|thread| thread.id).collect();
    assert_eq!(ids, [one.max(two), one.min(two)]);
    assert_eq!(store.listing.lens(), (2, 2), "the list of all is as it was");
    assert_eq!(list(&store, &OwnerFilter::default()).len(), 2);
    assert_eq!(store.listing.lens(), (2, 0));
}

#[test]
fn a_list_shows_a_change_that_moves_nothing() {
    let (store, scope, [one, two]) = store_with_two();
    let user = OwnerFilter { org_id: Some(owner().0), user_id: Some(owner().1) };
    touch(&store, &scope, two, 1);
    let places = || list(&store, &user).into_iter().map(|thread| (thread.id, thread.head.get(), thread.name));
    let before: Vec<_> = places().collect();
    assert_eq!(before, [(two, 0, "secret".to_owned()), (one, 0, "secret".to_owned())]);
    say(&store, &scope, two);
    let rename = ThreadUpdate::new(Timestamp::UNIX_EPOCH).name("new");
    let rename = |record: &mut Record| {
        rename.apply(record.change());
        Ok(())
    };
    store.with(&scope, one, rename).unwrap();
    assert_eq!(places().collect::<Vec<_>>(), [(two, 1, "secret".to_owned()), (one, 0, "new".to_owned())]);
}

#[test]
fn lists_are_whole_while_threads_come_and_go_and_are_written_to() {
    let (store, scope, [one, two]) = store_with_two();
    let (org_id, user_id) = owner();
    let owners = [
        OwnerFilter::default(),
        OwnerFilter { org_id: Some(org_id.clone()), user_id: None },
        OwnerFilter { org_id: Some(org_id), user_id: Some(user_id) },
    ];
    thread::scope(|threads| {
        for id in [one, two] {
            let (store, scope) = (&store, &scope);
            threads.spawn(move || {
                for second in 1..2_000 {
                    touch(store, scope, id, second);
                    let brief = create(store, UuidV7Generator.thread_id()).id;
                    store.delete(scope, brief).unwrap();
                }
            });
        }
        for owner in &owners {
            let store = &store;
            threads.spawn(move || {
                for _ in 0..2_000 {
                    let listed = list(store, owner);
                    let places: Vec<_> = listed.iter().map(ThreadKey::from).collect();
                    assert!(places.is_sorted_by(|one, next| one > next));
                    let stays = |thread: &&ChatThread| [one, two].contains(&thread.id);
                    assert_eq!(listed.iter().filter(stays).count(), 2);
                }
            });
        }
    });
    assert_eq!(owners.each_ref().map(|owner| list(&store, owner).len()), [2; 3]);
    assert_eq!(store.listing.lens(), (2, 0));
}

#[test]
fn ids_of_every_order_are_found() {
    let (store, scope, [one, _]) = store_with_two();
    let message = |id: u128| {
        let id = message_id(id);
        NewMessage::new(id, Role::User, id.to_string(), Timestamp::UNIX_EPOCH)
    };
    let append = |ids: &[u128]| {
        let append = Append::new(ids.iter().copied().map(message));
        let stored = store.with(&scope, one, |record| record.append(append)).unwrap();
        stored.iter().map(|message| message.position.get()).collect::<Vec<_>>()
    };
    assert_eq!(append(&[5, 6]), [1, 2]);
    assert_eq!(append(&[4, 6, 8]), [3, 2, 4]);
    assert_eq!(append(&[8, 7, 5, 9]), [4, 5, 1, 6]);
    store.with(&scope, one, |record| record.remove(message_id(9))).unwrap();
    assert_eq!(append(&[9, 4]), [7, 3]);
    store.with(&scope, one, |record| Ok(record.clear())).unwrap();
    assert_eq!(append(&[1, 9]), [8, 9]);
    assert_eq!(append(&[9, 1]), [9, 8]);
}

fn message_id(number: u128) -> MessageId {
    format!("{number:032x}").parse().unwrap()
}
