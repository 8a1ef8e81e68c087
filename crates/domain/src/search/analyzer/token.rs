//! A word of a text, and how long it may be.

use std::ops::Range;

use crate::fold::ZERO_WIDTH_JOINER;

/// The longest word, in bytes. Longer ones are cut, on both sides alike.
pub(super) const MAX_WORD: usize = 128;

/// One word of a text.
pub(in crate::search) struct Token<'a> {
    /// As it is indexed: not empty, at most 128 bytes; ASCII only as lowercase letters and digits.
    pub(in crate::search) word: &'a str,
    /// Where it is in the text, in bytes; of two letters of a dense script, both.
    pub(in crate::search) range: Range<usize>,
    /// The last letter of a run of a dense script, alone.
    pub(in crate::search) is_tail: bool,
}

/// At most [`MAX_WORD`] bytes of it.
pub(super) fn cut(word: &str) -> &str {
    // A joiner at the end joins nothing.
    if word.len() <= MAX_WORD {
        word
    } else {
        word[..word.floor_char_boundary(MAX_WORD)].trim_end_matches(ZERO_WIDTH_JOINER)
    }
}
