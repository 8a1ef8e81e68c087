//! The answers to appends that are written together.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chatkeep_domain::{Again, Appended, StoreError, ThreadId};

use super::batch::Batch;
use crate::error::STORE;

pub(super) type Answer = Result<Appended, StoreError>;

/// The answers so far, by the appends' places in the call.
pub(super) struct Answers {
    given: BTreeMap<usize, Answer>,
    /// Threads with the place of the first append that was answered by `Unavailable`: behind it none is tried.
    unavailable: HashMap<ThreadId, usize>,
}

impl Answers {
    pub(super) fn new() -> Self {
        Self { given: BTreeMap::new(), unavailable: HashMap::new() }
    }

    pub(super) fn add(&mut self, place: usize, thread: ThreadId, answer: Answer) {
        if matches!(answer, Err(StoreError::Unavailable { .. })) {
            self.unavailable.entry(thread).and_modify(|first| *first = place.min(*first)).or_insert(place);
        }
        self.given.insert(place, answer);
    }

    /// Adds the `Unavailable` that the statement of several appends got. Each append's error has it as its source.
    pub(super) fn add_shared(&mut self, group: &[(usize, Batch)], error: StoreError) {
        let again = if error.is_transient() { Again::Soon } else { Again::No };
        let (outcome, error) = (error.outcome(), Arc::new(error));
        for (place, batch) in group {
            let reason = "the statement of several appends failed";
            let error = StoreError::unavailable(STORE, outcome, again, reason, Arc::clone(&error));
            self.add(*place, batch.target.id, Err(error));
        }
    }

    /// Whether an append is to be tried. It is answered if not.
    pub(super) fn admits(&mut self, place: usize, thread: ThreadId) -> bool {
        let is_behind = self.unavailable.get(&thread).is_some_and(|first| *first < place);
        if is_behind {
            self.given.insert(place, Err(StoreError::not_tried(STORE)));
        }
        !is_behind
    }

    pub(super) fn into_vec(self) -> Vec<Answer> {
        self.given.into_values().collect()
    }
}
