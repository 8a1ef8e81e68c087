//! Where the wanted phrases are in the texts of a message.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use super::super::analyzer::for_each_token;
use super::super::document::{MAX_POSITION, MAX_POSITIONS_PER_WORD};
use super::super::{SearchExpr, SearchPhrase};

/// How many matches are looked at; enough to choose a good place among them.
const MAX_MATCHES: usize = 1_000;

/// One phrase, found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    /// Which of the phrases.
    pub(super) phrase: usize,
    /// From its first word to its last, in bytes of the text.
    pub(super) range: Range<usize>,
}

/// Finds phrases in one pass over the words of the texts, which are given one after the other.
///
/// Every word of every phrase is a step. A word of the text takes a step where the word before it took the step before.
pub(super) struct Finder<'a> {
    steps: Vec<Step>,
    /// The first bytes of the words that take steps: most words of a text are not looked up.
    initials: [bool; 256],
    /// The steps that a word takes, the last first: a step is to see the one before it as the word before left it.
    by_word: HashMap<&'a str, Vec<usize>>,
    /// The last steps of phrases that end with a prefix, and how long such prefixes are, each length once.
    by_prefix: HashMap<&'a str, Vec<usize>>,
    prefix_lens: Vec<usize>,
    /// How often each word was there that takes a step.
    counts: HashMap<Box<str>, u16>,
    position: u32,
    found: usize,
}

#[derive(Default)]
struct Step {
    phrase: usize,
    is_first: bool,
    is_last: bool,
    /// The position at which it was taken last, and where its phrase began.
    taken: Option<u32>,
    start: usize,
}

impl<'a> Finder<'a> {
    pub(super) fn new(expr: &'a SearchExpr) -> Self {
        let mut phrases = expr.wanted();
        let key = |phrase: &&'a SearchPhrase| (&phrase.words, phrase.is_prefix);
        phrases.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        phrases.dedup();
        let mut finder = Self {
            steps: Vec::new(),
            initials: [false; 256],
            by_word: HashMap::new(),
            by_prefix: HashMap::new(),
            prefix_lens: Vec::new(),
            counts: HashMap::new(),
            position: 0,
            found: 0,
        };
        for (number, phrase) in phrases.into_iter().enumerate() {
            for (i, word) in phrase.words.iter().enumerate() {
                let is_last = i + 1 == phrase.words.len();
                let step = finder.steps.len();
                finder.initials[initial(word)] = true;
                finder.steps.push(Step { phrase: number, is_first: i == 0, is_last, ..Step::default() });
                if is_last && phrase.is_prefix {
                    finder.by_prefix.entry(word).or_default().push(step);
                    finder.prefix_lens.push(word.len());
                } else {
                    finder.by_word.entry(word).or_default().insert(0, step);
                }
            }
        }
        finder.prefix_lens.sort_unstable();
        finder.prefix_lens.dedup();
        finder
    }

    /// Whether a further text may have matches.
    pub(super) fn goes_on(&self) -> bool {
        self.position < u32::from(MAX_POSITION) && self.found < MAX_MATCHES
    }

    /// The matches of the next text, in their order there.
    pub(super) fn next_text(&mut self, text: &str) -> Vec<Match> {
        let mut matches: Vec<Match> = Vec::new();
        let before = self.position;
        // The matches by prefix that end with the word before.
        let mut open = 0..0;
        let mut previous = 0..0;
        let mut prefixes: Vec<usize> = Vec::new();
        for_each_token(text, |token| {
            self.position += 1;
            if self.position > u32::from(MAX_POSITION) || self.found + matches.len() > MAX_MATCHES {
                return ControlFlow::Break(());
            }
            if previous.start < token.range.start && token.range.start < previous.end {
                // A bigram that begins with the one letter that is asked for: only that is shown.
                matches[open.clone()].iter_mut().for_each(|found| found.range.end = token.range.start);
            }
            previous = token.range.clone();
            open = matches.len()..matches.len();
            if !self.initials[initial(token.word)] {
                return ControlFlow::Continue(());
            }
            let exact = self.by_word.get(token.word).map_or(&[][..], Vec::as_slice);
            prefixes.clear();
            let beginnings = self.prefix_lens.iter().filter_map(|len| token.word.get(..*len));
            prefixes.extend(beginnings.filter_map(|beginning| self.by_prefix.get(beginning)).flatten());
            if (exact.is_empty() && prefixes.is_empty()) || !count(&mut self.counts, token.word) {
                return ControlFlow::Continue(());
            }
            // Prefixes first: they are last steps, which no other step looks at.
            for step in &prefixes {
                matches.extend(take(&mut self.steps, *step, self.position, &token.range));
            }
            open.end = matches.len();
            for step in exact {
                matches.extend(take(&mut self.steps, *step, self.position, &token.range));
            }
            ControlFlow::Continue(())
        });
        self.found += matches.len();
        if self.position > before {
            // A phrase does not go on from one text to the next.
            self.position += 1;
        }
        matches.sort_unstable_by_key(|found| (found.range.start, found.range.end));
        matches
    }
}

fn initial(word: &str) -> usize {
    word.bytes().next().map_or(0, usize::from)
}

/// Counts a word; false when there is no room for it.
fn count(counts: &mut HashMap<Box<str>, u16>, word: &str) -> bool {
    let count = match counts.get_mut(word) {
        Some(count) => count,
        None => counts.entry(word.into()).or_default(),
    };
    *count = count.saturating_add(1);
    usize::from(*count) <= MAX_POSITIONS_PER_WORD
}

/// Takes a step, where the one before it was taken by the word before. The last one of a phrase is a match.
fn take(steps: &mut [Step], step: usize, position: u32, range: &Range<usize>) -> Option<Match> {
    let start = if steps[step].is_first {
        range.start
    } else {
        let before = &steps[step - 1];
        (before.taken == Some(position - 1)).then_some(before.start)?
    };
    let step = &mut steps[step];
    (step.taken, step.start) = (Some(position), start);
    step.is_last.then_some(Match { phrase: step.phrase, range: start..range.end })
}
