//! The words of an organization's messages, and where they are.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Included, Unbounded};
use std::sync::{PoisonError, RwLock};

use chatkeep_domain::search::{SearchDocument, SearchExpr, SearchPhrase};
use chatkeep_domain::{Content, Position, ThreadId};

/// Where a message is.
pub(crate) type Place = (ThreadId, Position);

/// An inverted index: the places of every word. A change is visible whole or not at all.
#[derive(Default)]
pub(crate) struct Index(RwLock<Words>);

type Words = BTreeMap<Box<str>, BTreeSet<Place>>;

/// What may match, by a word of it. [`SearchPlan`](chatkeep_domain::search::SearchPlan) has the last word.
pub(crate) enum Candidates {
    These(BTreeSet<Place>),
    Any,
}

impl Index {
    pub(crate) fn add<'a>(&self, contents: impl Iterator<Item = (Place, &'a Content)>) {
        let documents: Vec<_> =
            contents.map(|(place, content)| (place, SearchDocument::of(content))).collect();
        let mut words = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (place, document) in documents {
            add(&mut words, place, &document);
        }
    }

    pub(crate) fn remove<'a>(&self, contents: impl Iterator<Item = (Place, &'a Content)>) {
        let mut words = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (place, content) in contents {
            let document = SearchDocument::of(content);
            remove(&mut words, place, document.words().map(|(word, _)| word));
        }
    }

    /// Nobody misses in between what both contents have.
    pub(crate) fn replace(&self, place: Place, before: &Content, after: &Content) {
        let (before, after) = (SearchDocument::of(before), SearchDocument::of(after));
        let mut words = self.0.write().unwrap_or_else(PoisonError::into_inner);
        remove(&mut words, place, before.words().map(|(word, _)| word));
        add(&mut words, place, &after);
    }

    /// In all threads, or in this one.
    pub(crate) fn find(&self, thread: Option<ThreadId>, expr: &SearchExpr) -> Candidates {
        find(&self.0.read().unwrap_or_else(PoisonError::into_inner), thread, expr)
    }
}

fn add(words: &mut Words, place: Place, document: &SearchDocument) {
    for (word, _) in document.words() {
        match words.get_mut(word) {
            Some(places) => {
                places.insert(place);
            }
            None => {
                words.insert(word.into(), BTreeSet::from([place]));
            }
        }
    }
}

fn remove<'a>(words: &mut Words, place: Place, gone: impl Iterator<Item = &'a str>) {
    for word in gone {
        if let Some(places) = words.get_mut(word) {
            places.remove(&place);
            if places.is_empty() {
                words.remove(word);
            }
        }
    }
}

fn find(words: &Words, thread: Option<ThreadId>, expr: &SearchExpr) -> Candidates {
    match expr {
        SearchExpr::All(sides) => {
            sides.iter().fold(Candidates::Any, |found, side| found.and(find(words, thread, side)))
        }
        SearchExpr::Any(sides) => {
            let none = Candidates::These(BTreeSet::new());
            sides.iter().fold(none, |found, side| found.or(find(words, thread, side)))
        }
        SearchExpr::Not(_) => Candidates::Any,
        SearchExpr::Phrase(SearchPhrase { words: phrase, is_prefix }) => {
            let last = phrase.len().saturating_sub(1);
            phrase.iter().enumerate().fold(Candidates::Any, |found, (at, word)| {
                let places = if *is_prefix && at == last {
                    with_prefix(words, word).flat_map(|places| within(places, thread)).collect()
                } else {
                    words.get(word.as_str()).map(|places| within(places, thread)).unwrap_or_default()
                };
                found.and(Candidates::These(places))
            })
        }
    }
}

fn with_prefix<'a>(words: &'a Words, prefix: &'a str) -> impl Iterator<Item = &'a BTreeSet<Place>> {
    let from = words.range::<str, _>((Included(prefix), Unbounded));
    from.take_while(move |(word, _)| word.starts_with(prefix)).map(|(_, places)| places)
}

fn within(places: &BTreeSet<Place>, thread: Option<ThreadId>) -> BTreeSet<Place> {
    let Some(thread) = thread else { return places.clone() };
    places.range((thread, Position::ZERO)..).take_while(|(of, _)| *of == thread).copied().collect()
}

impl Candidates {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::These(one), Self::These(other)) => {
                Self::These(one.intersection(&other).copied().collect())
            }
            (Self::Any, these) | (these, Self::Any) => these,
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::These(mut one), Self::These(mut other)) => {
                one.append(&mut other);
                Self::These(one)
            }
            (Self::Any, _) | (_, Self::Any) => Self::Any,
        }
    }
}
