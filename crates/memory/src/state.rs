//! All that is kept.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound::{Excluded, Unbounded};

use chatkeep_domain::{
    ChatMessage, ChatThread, Entity, NewThread, OrgId, OwnerFilter, Scope, StoreError, ThreadId, ThreadKey,
    Timestamp,
};

use crate::index::{Index, Place};
use crate::record::{Key, Record, Result};

/// The threads of each owner that can be asked for, oldest update first.
type Lists = HashMap<OwnerFilter, BTreeSet<ThreadKey>>;

#[derive(Default)]
pub(crate) struct State {
    orgs: HashMap<OrgId, Org>,
    lists: Lists,
    /// Where the lists have the threads that moved since. A write only notes its thread; the next list moves it.
    moved: HashMap<Key, Timestamp>,
    pub(crate) without_search: bool,
}

#[derive(Default)]
pub(crate) struct Org {
    pub(crate) threads: HashMap<ThreadId, Record>,
    /// Tenants share no words. `None` where nobody can search.
    pub(crate) index: Option<Index>,
}

impl State {
    pub(crate) fn create(&mut self, new: NewThread) -> Result<ChatThread> {
        let (key, user) = ((new.org_id.clone(), new.id), new.user_id.clone());
        let index = (!self.without_search).then(Index::default);
        let org = self.orgs.entry(key.0.clone()).or_insert_with(|| Org { threads: HashMap::new(), index });
        let record = org.threads.entry(new.id).or_insert_with(|| Record::new(new.into_thread()));
        if record.thread.user_id != user {
            return Err(StoreError::already_exists(Entity::Thread, key.1));
        }
        self.moved.entry(key).or_insert(record.thread.updated_at);
        Ok(record.thread.clone())
    }

    /// The organization of the thread that the operator means by an id.
    pub(crate) fn org_with(&self, id: ThreadId) -> Result<OrgId> {
        let mut orgs = self.orgs.iter().filter(|(_, org)| org.threads.contains_key(&id));
        match (orgs.next(), orgs.next()) {
            (Some((org, _)), None) => Ok(org.clone()),
            (None, _) => Err(StoreError::thread_not_found(id)),
            (Some(_), Some(_)) => Err(StoreError::ambiguous_thread_id()),
        }
    }

    pub(crate) fn get(&self, scope: &Scope, (org, id): &Key) -> Result<&Record> {
        let record = self.orgs.get(org).and_then(|org| org.threads.get(id));
        record.filter(|record| record.is_in(scope)).ok_or_else(|| StoreError::thread_not_found(*id))
    }

    /// Changes a thread. The index is that of its organization.
    pub(crate) fn change<T>(
        &mut self,
        scope: &Scope,
        key: &Key,
        work: impl FnOnce(&mut Record, &mut Option<Index>) -> Result<T>,
    ) -> Result<T> {
        let absent = || StoreError::thread_not_found(key.1);
        let Org { threads, index } = self.orgs.get_mut(&key.0).ok_or_else(absent)?;
        let record = threads.get_mut(&key.1).filter(|record| record.is_in(scope)).ok_or_else(absent)?;
        let before = record.thread.updated_at;
        let result = work(record, index)?;
        if before != record.thread.updated_at {
            self.moved.entry(key.clone()).or_insert(before);
        }
        Ok(result)
    }

    /// Takes out a thread whose messages are gone.
    pub(crate) fn remove(&mut self, key: &Key) {
        self.sort_lists();
        let Some(org) = self.orgs.get_mut(&key.0) else { return };
        if let Some(Record { thread, .. }) = org.threads.remove(&key.1) {
            put(&mut self.lists, &thread, thread.updated_at, false);
        }
        if org.threads.is_empty() {
            self.orgs.remove(&key.0);
        }
    }

    /// The threads of an owner behind a place, newest update first, as the lists were sorted last.
    pub(crate) fn list(
        &self,
        owner: &OwnerFilter,
        behind: Option<&ThreadKey>,
    ) -> impl Iterator<Item = &ChatThread> {
        let range = (Unbounded, behind.map_or(Unbounded, Excluded));
        let keys = self.lists.get(owner).into_iter().flat_map(move |list| list.range(range).rev());
        keys.filter_map(|key| Some(&self.orgs.get(&key.org_id)?.threads.get(&key.id)?.thread))
    }

    pub(crate) fn sort_lists(&mut self) {
        for ((org, id), place) in std::mem::take(&mut self.moved) {
            if let Some(Record { thread, .. }) = self.orgs.get(&org).and_then(|org| org.threads.get(&id)) {
                put(&mut self.lists, thread, place, false);
                put(&mut self.lists, thread, thread.updated_at, true);
            }
        }
    }

    /// The organizations that a scope sees.
    pub(crate) fn orgs(&self, scope: &Scope) -> Vec<OrgId> {
        scope.org_id().map_or_else(|| self.orgs.keys().cloned().collect(), |org| vec![org.clone()])
    }

    pub(crate) fn org(&mut self, id: &OrgId) -> Option<&mut Org> {
        self.orgs.get_mut(id)
    }
}

impl Org {
    pub(crate) fn at(&self, (thread, position): Place) -> Option<&ChatMessage> {
        Some(&self.threads.get(&thread)?.messages.get(&position)?.message)
    }

    /// The places of all messages, of all threads or of one.
    pub(crate) fn places(&self, thread: Option<ThreadId>) -> BTreeSet<Place> {
        let records = self.threads.iter().filter(|(id, _)| thread.is_none_or(|thread| thread == **id));
        records.flat_map(|(id, record)| record.messages.keys().map(|position| (*id, *position))).collect()
    }
}

/// Puts a thread into its lists, at a place, or takes it out.
fn put(lists: &mut Lists, thread: &ChatThread, place: Timestamp, is_in: bool) {
    let (org, user) = (Some(&thread.org_id), Some(&thread.user_id));
    for (org, user) in [(None, None), (org, None), (None, user), (org, user)] {
        let owner = Scope::operator().narrow(org, user).unwrap_or_default();
        let key = ThreadKey::new(place, thread.id, thread.org_id.clone());
        let list = lists.entry(owner.clone()).or_default();
        if is_in {
            list.insert(key)
        } else {
            list.remove(&key)
        };
        if list.is_empty() {
            lists.remove(&owner);
        }
    }
}
