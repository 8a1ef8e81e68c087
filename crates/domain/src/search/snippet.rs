//! The part of a message's text that shows what was found.

mod find;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use crate::content::Content;
use crate::hidden::Hidden;
use crate::search::document::texts::texts;
use crate::search::expr::SearchExpr;
use crate::search::snippet::find::{Finder, Match};

/// The longest [`Snippet`], in characters.
pub const MAX_SNIPPET_CHARS: usize = 200;

/// How many characters stand before the first match, where there are so many; more, where the text ends soon.
const CONTEXT: usize = 40;

/// How many graphemes an end of the excerpt moves for the sake of a whole word.
const NEAR: usize = 20;

/// A part of a message's text, and what was found in it.
///
/// The text is an exact excerpt of one of the message's texts, around the place that has the most different wanted
/// words and phrases. Among equals, the place with the most matches wins, then the first place. Without a match, the
/// text is the beginning of the message. It begins and ends at a whole word if one is near, and never within a
/// grapheme, unless one grapheme is longer than a snippet.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snippet {
    /// At most [`MAX_SNIPPET_CHARS`] characters.
    pub text: String,
    /// The places of what was found, as ranges of bytes in `text`. They are on character boundaries, in order, and do
    /// not overlap.
    pub ranges: Vec<Range<usize>>,
}

impl Snippet {
    /// A part of a text, and what was found in it: ranges of its bytes.
    pub fn new(text: impl Into<String>, ranges: impl IntoIterator<Item = Range<usize>>) -> Self {
        Self { text: text.into(), ranges: ranges.into_iter().collect() }
    }

    pub(super) fn of(content: &Content, expr: Option<&SearchExpr>) -> Self {
        let texts = texts(content);
        let found = expr.and_then(|expr| best(&texts, expr));
        found.unwrap_or_else(|| {
            let is_blank = |text: &str| text.trim_start().is_empty();
            texts
                .iter()
                .find(|text| !is_blank(text))
                .map_or_else(Self::empty, |text| Self::cut(text, &[], 0..0))
        })
    }

    fn empty() -> Self {
        Self { text: String::new(), ranges: Vec::new() }
    }

    /// What was found, in order.
    pub fn matches(&self) -> impl Iterator<Item = &str> {
        self.ranges.iter().filter_map(|range| self.text.get(range.clone()))
    }

    /// The text with marks around what was found. Nothing is escaped. For HTML, use marks that occur in no text,
    /// escape the result, and then replace the marks by tags.
    ///
    /// ```
    /// # use chatkeep_domain::Snippet;
    /// let snippet = Snippet::new("what is a monad?", [10..15]);
    /// assert_eq!(snippet.highlight("**", "**"), "what is a **monad**?");
    /// ```
    pub fn highlight(&self, open: &str, close: &str) -> String {
        let mut marked =
            String::with_capacity(self.text.len() + self.ranges.len() * (open.len() + close.len()));
        let mut at = 0;
        for range in &self.ranges {
            // Ranges that somebody else made may be wrong.
            let (Some(before), Some(found)) = (self.text.get(at..range.start), self.text.get(range.clone()))
            else {
                continue;
            };
            marked.extend([before, open, found, close]);
            at = range.end;
        }
        marked.push_str(&self.text[at..]);
        marked
    }

    /// The excerpt that begins before `place` and has it whole, where there is room. `matches` are those of the text,
    /// in order. Without any, `place` is empty and the excerpt is the beginning.
    fn cut(text: &str, matches: &[Match], place: Range<usize>) -> Self {
        let start = if place.is_empty() {
            floor(text, text.len() - text.trim_start().len())
        } else {
            let behind = text[place.start..].chars().take(MAX_SNIPPET_CHARS).count();
            let before =
                text[..place.start].char_indices().rev().take(CONTEXT.max(MAX_SNIPPET_CHARS - behind));
            start(text, before.last().map_or(place.start, |(at, _)| at), place.start)
        };
        let longest = nth_char(text, start, MAX_SNIPPET_CHARS);
        let end = end(text, start, longest, place.end.clamp(start, longest));

        let mut ranges: Vec<Range<usize>> = Vec::new();
        for Match { range, .. } in matches {
            // A phrase that is cut off is none, unless the excerpt begins with it and has no room for it.
            let is_inside = range.start >= start && range.end <= end;
            if !is_inside && range.start != place.start || range.start >= end {
                continue;
            }
            let range = range.start - start..range.end.min(end) - start;
            match ranges.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => ranges.push(range),
            }
        }
        Self { text: text[start..end].to_owned(), ranges }
    }
}

/// The snippet around the best place of all texts.
fn best(texts: &[Cow<'_, str>], expr: &SearchExpr) -> Option<Snippet> {
    let found = Finder::new(expr).find(texts);
    let mut best: Option<(Value, &str, Vec<Match>, Range<usize>)> = None;
    for (text, matches) in texts.iter().zip(found) {
        if let Some((value, place)) = best_place(text, &matches)
            && best.as_ref().is_none_or(|(best, ..)| value > *best)
        {
            best = Some((value, text, matches, place));
        }
    }
    best.map(|(_, text, matches, place)| Snippet::cut(text, &matches, place))
}

/// How many different phrases there are, then how many matches.
type Value = (usize, usize);

/// The place with the best value, from its first match to its last.
fn best_place(text: &str, matches: &[Match]) -> Option<(Value, Range<usize>)> {
    let mut best: Option<(Value, Range<usize>)> = None;
    let mut phrases = Vec::new();
    for (i, first) in matches.iter().enumerate() {
        let start = first.range.start;
        let room = nth_char(text, start, MAX_SNIPPET_CHARS - CONTEXT);
        // The first one counts even where there is no room for it.
        let mut end = first.range.end;
        phrases.clear();
        phrases.push(first.phrase);
        for other in matches[i + 1..].iter().take_while(|other| other.range.start < room) {
            if other.range.end <= room {
                end = end.max(other.range.end);
                phrases.push(other.phrase);
            }
        }
        let count = phrases.len();
        phrases.sort_unstable();
        phrases.dedup();
        let value = (phrases.len(), count);
        if best.as_ref().is_none_or(|(best, _)| value > *best) {
            best = Some((value, start..end));
        }
    }
    best
}

/// Where the excerpt begins: from `from` on, not behind `latest`, at a word if one is near, else at a grapheme.
fn start(text: &str, from: usize, latest: usize) -> usize {
    // The grapheme before it tells whether a word begins there.
    let Some(before) = text[..from].chars().next_back() else { return skip_blank(text, 0, latest) };
    let anchor = floor(text, from - before.len_utf8());
    let ends = ends(text, anchor, latest).filter(|end| end.at >= from).take(NEAR);
    let start = ends.min_by_key(|end| worth(end.behind, end.before)).map_or(latest, |end| end.at);
    skip_blank(text, start, latest)
}

fn skip_blank(text: &str, start: usize, latest: usize) -> usize {
    floor(text, latest - text[start..latest].trim_start().len()).max(start)
}

/// Where the excerpt ends: at `longest` or before, at a word if one is near and not before `least`, else at a grapheme.
fn end(text: &str, start: usize, longest: usize, least: usize) -> usize {
    let mut end = longest;
    if longest < text.len() {
        // To find graphemes is slow, and the last ones are enough, unless they are of many characters.
        let from = text[start..longest].char_indices().rev().nth(2 * NEAR).map_or(0, |(at, _)| at);
        let from = floor(text, start + from).max(start);
        let ends_from = |from| ends(text, from, longest).filter(|end| end.at > start).collect();
        let mut ends: Vec<End> = ends_from(from);
        if ends.len() < NEAR {
            ends = ends_from(start);
        }
        let near = ends.iter().rev().take(NEAR).filter(|end| end.at >= least);
        let word = near.min_by_key(|end| worth(end.before, end.behind));
        end = word.or(ends.last()).map_or(longest, |end| end.at);
    }
    let least = least.min(end);
    let trimmed = least + text[least..end].trim_end().len();
    if floor(text, trimmed) == trimmed { trimmed } else { end }
}

/// The end of a grapheme, with the first characters of it and of the next.
struct End {
    before: char,
    at: usize,
    behind: char,
}

/// The ends of the graphemes from `start`, where one begins, until `last`.
fn ends(text: &str, start: usize, last: usize) -> impl Iterator<Item = End> {
    // One character more, to see whether a grapheme ends at `last`.
    let graphemes = text[start..nth_char(text, last, 1)].grapheme_indices(true);
    let firsts = graphemes.filter_map(move |(at, grapheme)| Some((start + at, grapheme.chars().next()?)));
    let mut before = None;
    firsts.filter_map(move |(at, behind)| Some(End { before: before.replace(behind)?, at, behind }))
}

/// How good an end of the excerpt is between these characters: the least is the best.
fn worth(inside: char, outside: char) -> u8 {
    match (inside, outside) {
        _ if inside.is_whitespace() => 2,
        _ if outside.is_whitespace() => 0,
        _ if inside.is_alphanumeric() && !outside.is_alphanumeric() => 1,
        _ => 2,
    }
}

/// The place `count` characters behind another, or the end.
fn nth_char(text: &str, at: usize, count: usize) -> usize {
    text[at..].char_indices().nth(count).map_or(text.len(), |(len, _)| at + len)
}

/// Where the grapheme begins that is there.
fn floor(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    if cursor.is_boundary(text, 0) == Ok(true) {
        return at;
    }
    cursor.prev_boundary(text, 0).ok().flatten().unwrap_or(0)
}

impl fmt::Debug for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snippet")
            .field("text", &Hidden::text(&self.text))
            .field("ranges", &self.ranges)
            .finish()
    }
}
