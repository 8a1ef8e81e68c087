//! How a call that has an answer can be freed for another result.

use std::collections::{BTreeMap, HashMap};

use crate::window::alike::{Alike, of_stretch};
use crate::window::call::{Call, CallNumber, Key, Turn};

/// How many steps are taken, and how many calls are looked at in each: whatever is stored, a search takes no long time.
const MAX_STEPS: usize = 16;
const MAX_CALLS: usize = 100;

/// What is searched.
pub(super) struct Ways<'a> {
    pub(super) calls: &'a BTreeMap<CallNumber, Call>,
    pub(super) alike: &'a HashMap<Key, Alike>,
}

/// A search for a call of this key.
struct Step {
    key: Key,
    /// The call must be before this place, that of the result that is to answer it. A message that answers and calls
    /// shows where it stands, so its results cannot go to later calls.
    before: usize,
    /// The step before, and the call of its key that is free once its answer goes to the call of this step.
    from: Option<(usize, Turn)>,
}

impl Ways<'_> {
    /// A call of this key that can be freed: behind it the others of the way, of the same stretch. The answer of each
    /// can go to the next. The last has no answer.
    pub(super) fn find(&self, key: &Key, stretch: usize) -> Option<Vec<Turn>> {
        let mut steps = vec![Step { key: key.clone(), before: usize::MAX, from: None }];
        let mut at = 0;
        while let Some(Step { key, before, .. }) = steps.get(at) {
            let alike = self.alike.get(key)?;
            let before = *before;
            let fits = |turn: &&Turn| self.call(**turn).is_some_and(|call| call.at < before);
            if let Some(open) = of_stretch(&alike.open, stretch).take(MAX_CALLS).find(fits) {
                return Some(way(&steps, at, *open));
            }
            for taken in of_stretch(&alike.taken, stretch).take(MAX_CALLS).filter(fits) {
                let next = self.step(at, *taken);
                let is_new = |next: &Step| {
                    steps.len() < MAX_STEPS
                        && steps.iter().all(|step| step.key != next.key || step.before < next.before)
                };
                steps.extend(next.filter(is_new));
            }
            at += 1;
        }
        None
    }

    fn step(&self, at: usize, taken: Turn) -> Option<Step> {
        let call = self.call(taken)?;
        Some(Step { key: call.by.clone()?, before: call.answer?, from: Some((at, taken)) })
    }

    fn call(&self, turn: Turn) -> Option<&Call> {
        self.calls.get(&turn.number.0)
    }
}

fn way(steps: &[Step], last: usize, open: Turn) -> Vec<Turn> {
    let mut way = vec![open];
    let mut from = steps.get(last).and_then(|step| step.from);
    while let Some((before, taken)) = from {
        way.push(taken);
        from = steps.get(before).and_then(|step| step.from);
    }
    way.reverse();
    way
}
