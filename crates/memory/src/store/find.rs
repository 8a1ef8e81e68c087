//! Where a search looks.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use chatkeep_domain::search::{SearchCandidate, SearchExpr};
use chatkeep_domain::{ChatMessage, OrgId, Position, Scope, ThreadId};

use super::{Org, Slot, Store, orgs};
use crate::index::{Candidates, Index};

impl Store {
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
        Some(SearchCandidate::new(self.slot.org_id.clone(), record.thread.name.clone(), message))
    }
}
