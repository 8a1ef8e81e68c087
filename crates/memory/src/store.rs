//! What is kept, and its locks.
//!
//! There are two: the map's, held to find or place a thread, and each thread's own. Nobody holds both, so that a busy
//! thread is in nobody's way but its own callers'; neither is held across an await.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use chatkeep_domain::{
    ChatMessage, ChatThread, Entity, MessageId, MessageRevision, NewThread, OrgId, OwnerFilter, Position,
    Scope, StoreError, ThreadId, Timestamp, UserId,
};

type Threads = HashMap<OrgId, HashMap<ThreadId, Arc<Slot>>>;

#[derive(Default)]
pub(crate) struct Store(RwLock<Threads>);

/// The owner stands outside the lock: who may not see a thread does not wait for its writers either.
struct Slot {
    org_id: OrgId,
    user_id: UserId,
    record: Mutex<Record>,
}

/// A thread with all that is in it.
pub(crate) struct Record {
    pub(crate) thread: ChatThread,
    pub(crate) messages: BTreeMap<Position, Stored>,
    pub(crate) positions: HashMap<MessageId, Position>,
    /// Set for those who found the thread just before it was deleted.
    deleted: bool,
}

pub(crate) struct Stored {
    pub(crate) message: ChatMessage,
    pub(crate) revisions: Vec<MessageRevision>,
}

impl Store {
    pub(crate) fn create(&self, new: NewThread) -> Result<ChatThread, StoreError> {
        loop {
            let slot = {
                let mut threads = self.0.write().unwrap_or_else(PoisonError::into_inner);
                match threads.entry(new.org_id.clone()).or_default().entry(new.id) {
                    Entry::Occupied(entry) if entry.get().user_id == new.user_id => Arc::clone(entry.get()),
                    Entry::Occupied(_) => {
                        return Err(StoreError::AlreadyExists {
                            entity: Entity::Thread,
                            id: new.id.to_string(),
                        });
                    }
                    Entry::Vacant(entry) => {
                        let thread = new.into_thread();
                        entry.insert(Arc::new(Slot::new(thread.clone())));
                        return Ok(thread);
                    }
                }
            };
            let record = slot.lock();
            // One that was deleted meanwhile left the map before: the id is free, or of another thread.
            if !record.deleted {
                return Ok(record.thread.clone());
            }
        }
    }

    /// Does `work` on a thread, with nobody else at it.
    pub(crate) fn with<T>(
        &self,
        scope: &Scope,
        id: ThreadId,
        work: impl FnOnce(&mut Record) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let slot = find(&self.0.read().unwrap_or_else(PoisonError::into_inner), scope, id)?;
        let mut record = slot.lock();
        if record.deleted {
            return Err(StoreError::thread_not_found(id));
        }
        work(&mut record)
    }

    /// Gives the number of messages.
    pub(crate) fn delete(&self, scope: &Scope, id: ThreadId) -> Result<usize, StoreError> {
        let slot = {
            let mut threads = self.0.write().unwrap_or_else(PoisonError::into_inner);
            let slot = find(&threads, scope, id)?;
            if let Entry::Occupied(mut org) = threads.entry(slot.org_id.clone()) {
                org.get_mut().remove(&id);
                if org.get().is_empty() {
                    org.remove();
                }
            }
            slot
        };
        let mut record = slot.lock();
        record.deleted = true;
        record.positions.clear();
        Ok(std::mem::take(&mut record.messages).len())
    }

    pub(crate) fn threads(&self, owner: &OwnerFilter) -> Vec<ChatThread> {
        let slots: Vec<_> = {
            let threads = self.0.read().unwrap_or_else(PoisonError::into_inner);
            orgs(&threads, owner.org_id.as_ref())
                .flat_map(HashMap::values)
                .filter(|slot| owner.matches(&slot.org_id, &slot.user_id))
                .cloned()
                .collect()
        };
        let records = slots.iter().map(|slot| slot.lock());
        records.filter(|record| !record.deleted).map(|record| record.thread.clone()).collect()
    }
}

fn orgs<'a>(
    threads: &'a Threads,
    org: Option<&OrgId>,
) -> impl Iterator<Item = &'a HashMap<ThreadId, Arc<Slot>>> {
    let (one, all) = match org {
        Some(org) => (threads.get(org), None),
        None => (None, Some(threads.values())),
    };
    one.into_iter().chain(all.into_iter().flatten())
}

fn find(threads: &Threads, scope: &Scope, id: ThreadId) -> Result<Arc<Slot>, StoreError> {
    let mut found = orgs(threads, scope.org_id())
        .filter_map(|org| org.get(&id))
        .filter(|slot| scope.contains(&slot.org_id, &slot.user_id));
    let slot = found.next().ok_or_else(|| StoreError::thread_not_found(id))?;
    if found.next().is_some() {
        return Err(StoreError::ambiguous_thread_id());
    }
    Ok(Arc::clone(slot))
}

impl Slot {
    fn new(thread: ChatThread) -> Self {
        Self {
            org_id: thread.org_id.clone(),
            user_id: thread.user_id.clone(),
            record: Mutex::new(Record {
                thread,
                messages: BTreeMap::new(),
                positions: HashMap::new(),
                deleted: false,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    pub(crate) fn touch(&mut self, at: Timestamp) {
        self.thread.updated_at = self.thread.updated_at.max(at);
    }

    pub(crate) fn message(&mut self, id: MessageId) -> Result<&mut Stored, StoreError> {
        let position = self.positions.get(&id);
        position
            .and_then(|position| self.messages.get_mut(position))
            .ok_or_else(|| StoreError::message_not_found(id))
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use chatkeep_domain::{IdGenerator as _, UuidV7Generator};

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
        let store = Store::default();
        let ids = [(); 2].map(|()| create(&store, UuidV7Generator.thread_id()).id);
        (store, Scope::user(org, user), ids)
    }

    /// True once a call waits for the thread that another is at work on, or holds the map meanwhile.
    fn is_awaited(store: &Store, id: ThreadId) -> bool {
        let threads = store.0.try_read();
        threads.map_or(true, |threads| Arc::strong_count(&threads[&owner().0][&id]) > 2)
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
    fn a_panic_at_work_does_not_close_the_thread() {
        let (store, scope, [one, _]) = store_with_two();
        let panicked =
            catch_unwind(AssertUnwindSafe(|| store.with::<()>(&scope, one, |_| panic!("at work"))));
        assert!(panicked.is_err());
        assert!(store.with(&scope, one, |_| Ok(())).is_ok());
        assert_eq!(store.delete(&scope, one).unwrap(), 0);
    }

    #[test]
    fn what_is_empty_is_not_kept() {
        let (store, scope, [one, two]) = store_with_two();
        store.delete(&scope, one).unwrap();
        assert_eq!(store.0.read().unwrap().len(), 1);
        store.delete(&scope, two).unwrap();
        assert!(store.0.read().unwrap().is_empty(), "the organization is forgotten");
    }
}
