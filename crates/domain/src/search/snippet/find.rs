//! Where the wanted phrases are in the texts of a message.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use crate::search::document::words::{MAX_POSITIONS_PER_WORD, for_each_word};
use crate::search::expr::{SearchExpr, SearchPhrase};

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

/// Finds phrases in one pass over the words of a message, in the order in which an index has them.
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
}

#[derive(Default)]
struct Step {
    phrase: usize,
    is_first: bool,
    is_last: bool,
    /// The position at which it was taken last, and where its phrase began.
    taken: Option<u16>,
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

    /// The matches of each text, in their order there.
    pub(super) fn find(mut self, texts: &[Cow<'_, str>]) -> Vec<Vec<Match>> {
        let mut matches: Vec<Vec<Match>> = vec![Vec::new(); texts.len()];
        let mut count = 0;
        // The matches by prefix that end with the word before.
        let mut open = 0..0;
        let mut previous = (0, 0..0);
        for_each_word(texts, |word| {
            let (range, found) = (word.token.range, &mut matches[word.text]);
            if previous.0 == word.text && previous.1.start < range.start && range.start < previous.1.end {
                // A bigram that begins with the one letter that is asked for: only that is shown.
                found[open.clone()].iter_mut().for_each(|found| found.range.end = range.start);
            }
            previous = (word.text, range.clone());
            let before = found.len();
            open.start = before;
            self.take_all(word.token.word, word.position, &range, found, &mut open.end);
            count += found.len() - before;
            if count > MAX_MATCHES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        for found in &mut matches {
            found.sort_unstable_by_key(|found| (found.range.start, found.range.end));
        }
        matches
    }

    /// Adds the matches that end with a word, and says where those by prefix end.
    fn take_all(
        &mut self,
        word: &str,
        position: u16,
        range: &Range<usize>,
        found: &mut Vec<Match>,
        prefixes_end: &mut usize,
    ) {
        *prefixes_end = found.len();
        if !self.initials[initial(word)] {
            return;
        }
        let exact = self.by_word.get(word).map_or(&[][..], Vec::as_slice);
        let beginnings = self.prefix_lens.iter().filter_map(|len| word.get(..*len));
        let mut prefixes =
            beginnings.filter_map(|beginning| self.by_prefix.get(beginning)).flatten().peekable();
        if (exact.is_empty() && prefixes.peek().is_none()) || !count(&mut self.counts, word) {
            return;
        }
        // Prefixes first: they are last steps, which no other step looks at.
        for step in prefixes {
            found.extend(take(&mut self.steps, *step, position, range));
        }
        *prefixes_end = found.len();
        for step in exact {
            found.extend(take(&mut self.steps, *step, position, range));
        }
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
fn take(steps: &mut [Step], step: usize, position: u16, range: &Range<usize>) -> Option<Match> {
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
