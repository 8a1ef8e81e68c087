//! What is kept, and its locks.
//!
//! There are five: the map's, held to find or place a thread; each thread's own; that of each organization's index; and
//! two of each [`Listing`], of its order and of its notes. They are taken in this order: a list's order, a thread's own,
//! then one of the others, behind which none is taken but that of a list's notes. So a busy thread is in nobody's way but
//! its own callers' and theirs who list it. None is held across an await.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

use chatkeep_domain::search::{SearchCandidate, SearchExpr};
use chatkeep_domain::{
    ChatMessage, ChatThread, Content, Entity, MessageId, MessageRevision, NewThread, OrgId, OwnerFilter,
    Position, Scope, StoreError, ThreadId, ThreadKey, Timestamp, UserId,
};

use crate::index::{Candidates, Index, Place};
use crate::listing::{LISTS, Listing, Places};

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

/// A thread with all that is in it.
pub(crate) struct Record {
    pub(crate) thread: ChatThread,
    /// By position.
    pub(crate) messages: Vec<ChatMessage>,
    ids: Ids,
    /// Of the messages that were edited.
    pub(crate) revisions: HashMap<MessageId, Vec<MessageRevision>>,
    pub(crate) places: Places,
    index: Option<Arc<Index>>,
    /// Set for those who found the thread just before it was deleted.
    pub(crate) deleted: bool,
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
                        return Err(StoreError::AlreadyExists {
                            entity: Entity::Thread,
                            id: new.id.to_string(),
                        });
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
        let slot = find(&self.threads.read().unwrap_or_else(PoisonError::into_inner), scope, id)?;
        let mut record = slot.lock();
        if record.deleted {
            return Err(StoreError::thread_not_found(id));
        }
        let before = record.thread.updated_at;
        let result = work(&mut record);
        if record.thread.updated_at != before {
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

    /// The threads that may hold a match, and where. `None`: anywhere.
    fn slots(
        &self,
        scope: &Scope,
        thread: Option<ThreadId>,
        expr: Option<&SearchExpr>,
    ) -> Vec<(Arc<Slot>, Option<Vec<Position>>)> {
        let threads = || self.threads.read().unwrap_or_else(PoisonError::into_inner);
        let indexes: Vec<_> = orgs(&threads(), scope.org_id()).map(|org| Arc::clone(&org.index)).collect();
        let candidates = |index: &Arc<Index>| expr.map_or(Candidates::Any, |expr| index.find(thread, expr));
        let found: Vec<_> = indexes.iter().map(candidates).collect();
        let mut slots = Vec::new();
        for (index, found) in indexes.iter().zip(found) {
            let threads = threads();
            let org = orgs(&threads, scope.org_id()).find(|org| Arc::ptr_eq(&org.index, index));
            let Some(org) = org else { continue };
            match found {
                Candidates::Any => slots.extend(org.slots(thread).map(|slot| (Arc::clone(slot), None))),
                Candidates::These(places) => {
                    let mut by_thread: BTreeMap<ThreadId, Vec<Position>> = BTreeMap::new();
                    for (thread, position) in places {
                        by_thread.entry(thread).or_default().push(position);
                    }
                    slots.extend(by_thread.into_iter().filter_map(|(thread, positions)| {
                        Some((Arc::clone(org.threads.get(&thread)?), Some(positions)))
                    }));
                }
            }
        }
        slots.retain(|(slot, _)| scope.contains(&slot.org_id, &slot.user_id));
        slots
    }

    /// Shows what may match, message by message, with its thread held.
    pub(crate) fn find(
        &self,
        scope: &Scope,
        thread: Option<ThreadId>,
        expr: Option<&SearchExpr>,
        mut each: impl FnMut(Finding, &ChatMessage),
    ) {
        for (slot, positions) in self.slots(scope, thread, expr) {
            let record = slot.lock();
            let mut show = |message: &ChatMessage| {
                let finding = Finding { slot: Arc::clone(&slot), position: message.position };
                each(finding, message);
            };
            match positions {
                None => record.messages.iter().for_each(&mut show),
                Some(positions) => {
                    positions.iter().filter_map(|position| record.at(*position)).for_each(&mut show);
                }
            }
        }
    }
}

impl Org {
    /// All threads, or this one.
    fn slots(&self, thread: Option<ThreadId>) -> impl Iterator<Item = &Arc<Slot>> {
        let (one, all) = match thread {
            Some(thread) => (self.threads.get(&thread), None),
            None => (None, Some(self.threads.values())),
        };
        one.into_iter().chain(all.into_iter().flatten())
    }
}

/// A message that was found, and may be gone since.
pub(crate) struct Finding {
    slot: Arc<Slot>,
    position: Position,
}

impl Finding {
    pub(crate) fn org_id(&self) -> &OrgId {
        &self.slot.org_id
    }

    pub(crate) fn read(&self) -> Option<SearchCandidate> {
        let record = self.slot.lock();
        let message = record.at(self.position)?.clone();
        Some(SearchCandidate {
            org_id: self.slot.org_id.clone(),
            thread_name: record.thread.name.clone(),
            message,
        })
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
            record: Mutex::new(Record {
                thread,
                messages: Vec::new(),
                ids: Ids::default(),
                revisions: HashMap::new(),
                places: [None; LISTS],
                index,
                deleted: false,
            }),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the lists that the thread left its place, except where that is noted already.
    fn note(self: &Arc<Self>, record: &mut Record) {
        for (listing, place) in self.listings.iter().zip(&mut record.places) {
            if let Some(updated_at) = place.take() {
                let left = ThreadKey { updated_at, id: record.thread.id, org_id: self.org_id.clone() };
                listing.upgrade().iter().for_each(|listing| listing.note(Some(left.clone()), self));
            }
        }
    }
}

impl Record {
    pub(crate) fn touch(&mut self, at: Timestamp) {
        self.thread.updated_at = self.thread.updated_at.max(at);
    }

    /// Makes messages that were stored findable.
    pub(crate) fn index<'a>(&self, contents: impl Iterator<Item = (Position, &'a Content)>) {
        if let Some(index) = &self.index {
            index.add(contents.map(|(position, content)| (self.place(position), content)));
        }
    }

    /// Makes a message findable by what it says now, and not by what it said before.
    pub(crate) fn reindex(&self, position: Position, before: &Content, after: &Content) {
        if let Some(index) = &self.index {
            index.replace(self.place(position), before, after);
        }
    }

    /// Makes messages that go not findable any more.
    pub(crate) fn unindex<'a>(&self, contents: impl Iterator<Item = (Position, &'a Content)>) {
        if let Some(index) = &self.index {
            index.remove(contents.map(|(position, content)| (self.place(position), content)));
        }
    }

    fn place(&self, position: Position) -> Place {
        (self.thread.id, position)
    }

    /// Removes all messages; gives their number.
    pub(crate) fn clear(&mut self) -> usize {
        let gone = std::mem::take(&mut self.messages);
        (self.ids, self.revisions) = (Ids::default(), HashMap::new());
        self.unindex(gone.iter().map(|message| (message.position, &message.content)));
        gone.len()
    }

    /// The message at a position.
    pub(crate) fn at(&self, position: Position) -> Option<&ChatMessage> {
        self.messages.get(self.messages.binary_search_by_key(&position, |message| message.position).ok()?)
    }

    /// Where a message is among the messages.
    pub(crate) fn known(&mut self, id: MessageId) -> Option<usize> {
        let position = self.ids.position(id, &self.messages)?;
        self.messages.binary_search_by_key(&position, |message| message.position).ok()
    }

    pub(crate) fn find(&mut self, id: MessageId) -> Result<usize, StoreError> {
        self.known(id).ok_or_else(|| StoreError::message_not_found(id))
    }

    /// Puts a message behind the others. Its id must be new.
    pub(crate) fn push(&mut self, message: ChatMessage) {
        self.ids.greatest = self.ids.greatest.max(Some(message.id));
        self.messages.push(message);
    }

    pub(crate) fn remove(&mut self, id: MessageId) -> Result<ChatMessage, StoreError> {
        let found = self.find(id)?;
        self.ids.positions.remove(&id);
        self.revisions.remove(&id);
        Ok(self.messages.remove(found))
    }
}

/// The positions of messages, by id. Most ids are UUIDv7, each greater than those before, and so known to be new without
/// a look: they are only taken in when somebody asks for one.
#[derive(Default)]
struct Ids {
    positions: HashMap<MessageId, Position>,
    /// Up to here they are taken in.
    read: Option<Position>,
    greatest: Option<MessageId>,
}

impl Ids {
    fn position(&mut self, id: MessageId, messages: &[ChatMessage]) -> Option<Position> {
        if Some(id) > self.greatest {
            return None;
        }
        let unread = messages.partition_point(|message| Some(message.position) <= self.read);
        self.positions.extend(messages[unread..].iter().map(|message| (message.id, message.position)));
        self.read = messages.last().map(|message| message.position);
        self.positions.get(&id).copied()
    }
}

#[cfg(test)]
mod tests;
