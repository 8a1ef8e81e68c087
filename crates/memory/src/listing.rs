//! Threads in the order of a list.
//!
//! A write to a thread only notes that it moved; the next list puts it where it belongs. So writers never wait for a
//! list, and a thread that is written to a thousand times between two lists moves once.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chatkeep_domain::{ChatThread, OrgId, ThreadId, ThreadKey, Timestamp};

use crate::store::Slot;

/// The lists that a thread is in: its user's, its organization's, and that of all.
pub(crate) const LISTS: usize = 3;

/// Where a thread stands in each of its lists; `None` while it is only noted there.
pub(crate) type Places = [Option<Timestamp>; LISTS];

#[derive(Default)]
pub(crate) struct Listing {
    /// Oldest update first.
    threads: RwLock<BTreeMap<ThreadKey, Arc<Slot>>>,
    /// With the place that it left; each thread at most once.
    moved: Mutex<Vec<(Option<ThreadKey>, Arc<Slot>)>>,
}

impl Listing {
    /// Notes that a thread is new, was updated or is gone.
    pub(crate) fn note(&self, left: Option<ThreadKey>, slot: &Arc<Slot>) {
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        moved.push((left, Arc::clone(slot)));
    }

    /// Puts every noted thread where it belongs. `at` is which of a thread's lists this is.
    pub(crate) fn settle(&self, at: usize) {
        // If another call is just at it, the next reader waits for that one.
        if self.moved.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return;
        }
        let mut threads = self.threads.write().unwrap_or_else(PoisonError::into_inner);
        let moved = std::mem::take(&mut *self.moved.lock().unwrap_or_else(PoisonError::into_inner));
        for (left, slot) in moved {
            left.and_then(|left| threads.remove(&left));
            let mut record = slot.lock();
            if record.deleted {
                continue;
            }
            record.places[at] = Some(record.thread.updated_at);
            let place = ThreadKey::from(&record.thread);
            drop(record);
            threads.insert(place, slot);
        }
    }

    /// The first threads that match, behind a place, newest update first.
    pub(crate) fn first(
        &self,
        count: usize,
        behind: Option<&ThreadKey>,
        matches: impl Fn(&ChatThread) -> bool,
    ) -> Vec<ChatThread> {
        // One that was written to meanwhile has moved to the front.
        let is_behind = |thread: &ChatThread| {
            behind.is_none_or(|behind| key(thread) < (behind.updated_at, behind.id, &behind.org_id))
        };
        let threads = self.threads.read().unwrap_or_else(PoisonError::into_inner);
        let range = threads.range((Unbounded, behind.map_or(Unbounded, Excluded)));
        let matching = range.rev().filter_map(|(_, slot)| {
            let record = slot.lock();
            let thread = &record.thread;
            (!record.deleted && is_behind(thread) && matches(thread)).then(|| thread.clone())
        });
        let mut found = Vec::with_capacity(count.min(threads.len()));
        found.extend(matching.take(count));
        found.sort_by(|one, other| key(other).cmp(&key(one)));
        found
    }

    /// How many threads are in it, and how many are noted.
    #[cfg(test)]
    pub(crate) fn lens(&self) -> (usize, usize) {
        (self.threads.read().unwrap().len(), self.moved.lock().unwrap().len())
    }
}

/// [`ThreadKey`], borrowed.
fn key(thread: &ChatThread) -> (Timestamp, ThreadId, &OrgId) {
    (thread.updated_at, thread.id, &thread.org_id)
}
