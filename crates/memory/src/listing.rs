//! Threads in the order of a list.
//!
//! A write to a thread only notes that it changed; the next list puts it where it belongs, as it is now. So writers never
//! wait for a list, a thread that is written to a thousand times between two lists moves once, and to show a list takes no
//! lock of any thread in it.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chatkeep_domain::{ChatThread, ThreadKey, Timestamp};

use crate::store::Slot;

/// The lists that a thread is in: its user's, its organization's, and that of all.
pub(crate) const LISTS: usize = 3;

/// Where a thread stands in each of its lists; `None` while it is only noted there.
pub(crate) type Places = [Option<Timestamp>; LISTS];

#[derive(Default)]
pub(crate) struct Listing {
    /// Oldest update first.
    threads: RwLock<BTreeMap<ThreadKey, Arc<ChatThread>>>,
    /// With the place that it leaves; each thread at most once.
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
            let thread = Arc::clone(&record.thread);
            drop(record);
            threads.insert(ThreadKey::from(&*thread), thread);
        }
    }

    /// The first threads that match, behind a place, newest update first.
    pub(crate) fn first(
        &self,
        count: usize,
        behind: Option<&ThreadKey>,
        matches: impl Fn(&ChatThread) -> bool,
    ) -> Vec<ChatThread> {
        let threads = self.threads.read().unwrap_or_else(PoisonError::into_inner);
        let range = threads.range((Unbounded, behind.map_or(Unbounded, Excluded)));
        let matching = range.rev().map(|(_, thread)| &**thread).filter(|thread| matches(thread));
        let mut found = Vec::with_capacity(count.min(threads.len()));
        found.extend(matching.take(count).cloned());
        found
    }

    /// How many threads are in it, and how many are noted.
    #[cfg(test)]
    pub(crate) fn lens(&self) -> (usize, usize) {
        (self.threads.read().unwrap().len(), self.moved.lock().unwrap().len())
    }
}
