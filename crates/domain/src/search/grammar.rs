//! The text of a search becomes a tree: see [`SearchQuery`](super::SearchQuery) for what people may type.
//!
//! Written by hand, without a parser crate, because there are no syntax errors: what such a crate is for is to report
//! them, and here each stray sign is read as something else instead, which takes a look at the whole text first.
//!
//! In words of a grammar, after [`mark`] has found the partners of quotes and parentheses:
//!
//! ```text
//! any  = all (OR all)*
//! all  = term+
//! term = "-"? ( "(" any ")" | quoted "*"? | chunk "*"? )
//! ```

mod join;
#[cfg(test)]
mod tests;
mod words;

use std::ops::Range;

use crate::search::expr::SearchExpr;
use crate::search::grammar::join::join;
use crate::search::grammar::words::words;

/// How deep parentheses nest; further ones are spaces. It bounds the recursion here and in what walks the tree, and
/// the parser of SQLite's FTS5 has a stack of 100 entries, of which each group takes several.
const MAX_NESTING: usize = 8;

/// The text as a query: see [`SearchQuery`](super::SearchQuery). `None` for blank text.
///
/// A negated group becomes its negated members (`-(a OR b)` is `-a -b`), so that [`SearchExpr::Not`] holds phrases alone.
pub(super) fn parse(text: &str) -> Option<SearchExpr> {
    let expr = group(&mut lexemes(text).into_iter(), false);
    expr.or_else(|| nothing(text))
}

/// The text as text: every sign is a space, and every word is wanted. `None` for blank text.
pub(super) fn as_text(text: &str) -> Option<SearchExpr> {
    let terms = text.split_whitespace().filter_map(|term| words(term, false, false));
    join(false, terms).or_else(|| nothing(text))
}

/// What a text without a word in it asks for: blank text for everything, any other for nothing.
fn nothing(text: &str) -> Option<SearchExpr> {
    (!text.trim().is_empty()).then(|| SearchExpr::Any(Vec::new()))
}

/// What a character is, before words are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Space,
    Open,
    Close,
    Quote,
    Text(char),
}

enum Lexeme {
    Open { is_negated: bool },
    Close,
    Or,
    Term { words: SearchExpr, is_negated: bool },
}

/// Every character with its place. Quotes and parentheses without a partner, and those nested too deep, are spaces.
fn mark(text: &str) -> Vec<(usize, Mark)> {
    let is_quote = |c: char| matches!(c, '"' | '“' | '”' | '„' | '‟');
    let mut quotes = text.chars().filter(|&c| is_quote(c)).count();
    quotes -= quotes % 2;
    let mut is_quoted = false;
    let mut unclosed = Vec::new();
    let mut marks: Vec<(usize, Mark)> = Vec::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let mark = match c {
            _ if is_quote(c) && quotes > 0 => {
                quotes -= 1;
                is_quoted = !is_quoted;
                Mark::Quote
            }
            _ if is_quoted => Mark::Text(c),
            '(' => {
                unclosed.push(marks.len());
                Mark::Space
            }
            ')' => unclosed.pop().map_or(Mark::Space, |open| {
                marks[open].1 = Mark::Open;
                Mark::Close
            }),
            _ if is_quote(c) || c.is_whitespace() => Mark::Space,
            _ => Mark::Text(c),
        };
        marks.push((at, mark));
    }
    let mut depth = 0;
    for (_, mark) in &mut marks {
        let deepest = match mark {
            Mark::Open => {
                depth += 1;
                depth
            }
            Mark::Close => {
                depth -= 1;
                depth + 1
            }
            _ => 0,
        };
        if deepest > MAX_NESTING {
            *mark = Mark::Space;
        }
    }
    marks
}

fn lexemes(text: &str) -> Vec<Lexeme> {
    let marks = mark(text);
    let mark = |i: usize| marks.get(i).map_or(Mark::Space, |(_, mark)| *mark);
    let slice = |range: Range<usize>| {
        let byte = |i: usize| marks.get(i).map_or(text.len(), |(at, _)| *at);
        &text[byte(range.start)..byte(range.end)]
    };
    let end = |from: usize, is_end: fn(Mark) -> bool| {
        (from..marks.len()).find(|&i| is_end(mark(i))).unwrap_or(marks.len())
    };

    let mut lexemes = Vec::new();
    let (mut i, mut is_start, mut is_negated) = (0, true, false);
    while i < marks.len() {
        let next = i + 1;
        let (text, behind) = match mark(i) {
            Mark::Quote => {
                let close = end(next, |mark| mark == Mark::Quote);
                (slice(next..close), close + 1)
            }
            Mark::Text('-') if is_start && is_excluding(mark(next)) => {
                (i, is_start, is_negated) = (next, false, true);
                continue;
            }
            Mark::Text(c) if c != '*' => {
                let behind = end(i, |mark| !matches!(mark, Mark::Text(c) if c != '*'));
                (slice(i..behind), behind)
            }
            other => {
                match other {
                    Mark::Open => lexemes.push(Lexeme::Open { is_negated: std::mem::take(&mut is_negated) }),
                    Mark::Close => lexemes.push(Lexeme::Close),
                    _ => {}
                }
                (i, is_start) = (next, other != Mark::Close);
                continue;
            }
        };
        let is_prefix = mark(behind) == Mark::Text('*');
        let is_quoted = mark(i) == Mark::Quote;
        if text == "OR" && !is_quoted && !is_prefix && !is_negated {
            lexemes.push(Lexeme::Or);
        } else if let Some(words) = words(text, is_prefix, is_quoted) {
            lexemes.push(Lexeme::Term { words, is_negated });
        }
        (i, is_start, is_negated) = (behind + usize::from(is_prefix), false, false);
    }
    lexemes
}

/// Whether a `-` before this has something to exclude.
fn is_excluding(next: Mark) -> bool {
    !matches!(next, Mark::Space | Mark::Close | Mark::Text('-' | '*'))
}

/// Up to the closing parenthesis, or to the end; `None` where there is no word.
fn group(lexemes: &mut std::vec::IntoIter<Lexeme>, is_negated: bool) -> Option<SearchExpr> {
    // `None` is an OR.
    let mut items = Vec::new();
    while let Some(lexeme) = lexemes.next() {
        match lexeme {
            Lexeme::Close => break,
            Lexeme::Or => items.push(None),
            Lexeme::Open { is_negated: inner } => items.extend(group(lexemes, is_negated != inner).map(Some)),
            Lexeme::Term { words, is_negated: inner } if is_negated != inner => items.push(Some(not(words))),
            Lexeme::Term { words, .. } => items.push(Some(words)),
        }
    }
    let is_operand: Vec<bool> = items.iter().map(Option::is_some).collect();
    let is_operand = |i: usize| is_operand.get(i).is_some_and(|is_operand| *is_operand);
    let mut sides = vec![Vec::new()];
    for (i, item) in items.into_iter().enumerate() {
        match item {
            None if i > 0 && is_operand(i - 1) && is_operand(i + 1) => sides.push(Vec::new()),
            None => {
                let word = words("OR", false, false);
                sides.last_mut()?.extend(if is_negated { word.map(not) } else { word });
            }
            Some(operand) => sides.last_mut()?.push(operand),
        }
    }
    // Not both is one of the two that is not.
    join(!is_negated, sides.into_iter().filter_map(|side| join(is_negated, side)))
}

/// Of what excludes nothing, what excludes it.
fn not(expr: SearchExpr) -> SearchExpr {
    match expr {
        SearchExpr::All(sides) => SearchExpr::Any(sides.into_iter().map(not).collect()),
        SearchExpr::Any(sides) => SearchExpr::All(sides.into_iter().map(not).collect()),
        SearchExpr::Not(side) => *side,
        phrase @ SearchExpr::Phrase(_) => SearchExpr::Not(Box::new(phrase)),
    }
}
