//! The words of a message, and their positions.

use std::borrow::Cow;
use std::ops::ControlFlow;

use crate::search::analyzer::pieces::{for_each_part, is_compound, piece_around};
use crate::search::analyzer::token::Token;
use crate::search::analyzer::words::for_each_token;

/// The last position of a word. PostgreSQL's `tsvector` has no room for more.
const MAX_POSITION: u16 = 16_383;

/// The most positions of one word, as PostgreSQL's `tsvector` keeps them.
pub(in crate::search) const MAX_POSITIONS_PER_WORD: usize = 255;

/// A word of a message, as an index has it.
pub(in crate::search) struct Word<'a> {
    /// The number of the text that it is in, and its place there.
    pub(in crate::search) text: usize,
    pub(in crate::search) token: Token<'a>,
    /// Its position among all words of the message, from 1 on.
    pub(in crate::search) position: u16,
}

/// Gives the words of a message until there is no position left, or `each` breaks: those of all texts, then those of the
/// other readings. Between two texts, and between two pieces, a position is left out: no phrase goes over.
pub(in crate::search) fn for_each_word(
    texts: &[Cow<'_, str>],
    each: impl FnMut(Word<'_>) -> ControlFlow<()>,
) {
    // Broken off is as good as at the end.
    let _ = Places { last: 0, paused: 0, each }.fill(texts);
}

/// Counts the positions.
struct Places<F> {
    last: u16,
    /// The last position that was left out.
    paused: u16,
    each: F,
}

impl<F: FnMut(Word<'_>) -> ControlFlow<()>> Places<F> {
    fn fill(&mut self, texts: &[Cow<'_, str>]) -> ControlFlow<()> {
        let mut compounds = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            for_each_token(text, |token| {
                if is_compound(text, &token.range) {
                    compounds.push((number, token.range.clone()));
                }
                self.give(number, token)
            })?;
            self.pause();
        }
        let mut read = (0, 0);
        for (number, word) in compounds {
            if (number, word.start) >= read {
                let text = &texts[number];
                let piece = piece_around(text, word);
                read = (number, piece.end);
                for_each_part(&text[piece.clone()], |token| {
                    let range = piece.start + token.range.start..piece.start + token.range.end;
                    self.give(number, Token { range, ..token })
                })?;
                self.pause();
            }
        }
        ControlFlow::Continue(())
    }

    fn give(&mut self, text: usize, token: Token<'_>) -> ControlFlow<()> {
        if self.last >= MAX_POSITION {
            return ControlFlow::Break(());
        }
        self.last += 1;
        (self.each)(Word { text, token, position: self.last })
    }

    fn pause(&mut self) {
        if self.last > self.paused {
            self.last += 1;
            self.paused = self.last;
        }
    }
}
