//! Pieces: what is written as one, and the other way to read it.
//!
//! See [the analyzer](super) for what this is for.

#[cfg(test)]
mod tests;

use std::ops::{ControlFlow, Range};

use crate::fold::{Class, fold_char};
use crate::search::analyzer::token::Token;
use crate::search::analyzer::words::for_each_token;

/// The most parts of a word. What has more is no name that people read, but a checksum or a key.
const MAX_PARTS: usize = 16;

/// The most groups of a number behind its first. What has more is a list.
const MAX_GROUPS: usize = 8;

/// The words behind which English shortens `is`, `has` or `us` rather than says whose something is.
const SHORTENS_IS: [&str; 11] =
    ["it", "that", "there", "here", "what", "who", "where", "how", "he", "she", "let"];

/// A part of a text: a piece, or what is between two.
pub(in crate::search) struct Stretch<'a> {
    pub(in crate::search) text: &'a str,
    pub(in crate::search) is_piece: bool,
}

/// The whole text, as pieces and what is between them.
pub(in crate::search) fn stretches(text: &str) -> Vec<Stretch<'_>> {
    let mut stretches = Vec::new();
    let (mut start, mut is_piece) = (0, None);
    for (at, c) in text.char_indices() {
        let Some(is_joint) = is_joint(text, at, c) else { continue };
        if is_piece.is_some_and(|is_piece| is_piece != is_joint) {
            stretches.push(Stretch { text: &text[start..at], is_piece: !is_joint });
            start = at;
        }
        is_piece = Some(is_joint);
    }
    stretches.push(Stretch { text: &text[start..], is_piece: is_piece == Some(true) });
    stretches
}

/// The piece that has this place in it.
pub(in crate::search) fn piece_around(text: &str, place: Range<usize>) -> Range<usize> {
    let is_within = |(at, c): &(usize, char)| is_joint(text, *at, *c).unwrap_or(true);
    let before = text[..place.start].char_indices().rev().take_while(is_within).last();
    let mut behind = text[place.end..].char_indices().map(|(at, c)| (place.end + at, c));
    let end = behind.find(|other| !is_within(other)).map_or(text.len(), |(at, _)| at);
    before.map_or(place.start, |(at, _)| at)..end
}

/// Whether this character is of a piece. `None` for what goes on with what it stands in: apostrophes, marks, what is not
/// seen.
fn is_joint(text: &str, at: usize, c: char) -> Option<bool> {
    let is_between_digits = || {
        let is_digit = |c: char| c.is_ascii_digit();
        text[..at].ends_with(is_digit) && text[at + c.len_utf8()..].starts_with(is_digit)
    };
    match c {
        _ if c.is_ascii_alphanumeric() => Some(true),
        '#' | '$' | '%' | '&' | '+' | '-' | '.' | '/' | ':' | '=' | '?' | '@' | '\\' | '_' => Some(true),
        '\'' | '’' | '＇' => None,
        ',' | '\u{a0}' | '\u{2009}' | '\u{202f}' => Some(is_between_digits()),
        _ if c.is_ascii() => Some(false),
        '™' | '℠' => Some(false),
        _ => match Class::of(c) {
            Class::Letter | Class::Digit => Some(true),
            Class::Mark | Class::Ignored | Class::Tag | Class::SkinTone => None,
            _ => Some(fold_char(c).any(|c| matches!(Class::of(c), Class::Letter | Class::Digit))),
        },
    }
}

/// Whether a word, or the number that it begins, has another reading. It is asked of every word, and quick for most.
pub(in crate::search) fn is_compound(text: &str, word: &Range<usize>) -> bool {
    let raw = &text[word.clone()];
    match raw.as_bytes() {
        [first, others @ ..] if first.is_ascii_alphabetic() && others.iter().all(u8::is_ascii_lowercase) => {
            false
        }
        digits if digits.iter().all(u8::is_ascii_digit) => number(text, word.start).is_some(),
        _ => parts(raw).is_some(),
    }
}

/// Gives the words of the other reading of a piece: of numbers written in groups the whole, of other words their parts.
/// They are those of the first reading where it has neither.
pub(in crate::search) fn for_each_part(
    piece: &str,
    mut each: impl FnMut(Token<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let (mut read, mut at) = (0, 0);
    while let Some(found) = piece[at..].find(|c: char| c.is_ascii_digit()) {
        let start = at + found;
        if let Some(end) = number(piece, start) {
            parts_of_words(piece, read..start, &mut each)?;
            let digits: String = piece[start..end].chars().filter(char::is_ascii_digit).collect();
            for_each_token(&digits, |token| each(Token { range: start..end, ..token }))?;
            (read, at) = (end, end);
        } else {
            let digits = piece[start..].bytes().take_while(u8::is_ascii_digit);
            at = start + digits.count();
        }
    }
    parts_of_words(piece, read..piece.len(), &mut each)
}

fn parts_of_words(
    piece: &str,
    range: Range<usize>,
    each: &mut impl FnMut(Token<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for_each_token(&piece[range.clone()], |token| {
        let start = range.start + token.range.start;
        let word = start..range.start + token.range.end;
        let Some(parts) = parts(&piece[word.clone()]) else { return each(Token { range: word, ..token }) };
        for part in parts {
            let start = start + part.start;
            for_each_token(&piece[start..word.start + part.end], |token| {
                each(Token { range: start + token.range.start..start + token.range.end, ..token })
            })?;
        }
        ControlFlow::Continue(())
    })
}

/// The end of the number that begins here, where it is written in groups: `1,234,567`, `1'234'567`, `12,34,567`. What
/// follows another sign, as the groups of a date, a time or an address do, is none.
fn number(text: &str, start: usize) -> Option<usize> {
    let is_glued = |c: char| c.is_alphanumeric() || matches!(c, '.' | ',' | ':' | '/' | '_');
    if text[..start].trim_end_matches(['\'', '’']).ends_with(is_glued) {
        return None;
    }
    let digits = |at: usize| text[at..].bytes().take_while(u8::is_ascii_digit).count();
    let first = digits(start);
    let mut end = start + first;
    let sign = text[end..].chars().next()?;
    if !(1..=3).contains(&first) || text[start..].starts_with('0') || !is_group_sign(sign) {
        return None;
    }
    let mut last = 0;
    for _ in 0..=MAX_GROUPS {
        let behind = end + sign.len_utf8();
        match if text[end..].starts_with(sign) { digits(behind) } else { 0 } {
            count @ 2..=3 => (last, end) = (count, behind + count),
            0 => return (last == 3).then_some(end),
            _ => return None,
        }
    }
    None
}

fn is_group_sign(c: char) -> bool {
    matches!(c, ',' | '.' | '\'' | '’' | '_' | '\u{a0}' | '\u{2009}' | '\u{202f}')
}

/// What a character is where a word is taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lower,
    Upper,
    Digit,
    Apostrophe,
    /// Belongs to the character before.
    Neutral,
}

fn kind(c: char) -> Kind {
    match c {
        'a'..='z' => Kind::Lower,
        'A'..='Z' => Kind::Upper,
        '0'..='9' => Kind::Digit,
        '\'' | '’' | '＇' => Kind::Apostrophe,
        // The iota subscript is a mark, though Unicode says that it is in lower case.
        '\u{345}' => Kind::Neutral,
        _ if c.is_lowercase() => Kind::Lower,
        // In upper case, or in title case as `ǅ`.
        _ if c.to_lowercase().next() != Some(c) => Kind::Upper,
        _ => {
            let class = match Class::of(c) {
                Class::Separator => fold_char(c).next().map_or(Class::Separator, Class::of),
                class => class,
            };
            match class {
                Class::Digit => Kind::Digit,
                Class::Letter => Kind::Lower,
                _ => Kind::Neutral,
            }
        }
    }
}

/// The parts of a word as it stands in a text, where it has several: `getUserName` has three, `HTTPServer`, `URLs`,
/// `PR1137` and `Anna's` two, `don't` one.
fn parts(word: &str) -> Option<Vec<Range<usize>>> {
    let mut parts = Vec::new();
    let (mut start, mut before) = (0, Kind::Neutral);
    // The last capital letter, and how many are directly before it.
    let (mut capital, mut capitals) = (0, 0);
    for (at, c) in word.char_indices() {
        let kind = kind(c);
        let rest = &word[at + c.len_utf8()..];
        let cut = match (before, kind) {
            (_, Kind::Neutral) => continue,
            (_, Kind::Apostrophe) if is_short_form(&word[..at], rest) => continue,
            (_, Kind::Apostrophe)
            | (Kind::Lower, Kind::Upper | Kind::Digit)
            | (Kind::Upper, Kind::Digit)
            | (Kind::Digit, Kind::Lower | Kind::Upper) => Some(at),
            (Kind::Upper, Kind::Lower) if capitals > 0 => {
                let is_plural = c == 's' && !rest.starts_with(char::is_alphabetic);
                Some(if is_plural { at } else { capital })
            }
            _ => None,
        };
        if let Some(cut) = cut {
            parts.push(start..cut);
            start = cut;
        }
        if parts.len() >= MAX_PARTS {
            return None;
        }
        match kind {
            Kind::Apostrophe => start = at + c.len_utf8(),
            Kind::Upper => (capital, capitals) = (at, if before == Kind::Upper { capitals + 1 } else { 0 }),
            _ => {}
        }
        before = kind;
    }
    (!parts.is_empty()).then(|| {
        parts.push(start..word.len());
        parts
    })
}

/// Whether it is a short form of English, whose parts nobody looks for: `don't`, `we'll`, `it's`.
fn is_short_form(before: &str, behind: &str) -> bool {
    let is_in = |list: &[&str], word: &str| list.iter().any(|other| word.eq_ignore_ascii_case(other));
    is_in(&["t", "m", "d", "ll", "ve", "re"], behind)
        || behind.eq_ignore_ascii_case("s") && is_in(&SHORTENS_IS, before)
}
