//! What is kept, and its locks.
//!
//! There are five: the map's, held to find or place a thread; each thread's own; that of each organization's index; and
//! two of each [`Listing`], of its order and of its notes. They are taken in this order: a list's order, a thread's own,
//! then one of the others, behind which none is taken but that of a list's notes. So a busy thread is in nobody's way but
//! its own callers' and theirs who list it. None is held across an await.

mod find;
mod record;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

use chatkeep_domain::{
    ChatThread, Entity, NewThread, OrgId, OwnerFilter, Scope, StoreError, ThreadId, ThreadKey, UserId,
};

pub(crate) use self::find::Finding;
pub(crate) use self::record::Record;
use crate::index::Index;
use crate::listing::{LISTS, Listing};

type Threads = HashMap<OrgId, Org>;

pub(crate) struct Store {
    threads: RwLock<Threads>,
    listing: Arc<Listing>,
    is_indexed: bool,
}

#[derive(Default)]
struct Org {
    threads: HashMap<ThreadId, Arc<Slot>>,
    users: HashMap<UserId, User>,
    listing: Arc<Listing>,
    index: Arc<Index>,
}

#[derive(Default)]
struct User {
    /// How many.
    threads: usize,
    listing: Arc<Listing>,
}

/// The owner stands outside the lock: who may not see a thread does not wait for its writers either.
pub(crate) struct Slot {
    org_id: OrgId,
    user_id: UserId,
    /// They hold the thread, not it them.
    listings: [Weak<Listing>; LISTS],
    record: Mutex<Record>,
}

impl Store {
    pub(crate) fn new(is_indexed: bool) -> Self {
        Self { threads: RwLock::default(), listing: Arc::default(), is_indexed }
    }

    pub(crate) fn is_indexed(&self) -> bool {
        self.is_indexed
    }

    pub(crate) fn create(&self, new: NewThread) -> Result<ChatThread, StoreError> {
        loop {
            let slot = {
                let mut threads = self.threads.write().unwrap_or_else(PoisonError::into_inner);
                let org = threads.entry(new.org_id.clone()).or_default();
                match org.threads.entry(new.id) {
                    Entry::Occupied(entry) if entry.get().user_id == new.user_id => Arc::clone(entry.get()),
                    Entry::Occupied(_) => {
                        return Err(StoreError::already_exists(Entity::Thread, new.id));
                    }
                    Entry::Vacant(entry) => {
                        let thread = new.into_thread();
                        let user = org.users.entry(thread.user_id.clone()).or_default();
                        user.threads += 1;
                        let listings = [&user.listing, &org.listing, &self.listing];
                        let index = self.is_indexed.then(|| Arc::clone(&org.index));
                        let slot = Slot::new(thread.clone(), listings.map(Arc::downgrade), index);
                        let slot = entry.insert(Arc::new(slot));
                        for listing in listings {
                            listing.note(None, slot);
                        }
                        return Ok(thread);
                    }
                }
            };
            let record = slot.lock();
            // One that was deleted meanwhile has left the map: the id is free, or of another thread.
            if !record.deleted {
                return Ok(ChatThread::clone(&record.thread));
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
        let slot = find(&self.threads.read().unwrap_or_else(PoisonError::into_inner), scope, id)?;
        let mut record = slot.lock();
        if record.deleted {
            return Err(StoreError::thread_not_found(id));
        }
        let result = work(&mut record);
        if std::mem::take(&mut record.is_changed) {
            slot.note(&mut record);
        }
        result
    }

    /// Gives the number of messages.
    pub(crate) fn delete(&self, scope: &Scope, id: ThreadId) -> Result<usize, StoreError> {
        let slot = find(&self.threads.read().unwrap_or_else(PoisonError::into_inner), scope, id)?;
        let mut record = slot.lock();
        if record.deleted {
            return Err(StoreError::thread_not_found(id));
        }
        record.deleted = true;
        slot.note(&mut record);
        // Before the id is free: the places of the next thread of this id are the same ones.
        let messages = record.clear();
        self.forget(&slot, id);
        drop(record);
        // Or else threads that come and go, and are never listed, would pile up.
        for (at, listing) in slot.listings.iter().enumerate() {
            listing.upgrade().iter().for_each(|listing| listing.settle(at));
        }
        Ok(messages)
    }

    /// Takes a thread out of the map; what is empty then goes as well.
    fn forget(&self, slot: &Slot, id: ThreadId) {
        let mut threads = self.threads.write().unwrap_or_else(PoisonError::into_inner);
        let Entry::Occupied(mut org) = threads.entry(slot.org_id.clone()) else { return };
        org.get_mut().threads.remove(&id);
        if let Entry::Occupied(mut user) = org.get_mut().users.entry(slot.user_id.clone()) {
            user.get_mut().threads -= 1;
            if user.get().threads == 0 {
                user.remove();
            }
        }
        if org.get().threads.is_empty() {
            org.remove();
        }
    }

    /// The first threads of an owner that match, behind a place, newest update first.
    pub(crate) fn list(
        &self,
        owner: &OwnerFilter,
        count: usize,
        behind: Option<&ThreadKey>,
        matches: impl Fn(&ChatThread) -> bool,
    ) -> Vec<ChatThread> {
        let found = {
            let threads = self.threads.read().unwrap_or_else(PoisonError::into_inner);
            match (&owner.org_id, &owner.user_id) {
                (None, _) => Some((2, Arc::clone(&self.listing))),
                (Some(org), None) => threads.get(org).map(|org| (1, Arc::clone(&org.listing))),
                (Some(org), Some(user)) => threads
                    .get(org)
                    .and_then(|org| org.users.get(user))
                    .map(|user| (0, Arc::clone(&user.listing))),
            }
        };
        let Some((at, listing)) = found else { return Vec::new() };
        listing.settle(at);
        // The operator may ask for one user of every organization.
        let is_owners = |thread: &ChatThread| at != 2 || owner.matches(&thread.org_id, &thread.user_id);
        listing.first(count, behind, |thread| is_owners(thread) && matches(thread))
    }
}

fn orgs<'a>(threads: &'a Threads, org: Option<&OrgId>) -> impl Iterator<Item = &'a Org> {
    let (one, all) = match org {
        Some(org) => (threads.get(org), None),
        None => (None, Some(threads.values())),
    };
    one.into_iter().chain(all.into_iter().flatten())
}

fn find(threads: &Threads, scope: &Scope, id: ThreadId) -> Result<Arc<Slot>, StoreError> {
    let mut found = orgs(threads, scope.org_id())
        .filter_map(|org| org.threads.get(&id))
        .filter(|slot| scope.contains(&slot.org_id, &slot.user_id));
    let slot = found.next().ok_or_else(|| StoreError::thread_not_found(id))?;
    if found.next().is_some() {
        return Err(StoreError::ambiguous_thread_id());
    }
    Ok(Arc::clone(slot))
}

impl Slot {
    fn new(thread: ChatThread, listings: [Weak<Listing>; LISTS], index: Option<Arc<Index>>) -> Self {
        Self {
            org_id: thread.org_id.clone(),
            user_id: thread.user_id.clone(),
            listings,
            record: Mutex::new(Record::new(thread, index)),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the lists that the thread is not as they show it, except where that is noted already.
    fn note(self: &Arc<Self>, record: &mut Record) {
        for (listing, place) in self.listings.iter().zip(&mut record.places) {
            if let Some(updated_at) = place.take() {
                let left = ThreadKey::new(updated_at, record.thread.id, self.org_id.clone());
                listing.upgrade().iter().for_each(|listing| listing.note(Some(left.clone()), self));
            }
        }
    }
}

#[cfg(test)]
mod tests;
