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

#[cfg(test)]
mod tests;

use std::ops::{ControlFlow, Range};

use super::analyzer::for_each_token;
use super::{SearchExpr, SearchPhrase};
use crate::InvalidArgument;

/// How deep parentheses nest; further ones are spaces. It bounds the recursion here and in what walks the tree, and
/// the parser of SQLite's FTS5 has a stack of 100 entries, of which each group takes several.
const MAX_NESTING: usize = 8;

/// `None` for blank text. See [`SearchQuery`](super::SearchQuery).
///
/// A negated group becomes its negated members (`-(a OR b)` is `-a -b`), so that [`SearchExpr::Not`] holds phrases alone.
///
/// # Errors
/// [`InvalidArgument`] for a text that excludes words and asks for none.
pub(super) fn parse(text: &str) -> Result<Option<SearchExpr>, InvalidArgument> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let Some(expr) = group(&mut lexemes(text).into_iter(), false) else {
        return Ok(Some(SearchExpr::Any(Vec::new())));
    };
    if expr.wanted().is_empty() {
        let rule = "must ask for a word besides those that it excludes";
        return Err(InvalidArgument::new("text", rule, "excluded words alone"));
    }
    Ok(Some(expr))
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
    Term { phrase: SearchPhrase, is_negated: bool },
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
        let (words, behind) = match mark(i) {
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
        if words == "OR" && mark(i) != Mark::Quote && !is_prefix && !is_negated {
            lexemes.push(Lexeme::Or);
        } else if let Some(phrase) = phrase(words, is_prefix) {
            lexemes.push(Lexeme::Term { phrase, is_negated });
        }
        (i, is_start, is_negated) = (behind + usize::from(is_prefix), false, false);
    }
    lexemes
}

/// Whether a `-` before this has something to exclude.
fn is_excluding(next: Mark) -> bool {
    !matches!(next, Mark::Space | Mark::Close | Mark::Text('-' | '*'))
}

/// The words of a term; `None` where it has none.
fn phrase(text: &str, is_prefix: bool) -> Option<SearchPhrase> {
    let (mut words, mut is_prefix) = (Vec::<String>::new(), is_prefix);
    let (mut end, mut is_tail, mut is_covered) = (0, false, false);
    for_each_token(text, |token| {
        is_tail = token.is_tail;
        is_covered = token.range.start < end && words.last().is_some_and(|last| last.ends_with(token.word));
        end = token.range.end;
        words.push(token.word.to_owned());
        ControlFlow::Continue(())
    });
    if is_tail && is_covered {
        // The bigram before it ends with the same letter; and in a message the run may go on here.
        words.pop();
        is_prefix = false;
    } else if is_tail {
        // A letter alone is found by the bigrams that begin with it.
        is_prefix = true;
    }
    (!words.is_empty()).then_some(SearchPhrase { words, is_prefix })
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
            Lexeme::Term { phrase, is_negated: inner } => items.push(Some(leaf(phrase, is_negated != inner))),
        }
    }
    let is_operand: Vec<bool> = items.iter().map(Option::is_some).collect();
    let is_operand = |i: usize| is_operand.get(i).is_some_and(|is_operand| *is_operand);
    let mut sides = vec![Vec::new()];
    for (i, item) in items.into_iter().enumerate() {
        match item {
            None if i > 0 && is_operand(i - 1) && is_operand(i + 1) => sides.push(Vec::new()),
            None => {
                let word = phrase("OR", false).map(|word| leaf(word, is_negated));
                sides.last_mut()?.extend(word);
            }
            Some(operand) => sides.last_mut()?.push(operand),
        }
    }
    // Not both is one of the two that is not.
    join(!is_negated, sides.into_iter().filter_map(|side| join(is_negated, side)))
}

fn leaf(phrase: SearchPhrase, is_negated: bool) -> SearchExpr {
    let phrase = SearchExpr::Phrase(phrase);
    if is_negated { SearchExpr::Not(Box::new(phrase)) } else { phrase }
}

/// One of the sides, or all of them, with no more nesting than there must be.
fn join(is_any: bool, sides: impl IntoIterator<Item = SearchExpr>) -> Option<SearchExpr> {
    let mut flat = Vec::new();
    for side in sides {
        match side {
            SearchExpr::Any(inner) if is_any => flat.extend(inner),
            SearchExpr::All(inner) if !is_any => flat.extend(inner),
            side => flat.push(side),
        }
    }
    match flat.len() {
        0 | 1 => flat.pop(),
        _ if is_any => Some(SearchExpr::Any(flat)),
        _ => Some(SearchExpr::All(flat)),
    }
}
