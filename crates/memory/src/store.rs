//! What is kept, and its locks.
//!
//! There are three: the map's, held to find or place a thread; each thread's own; and that of each organization's index.
//! Who holds a thread's may take one of the others; who holds one of those takes none. So a busy thread is in nobody's
//! way but its own callers'. None is held across an await.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use chatkeep_domain::search::{SearchCandidate, SearchExpr};
use chatkeep_domain::{
    ChatMessage, ChatThread, Content, Entity, MessageId, MessageRevision, NewThread, OrgId, OwnerFilter,
    Position, Scope, StoreError, ThreadId, Timestamp, UserId,
};

use crate::index::{Candidates, Index, Place};

type Threads = HashMap<OrgId, Org>;

pub(crate) struct Store {
    threads: RwLock<Threads>,
    is_indexed: bool,
}

#[derive(Default)]
struct Org {
    threads: HashMap<ThreadId, Arc<Slot>>,
    index: Arc<Index>,
}

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
    index: Option<Arc<Index>>,
    /// Set for those who found the thread just before it was deleted.
    deleted: bool,
}

pub(crate) struct Stored {
    pub(crate) message: ChatMessage,
    pub(crate) revisions: Vec<MessageRevision>,
}

impl Store {
    pub(crate) fn new(is_indexed: bool) -> Self {
        Self { threads: RwLock::default(), is_indexed }
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
                        let index = self.is_indexed.then(|| Arc::clone(&org.index));
                        entry.insert(Arc::new(Slot::new(thread.clone(), index)));
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
        work(&mut record)
    }

    /// Gives the number of messages.
    pub(crate) fn delete(&self, scope: &Scope, id: ThreadId) -> Result<usize, StoreError> {
        let slot = find(&self.threads.read().unwrap_or_else(PoisonError::into_inner), scope, id)?;
        let mut record = slot.lock();
        if record.deleted {
            return Err(StoreError::thread_not_found(id));
        }
        record.deleted = true;
        // Before the id is free: the places of the next thread of this id are the same ones.
        let messages = record.clear();
        let mut threads = self.threads.write().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut org) = threads.entry(slot.org_id.clone()) {
            org.get_mut().threads.remove(&id);
            if org.get().threads.is_empty() {
                org.remove();
            }
        }
        Ok(messages)
    }

    pub(crate) fn threads(&self, owner: &OwnerFilter) -> Vec<ChatThread> {
        let slots: Vec<_> = {
            let threads = self.threads.read().unwrap_or_else(PoisonError::into_inner);
            orgs(&threads, owner.org_id.as_ref())
                .flat_map(|org| org.threads.values())
                .filter(|slot| owner.matches(&slot.org_id, &slot.user_id))
                .cloned()
                .collect()
        };
        let records = slots.iter().map(|slot| slot.lock());
        records.filter(|record| !record.deleted).map(|record| record.thread.clone()).collect()
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
            let mut show = |stored: &Stored| {
                let finding = Finding { slot: Arc::clone(&slot), position: stored.message.position };
                each(finding, &stored.message);
            };
            match positions {
                None => record.messages.values().for_each(&mut show),
                Some(positions) => {
                    positions.iter().filter_map(|position| record.messages.get(position)).for_each(&mut show);
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
        let stored = record.messages.get(&self.position)?;
        Some(SearchCandidate {
            org_id: self.slot.org_id.clone(),
            thread_name: record.thread.name.clone(),
            message: stored.message.clone(),
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
    fn new(thread: ChatThread, index: Option<Arc<Index>>) -> Self {
        Self {
            org_id: thread.org_id.clone(),
            user_id: thread.user_id.clone(),
            record: Mutex::new(Record {
                thread,
                messages: BTreeMap::new(),
                positions: HashMap::new(),
                index,
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
        self.positions.clear();
        self.unindex(gone.iter().map(|(position, stored)| (*position, &stored.message.content)));
        gone.len()
    }

    pub(crate) fn message(&mut self, id: MessageId) -> Result<&mut Stored, StoreError> {
        let position = self.positions.get(&id);
        position
            .and_then(|position| self.messages.get_mut(position))
            .ok_or_else(|| StoreError::message_not_found(id))
    }
}

#[cfg(test)]
mod tests;
