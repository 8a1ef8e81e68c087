//! The words of an organization's messages.
//!
//! The index follows the writes: a write only notes its message, and the next search takes in what was noted.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::replace;
use std::ops::Bound::{Included, Unbounded};

use chatkeep_domain::search::{SearchDocument, SearchExpr};
use chatkeep_domain::{ChatMessage, Position, ThreadId};

/// A message in the index: where it is, and its number. A message gets another number when it is edited, so that no
/// number ever stands for other words.
pub(crate) type Place = (ThreadId, Position, u64);

#[derive(Default)]
pub(crate) struct Index {
    words: BTreeMap<Box<str>, BTreeSet<Place>>,
    /// What is to be taken in, by number. What is not any more has the position 0 until half of it is such.
    new: Vec<Place>,
    old: usize,
    next: u64,
    /// What is to be taken out, with what it said.
    gone: Vec<(Place, ChatMessage)>,
}

impl Index {
    /// Notes a message that is new or was edited, and gives its number.
    pub(crate) fn add(&mut self, thread: ThreadId, position: Position) -> u64 {
        let number = self.next;
        self.next += 1;
        self.new.push((thread, position, number));
        number
    }

    /// Notes that a number is none any more: its message is gone, or gets another one.
    pub(crate) fn remove(&mut self, number: u64, message: &ChatMessage) {
        if !self.take(number) {
            self.gone.push(((message.chat_thread_id, message.position, number), message.clone()));
        }
    }

    /// What is to be taken in, of all threads or of one.
    pub(crate) fn pending(&self) -> impl Iterator<Item = Place> {
        self.new.iter().copied().filter(|(_, position, _)| *position != Position::ZERO)
    }

    /// Some of what is to be taken out. It is given once.
    pub(crate) fn gone(&mut self, count: usize) -> Vec<(Place, ChatMessage)> {
        self.gone.split_off(self.gone.len().saturating_sub(count))
    }

    /// Takes in the words of a message, unless another search did that meanwhile, or it is gone.
    pub(crate) fn take_in(&mut self, place: Place, document: &SearchDocument) {
        if self.take(place.2) {
            for (word, _) in document.words() {
                match self.words.get_mut(word) {
                    Some(places) => drop(places.insert(place)),
                    None => drop(self.words.insert(word.into(), BTreeSet::from([place]))),
                }
            }
        }
    }

    /// Whether a number was to be taken in; it is not any more.
    fn take(&mut self, number: u64) -> bool {
        let Ok(at) = self.new.binary_search_by_key(&number, |(.., number)| *number) else { return false };
        let is_new = replace(&mut self.new[at].1, Position::ZERO) != Position::ZERO;
        self.old += usize::from(is_new);
        if self.old > self.new.len() / 2 {
            self.old = 0;
            self.new.retain(|(_, position, _)| *position != Position::ZERO);
        }
        is_new
    }

    /// Takes out the words of a message.
    pub(crate) fn take_out(&mut self, entry: Place, document: &SearchDocument) {
        for (word, _) in document.words() {
            if let Some(entries) = self.words.get_mut(word) {
                entries.remove(&entry);
                if entries.is_empty() {
                    self.words.remove(word);
                }
            }
        }
    }

    /// The messages that may match by their words, of all threads or of one. `None`: any message may match.
    pub(crate) fn find(&self, expr: &SearchExpr, thread: Option<ThreadId>) -> Option<BTreeSet<Place>> {
        let find = |side: &SearchExpr| self.find(side, thread);
        match expr {
            SearchExpr::All(sides) => sides.iter().filter_map(find).reduce(|one, other| &one & &other),
            SearchExpr::Any(sides) => {
                sides.iter().try_fold(BTreeSet::new(), |found, side| Some(&found | &find(side)?))
            }
            SearchExpr::Not(_) => None,
            SearchExpr::Phrase(phrase) => {
                let (last, others) = phrase.words.split_last()?;
                let last = self.find_word(last, phrase.is_prefix, thread);
                Some(others.iter().fold(last, |found, word| &found & &self.find_word(word, false, thread)))
            }
        }
    }

    fn find_word(&self, word: &str, is_prefix: bool, thread: Option<ThreadId>) -> BTreeSet<Place> {
        let words = self.words.range::<str, _>((Included(word), Unbounded));
        let words = words.take_while(|(of, _)| if is_prefix { of.starts_with(word) } else { ***of == *word });
        let first = thread.map_or(Unbounded, |thread| Included((thread, Position::ZERO, 0)));
        let entries = words.flat_map(|(_, entries)| {
            let entries = entries.range((first, Unbounded));
            entries.take_while(|(of, ..)| thread.is_none_or(|thread| thread == *of))
        });
        entries.copied().collect()
    }
}
