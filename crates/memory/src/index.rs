//! The words of an organization's messages.
//!
//! The index follows the writes: a write only notes its message, and the next search takes in what was noted.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem::replace;
use std::ops::Bound::{Included, Unbounded};

use chatkeep_domain::search::{SearchDocument, SearchExpr};
use chatkeep_domain::{Position, ThreadId};

/// A message in the index: where it is, and its number. A message gets another number when it is edited, so that no
/// number ever stands for other words.
pub(crate) type Place = (ThreadId, Position, u64);

/// In which threads a word was said, and where there, without an order: vectors are quick to add to.
type Said = BTreeMap<ThreadId, Vec<(Position, u64)>>;

#[derive(Default)]
pub(crate) struct Index {
    words: BTreeMap<Box<str>, Said>,
    /// What is to be taken in, by number.
    pending: VecDeque<Place>,
    /// What could not be opened to be taken in: it may match any search.
    sealed: BTreeSet<Place>,
    next: u64,
    /// The first number since the index was begun anew, and how many since then stand for nothing any more.
    first: u64,
    stale: u64,
}

impl Index {
    /// Notes a message that is new or was edited, and gives its number.
    pub(crate) fn add(&mut self, thread: ThreadId, position: Position) -> u64 {
        let number = self.next;
        self.next += 1;
        self.pending.push_back((thread, position, number));
        number
    }

    /// Notes that some numbers are none any more. Their words stay until the index is begun anew: who finds one of them
    /// sees that no message has that number.
    pub(crate) fn forget(&mut self, count: usize) {
        self.stale += count as u64;
    }

    /// Whether a search has something to do before it looks.
    pub(crate) fn is_behind(&self) -> bool {
        !self.pending.is_empty() || self.is_mostly_stale()
    }

    /// So that each message is taken in twice at the most for each that went.
    fn is_mostly_stale(&self) -> bool {
        self.stale > (self.next - self.first) / 2
    }

    /// Begins anew if most of the index stands for nothing, and gives the old one, which may take long to drop. Then all
    /// messages are to be added again.
    pub(crate) fn renew(&mut self) -> Option<Self> {
        let new = Self { next: self.next, first: self.next, ..Self::default() };
        self.is_mostly_stale().then(|| replace(self, new))
    }

    /// The number that the next message gets.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// What is to be taken in, by number.
    pub(crate) fn pending(&self) -> impl Iterator<Item = Place> {
        self.pending.iter().copied()
    }

    /// What no word finds yet.
    pub(crate) fn without_words(&self) -> impl Iterator<Item = Place> {
        self.sealed.iter().copied().chain(self.pending())
    }

    /// Takes in the words of pending messages, from the first one on. It does not matter if two searches do so at once.
    pub(crate) fn take_in(&mut self, taken: &[(Place, Option<SearchDocument>)]) {
        for (place @ (thread, position, number), document) in taken {
            let Some(document) = document else {
                self.sealed.insert(*place);
                continue;
            };
            for (word, _) in document.words() {
                let said = match self.words.get_mut(word) {
                    Some(threads) => threads,
                    None => self.words.entry(word.into()).or_default(),
                };
                said.entry(*thread).or_default().push((*position, *number));
            }
        }
        let last = taken.iter().map(|((.., number), _)| *number).max();
        let count = self.pending.partition_point(|(.., number)| Some(*number) <= last);
        self.pending.drain(..count);
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
        let range = thread.map_or((Unbounded, Unbounded), |thread| (Included(thread), Included(thread)));
        let threads = words.flat_map(|(_, threads)| threads.range(range));
        let places = threads.flat_map(|(thread, places)| {
            places.iter().map(|(position, number)| (*thread, *position, *number))
        });
        places.collect()
    }
}
