//! The words of an organization's messages.
//!
//! The index follows the writes: a write only notes its message, and the next search takes in what was noted.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Included, Unbounded};
use std::sync::Arc;

use chatkeep_domain::search::{SearchDocument, SearchExpr};
use chatkeep_domain::{Position, ThreadId};

/// Where a message is, or was.
pub(crate) type Place = (ThreadId, Position);

#[derive(Default)]
pub(crate) struct Index {
    /// Where each word is.
    words: BTreeMap<Arc<str>, BTreeSet<Place>>,
    /// Which words are at each place.
    known: BTreeMap<Place, Vec<Arc<str>>>,
    /// Where there may be other words by now.
    pending: BTreeSet<Place>,
}

impl Index {
    /// Notes that a message is new or was changed.
    pub(crate) fn note(&mut self, place: Place) {
        self.pending.insert(place);
    }

    /// Notes that a message is gone.
    pub(crate) fn forget(&mut self, place: Place) {
        if self.known.contains_key(&place) {
            self.pending.insert(place);
        } else {
            self.pending.remove(&place);
        }
    }

    /// The places that were noted, of all threads or of one.
    pub(crate) fn pending(&self, thread: Option<ThreadId>) -> BTreeSet<Place> {
        within(&self.pending, thread).collect()
    }

    /// Takes in what is at a place now.
    pub(crate) fn take_in(&mut self, place: Place, document: &SearchDocument) {
        self.pending.remove(&place);
        for word in self.known.remove(&place).unwrap_or_default() {
            if let Some(places) = self.words.get_mut(&word) {
                places.remove(&place);
                if places.is_empty() {
                    self.words.remove(&word);
                }
            }
        }
        let add = |(word, _): (&str, _)| {
            let places = self.words.entry(word.into());
            let word = Arc::clone(places.key());
            places.or_default().insert(place);
            word
        };
        let known: Vec<_> = document.words().map(add).collect();
        if !known.is_empty() {
            self.known.insert(place, known);
        }
    }

    /// The places of the messages that may match by what was taken in, of all threads or of one. `None`: any may match.
    pub(crate) fn find(&self, expr: &SearchExpr, thread: Option<ThreadId>) -> Option<BTreeSet<Place>> {
        let find = |side: &SearchExpr| self.find(side, thread);
        match expr {
            SearchExpr::All(sides) => sides.iter().filter_map(find).reduce(|one, other| &one & &other),
            SearchExpr::Any(sides) => {
                sides.iter().try_fold(BTreeSet::new(), |all, side| Some(&all | &find(side)?))
            }
            SearchExpr::Not(_) => None,
            SearchExpr::Phrase(phrase) => {
                let (last, others) = phrase.words.split_last()?;
                let last = self.places(last, phrase.is_prefix, thread);
                Some(others.iter().fold(last, |found, word| &found & &self.places(word, false, thread)))
            }
        }
    }

    fn places(&self, word: &str, is_prefix: bool, thread: Option<ThreadId>) -> BTreeSet<Place> {
        let words = self
            .words
            .range::<str, _>((Included(word), Unbounded))
            .take_while(|(of, _)| if is_prefix { of.starts_with(word) } else { ***of == *word });
        words.flat_map(|(_, places)| within(places, thread)).collect()
    }
}

/// All places, or those in one thread.
fn within(places: &BTreeSet<Place>, thread: Option<ThreadId>) -> impl Iterator<Item = Place> {
    let first = thread.map_or(Unbounded, |thread| Included((thread, Position::ZERO)));
    let places = places.range((first, Unbounded)).copied();
    places.take_while(move |(of, _)| thread.is_none_or(|thread| thread == *of))
}
