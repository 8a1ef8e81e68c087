//! What the text of a search asks for, as a tree.

use std::fmt;

use crate::search::document::SearchDocument;

/// What a message must have to be found, as a tree. A store renders the tree for its index. The enum is exhaustive on
/// purpose: a store must handle every variant, so a new variant must not go unnoticed where stores are compiled.
///
/// `Debug` shows the shape, not the words.
#[derive(Clone, PartialEq, Eq)]
pub enum SearchExpr {
    /// All of these. The list is never empty.
    All(Vec<Self>),
    /// At least one of these. An empty list finds nothing.
    Any(Vec<Self>),
    /// Not this. The grammar negates phrases alone: `-(a OR b)` becomes `-a -b`.
    Not(Box<Self>),
    /// These words, one directly behind the other.
    Phrase(SearchPhrase),
}

/// Words at consecutive positions; usually one.
#[derive(Clone, PartialEq, Eq)]
pub struct SearchPhrase {
    /// The words, at least one, as the analyzer makes them.
    pub words: Vec<String>,
    /// Whether the last word is only the beginning of one.
    pub is_prefix: bool,
}

impl SearchExpr {
    /// Whether no message can match.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Any(sides) if sides.is_empty())
    }

    /// Whether a message with these words matches.
    pub fn matches(&self, document: &SearchDocument) -> bool {
        match self {
            Self::All(sides) => sides.iter().all(|side| side.matches(document)),
            Self::Any(sides) => sides.iter().any(|side| side.matches(document)),
            Self::Not(side) => !side.matches(document),
            Self::Phrase(phrase) => !phrase.starts(document).is_empty(),
        }
    }

    /// Whether what it says depends on this word.
    pub(super) fn asks_of(&self, word: &str) -> bool {
        match self {
            Self::All(sides) | Self::Any(sides) => sides.iter().any(|side| side.asks_of(word)),
            Self::Not(side) => side.asks_of(word),
            Self::Phrase(phrase) => phrase.asks_of(word),
        }
    }

    /// Whether something is not wanted.
    pub(super) fn excludes(&self) -> bool {
        match self {
            Self::All(sides) | Self::Any(sides) => sides.iter().any(Self::excludes),
            Self::Not(_) => true,
            Self::Phrase(_) => false,
        }
    }

    /// The phrases that are wanted, in order.
    pub(super) fn wanted(&self) -> Vec<&SearchPhrase> {
        match self {
            Self::All(sides) | Self::Any(sides) => sides.iter().flat_map(Self::wanted).collect(),
            Self::Not(_) => Vec::new(),
            Self::Phrase(phrase) => vec![phrase],
        }
    }
}

impl SearchPhrase {
    fn asks_of(&self, word: &str) -> bool {
        let begins_so = |last: &String| self.is_prefix && word.starts_with(last.as_str());
        self.words.iter().any(|wanted| wanted == word) || self.words.last().is_some_and(begins_so)
    }

    /// The positions at which it begins, in order.
    pub(super) fn starts(&self, document: &SearchDocument) -> Vec<u16> {
        let Some((last, others)) = self.words.split_last() else { return Vec::new() };
        let mut ends: Vec<u16> = if self.is_prefix {
            document.with_prefix(last).flat_map(|(_, positions)| positions.iter().copied()).collect()
        } else {
            document.positions(last).to_vec()
        };
        if self.is_prefix {
            ends.sort_unstable();
        }
        let Ok(distance) = u16::try_from(others.len()) else { return Vec::new() };
        let mut starts: Vec<u16> = ends.into_iter().filter_map(|end| end.checked_sub(distance)).collect();
        for (offset, word) in (0u16..).zip(others) {
            let positions = document.positions(word);
            starts.retain(|start| positions.binary_search(&(start + offset)).is_ok());
        }
        starts
    }
}

impl fmt::Debug for SearchExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(sides) => f.debug_tuple("All").field(sides).finish(),
            Self::Any(sides) => f.debug_tuple("Any").field(sides).finish(),
            Self::Not(side) => f.debug_tuple("Not").field(side).finish(),
            Self::Phrase(phrase) => phrase.fmt(f),
        }
    }
}

impl fmt::Debug for SearchPhrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_prefix { "prefix" } else { "phrase" };
        write!(f, "{kind} of {} words", self.words.len())
    }
}
