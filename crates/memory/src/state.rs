//! All that is kept.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem::take;
use std::ops::Bound::{Excluded, Unbounded};

use chatkeep_domain::search::{SearchCandidate, SearchDocument, SearchExpr, SearchKey};
use chatkeep_domain::{
    BranchId, ChatMessage, ChatThread, Entity, Fork, ForkPoint, NewThread, OrgId, OwnerFilter, Path, Scope,
    StoreError, ThreadId, ThreadKey, Timestamp,
};

use crate::index::{Index, Place};
use crate::record::{Record, Result, Stored};

/// The threads of each owner that can be asked for, oldest update first.
type Lists = HashMap<OwnerFilter, BTreeSet<ThreadKey>>;

#[derive(Default)]
pub(crate) struct State {
    orgs: HashMap<OrgId, Org>,
    lists: Lists,
    /// The threads that are not where they belong in the lists. A write only notes its thread; the next list moves it.
    moved: HashSet<(OrgId, ThreadId)>,
}

#[derive(Default)]
pub(crate) struct Org {
    pub(crate) threads: HashMap<ThreadId, Record>,
    /// Tenants share no words. `None` where nobody can search.
    pub(crate) index: Option<Index>,
}

impl State {
    pub(crate) fn create(&mut self, new: NewThread, is_searched: bool) -> Result<ChatThread> {
        let org = self.orgs.entry(new.org_id.clone()).or_default();
        if is_searched {
            org.index.get_or_insert_default();
        }
        match org.threads.entry(new.id) {
            Entry::Occupied(entry) => new.held(entry.get().thread.clone()),
            Entry::Vacant(entry) => {
                let thread = &entry.insert(Record::new(new.into_thread())).thread;
                put(&mut self.lists, thread, thread.updated_at, true);
                Ok(thread.clone())
            }
        }
    }

    /// The fork that a call made that comes again.
    pub(crate) fn find_fork(&self, origin: ThreadId, fork: &Fork) -> Result<Option<ChatThread>> {
        let org = self.orgs.get(&fork.new.org_id);
        let Some(record) = org.and_then(|org| org.threads.get(&fork.new.id)) else { return Ok(None) };
        if record.thread.forked_from != Some(ForkPoint::new(origin, fork.from)) {
            return Err(StoreError::already_exists(Entity::Thread, fork.new.id));
        }
        fork.new.held(record.thread.clone()).map(Some)
    }

    /// Puts in a thread that has messages.
    pub(crate) fn insert(&mut self, mut record: Record, is_searched: bool) -> ChatThread {
        let thread = record.thread.clone();
        let org = self.orgs.entry(thread.org_id.clone()).or_default();
        if is_searched {
            let index = org.index.get_or_insert_default();
            for stored in record.all_mut() {
                stored.number = index.add(thread.id, stored.message.position);
            }
        }
        org.threads.insert(thread.id, record);
        put(&mut self.lists, &thread, thread.updated_at, true);
        thread
    }

    /// The organization of the thread that the operator means by an id.
    pub(crate) fn holder(&self, id: ThreadId) -> Result<&OrgId> {
        let mut orgs = self.orgs.iter().filter(|(_, org)| org.threads.contains_key(&id));
        match (orgs.next(), orgs.next()) {
            (Some((org, _)), None) => Ok(org),
            (None, _) => Err(StoreError::thread_not_found(id)),
            (Some(_), Some(_)) => Err(StoreError::ambiguous_thread_id()),
        }
    }

    pub(crate) fn get(&self, scope: &Scope, org: &OrgId, id: ThreadId) -> Result<&Record> {
        let record = self.orgs.get(org).and_then(|org| org.threads.get(&id));
        record.filter(|record| record.is_in(scope)).ok_or_else(|| StoreError::thread_not_found(id))
    }

    /// Changes a thread. The index is that of its organization.
    pub(crate) fn change<T>(
        &mut self,
        scope: &Scope,
        org: &OrgId,
        id: ThreadId,
        work: impl FnOnce(&mut Record, &mut Option<Index>) -> Result<T>,
    ) -> Result<T> {
        let absent = || StoreError::thread_not_found(id);
        let Org { threads, index } = self.orgs.get_mut(org).ok_or_else(absent)?;
        let record = threads.get_mut(&id).filter(|record| record.is_in(scope)).ok_or_else(absent)?;
        let is_listed = record.thread.updated_at == record.listed_at;
        let result = work(record, index)?;
        if is_listed && record.thread.updated_at != record.listed_at {
            self.moved.insert((org.clone(), id));
        }
        Ok(result)
    }

    /// Takes out a thread whose messages are gone. Its organization stays, so that no number of its index comes back.
    pub(crate) fn remove(&mut self, org_id: &OrgId, id: ThreadId) {
        let Some(org) = self.orgs.get_mut(org_id) else { return };
        if let Some(Record { thread, listed_at, .. }) = org.threads.remove(&id) {
            put(&mut self.lists, &thread, listed_at, false);
            self.moved.remove(&(thread.org_id, id));
        }
    }

    /// The threads of an owner behind a place, newest update first.
    pub(crate) fn list(
        &mut self,
        owner: &OwnerFilter,
        behind: Option<&ThreadKey>,
    ) -> impl Iterator<Item = &Record> {
        for (org, id) in take(&mut self.moved) {
            if let Some(record) = self.orgs.get_mut(&org).and_then(|org| org.threads.get_mut(&id)) {
                put(&mut self.lists, &record.thread, record.listed_at, false);
                record.listed_at = record.thread.updated_at;
                put(&mut self.lists, &record.thread, record.listed_at, true);
            }
        }
        let range = (Unbounded, behind.map_or(Unbounded, Excluded));
        let keys = self.lists.get(owner).into_iter().flat_map(move |list| list.range(range).rev());
        keys.filter_map(|key| self.orgs.get(&key.org_id)?.threads.get(&key.id))
    }

    /// The organizations that a scope searches.
    pub(crate) fn orgs(&self, scope: &Scope) -> impl Iterator<Item = (&OrgId, &Org)> {
        let one = scope.org_id().and_then(|org| self.orgs.get_key_value(org));
        let all = scope.org_id().is_none().then_some(&self.orgs);
        one.into_iter().chain(all.into_iter().flatten())
    }

    /// The messages that may match.
    pub(crate) fn candidates(
        &self,
        scope: &Scope,
        thread: Option<ThreadId>,
        expr: Option<&SearchExpr>,
    ) -> Vec<(&OrgId, &Stored)> {
        let mut found = Vec::new();
        for (id, org) in self.orgs(scope) {
            let index = expr.zip(org.index.as_ref());
            let indexed = index.and_then(|(expr, index)| Some((index, index.find(expr, thread)?)));
            if let Some((index, entries)) = indexed {
                let new = index.without_words().filter(|(of, ..)| thread.is_none_or(|thread| thread == *of));
                let entries = entries.into_iter().chain(new);
                let there =
                    entries.filter_map(|entry| org.at(entry)).filter(|(record, _)| record.is_in(scope));
                found.extend(there.map(|(_, stored)| (id, stored)));
            } else {
                let one = thread.and_then(|thread| org.threads.get(&thread));
                let all = thread.is_none().then(|| org.threads.values()).into_iter().flatten();
                let seen = one.into_iter().chain(all).filter(|record| record.is_in(scope));
                found.extend(seen.flat_map(Record::all).map(|stored| (id, stored)));
            }
        }
        found
    }

    /// Which messages a branch shows, in whichever organization its thread is.
    pub(crate) fn path(&self, scope: &Scope, thread: ThreadId, branch: BranchId) -> Option<&Path> {
        let mut records = self.orgs(scope).filter_map(|(_, org)| org.threads.get(&thread));
        let record = records.find(|record| record.is_in(scope))?;
        Some(&record.lines.get(&branch)?.branch.path)
    }

    /// The message at a place, as a search reads it.
    pub(crate) fn candidate(&self, scope: &Scope, key: SearchKey) -> Option<SearchCandidate> {
        let record = self.get(scope, &key.org_id, key.thread).ok()?;
        let message = record.at(key.position)?.message.clone();
        Some(SearchCandidate::new(key.org_id, record.thread.name.clone(), message))
    }

    /// The organizations whose index a search has to bring up to date first.
    pub(crate) fn behind(&self, scope: &Scope) -> Vec<OrgId> {
        let behind = self.orgs(scope).filter(|(_, org)| org.index.as_ref().is_some_and(Index::is_behind));
        behind.map(|(id, _)| id.clone()).collect()
    }

    /// Begins an index anew if that is due; gives the old one, to be dropped when the lock is free, and the number up to
    /// which messages are to be taken in.
    pub(crate) fn renew(&mut self, org: &OrgId) -> Option<(Option<Index>, u64)> {
        let Org { threads, index } = self.orgs.get_mut(org)?;
        let index = index.as_mut()?;
        let old = index.renew();
        if old.is_some() {
            for stored in threads.values_mut().flat_map(Record::all_mut) {
                stored.number = index.add(stored.message.chat_thread_id, stored.message.position);
            }
        }
        Some((old, index.next()))
    }

    /// The first of what is to be taken in, with the messages that are still there.
    pub(crate) fn pending(&self, org: &OrgId, until: u64, count: usize) -> Vec<(Place, Option<ChatMessage>)> {
        let org = self.orgs.get(org).and_then(|org| Some((org, org.index.as_ref()?)));
        let places = org.into_iter().flat_map(|(org, index)| index.pending().map(move |place| (org, place)));
        let places = places.take(count).take_while(|(_, (.., number))| *number < until);
        places.map(|(org, place)| (place, org.at(place).map(|(_, stored)| stored.message.clone()))).collect()
    }

    pub(crate) fn take_in(&mut self, org: &OrgId, taken: &[(Place, Option<SearchDocument>)]) {
        if let Some(index) = self.orgs.get_mut(org).and_then(|org| org.index.as_mut()) {
            index.take_in(taken);
        }
    }
}

impl Org {
    /// The message that an entry stands for, if it still does.
    fn at(&self, (thread, position, number): Place) -> Option<(&Record, &Stored)> {
        let record = self.threads.get(&thread)?;
        Some((record, record.at(position).filter(|stored| stored.number == number)?))
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
