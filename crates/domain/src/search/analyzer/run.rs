//! What belongs together, as it is read.

use std::mem;
use std::ops::{ControlFlow, Range};

use crate::fold::{Class, Folded, ZERO_WIDTH_JOINER};
use crate::search::analyzer::token::{MAX_WORD, Token, cut};

/// How much of a word is kept until it is cut: composing takes away two thirds at the most.
const MAX_UNCUT: usize = 4 * MAX_WORD;

/// What is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    /// Nothing that belongs to a word.
    #[default]
    None,
    /// A word. The last character, apart from marks, is a letter, or is not.
    Word { ends_in_letter: bool },
    /// A run of dense scripts.
    Dense,
    /// An emoji. Behind a joiner, the next one belongs to it.
    Emoji { is_joined: bool },
    /// The first half of a flag.
    Flag,
}

/// A word, a run of dense scripts or an emoji, as far as it is read. Its buffers are used again and again.
#[derive(Default)]
pub(super) struct Run {
    kind: Kind,
    /// The word, the emoji, or the last letter of a dense run with its marks.
    folded: Folded,
    range: Range<usize>,
    /// Of a dense run, the letter before.
    before: Option<Range<usize>>,
    before_text: String,
}

impl Run {
    pub(super) fn is_idle(&self) -> bool {
        self.kind == Kind::None
    }

    pub(super) fn ends_in_letter(&self) -> bool {
        self.kind == Kind::Word { ends_in_letter: true }
    }

    /// The word so far.
    pub(super) fn word(&self) -> &str {
        &self.folded.text
    }

    /// A word of ASCII alone, and all of it.
    pub(super) fn ascii_word(
        &mut self,
        text: &str,
        range: Range<usize>,
        each: &mut impl FnMut(Token<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let word = cut(&text[range.clone()]);
        if !word.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return each(Token { word, range, is_tail: false });
        }
        self.folded.clear();
        self.folded.text.push_str(word);
        self.folded.text.make_ascii_lowercase();
        each(Token { word: &self.folded.text, range, is_tail: false })
    }

    /// Letters and digits of ASCII that may be a part of a word only.
    pub(super) fn push_ascii(
        &mut self,
        text: &str,
        range: Range<usize>,
        each: &mut impl FnMut(Token<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let part = &text[range.clone()];
        // The first ones may follow something else; the others follow these.
        for (at, c) in part.char_indices().take(MAX_UNCUT) {
            let at = range.start + at;
            self.push(c.to_ascii_lowercase(), &(at..at + 1), each)?;
        }
        self.range.end = range.end;
        self.kind = Kind::Word { ends_in_letter: part.ends_with(|last: char| last.is_ascii_alphabetic()) };
        ControlFlow::Continue(())
    }

    /// A folded character, and where in the text it comes from.
    pub(super) fn push(
        &mut self,
        c: char,
        range: &Range<usize>,
        each: &mut impl FnMut(Token<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match (Class::of(c), self.kind) {
            (class @ (Class::Letter | Class::Digit), kind) => {
                if !matches!(kind, Kind::Word { .. }) {
                    self.begin(range, each)?;
                }
                self.kind = Kind::Word { ends_in_letter: class == Class::Letter };
                self.extend(c, range);
            }
            (Class::Dense, Kind::Dense) => {
                if !joins(&self.folded.text, c) {
                    self.next_dense(range, each)?;
                }
                self.extend(c, range);
            }
            (Class::Dense, _) => {
                self.begin(range, each)?;
                self.kind = Kind::Dense;
                self.extend(c, range);
            }
            (Class::Mark, Kind::Word { .. } | Kind::Dense | Kind::Emoji { .. }) => {
                if self.folded.text.len() < MAX_UNCUT {
                    self.folded.push_mark(c);
                }
                self.range.end = range.end;
            }
            (Class::Emoji, kind) => {
                if kind == (Kind::Emoji { is_joined: true }) {
                    self.extend(ZERO_WIDTH_JOINER, range);
                } else {
                    self.begin(range, each)?;
                }
                self.kind = Kind::Emoji { is_joined: false };
                self.extend(c, range);
            }
            (Class::Flag, Kind::Flag) => {
                self.extend(c, range);
                self.finish(each)?;
            }
            (Class::Flag, _) => {
                self.begin(range, each)?;
                self.kind = Kind::Flag;
                self.extend(c, range);
            }
            (Class::Tag, Kind::Emoji { .. }) => self.extend(c, range),
            (Class::SkinTone, Kind::Emoji { .. }) => self.range.end = range.end,
            (Class::Ignored, Kind::Emoji { .. }) if c == ZERO_WIDTH_JOINER => {
                self.kind = Kind::Emoji { is_joined: true };
            }
            // A variation selector is a part of what it follows.
            (Class::Ignored, Kind::Word { .. } | Kind::Dense | Kind::Emoji { .. }) if matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}') =>
            {
                self.range.end = range.end;
            }
            (Class::Ignored | Class::Tag, _) | (Class::Break, Kind::Dense) => {}
            (Class::Break | Class::Separator | Class::Mark | Class::SkinTone, _) => self.finish(each)?,
        }
        ControlFlow::Continue(())
    }

    /// The end of what is being read: the words that are still to be given.
    pub(super) fn finish(&mut self, each: &mut impl FnMut(Token<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let is_dense = match mem::take(&mut self.kind) {
            Kind::None => return ControlFlow::Continue(()),
            kind => kind == Kind::Dense,
        };
        self.folded.compose();
        if is_dense {
            self.give_pair(each)?;
        }
        let token = Token { word: cut(&self.folded.text), range: self.range.clone(), is_tail: is_dense };
        each(token)?;
        self.folded.clear();
        ControlFlow::Continue(())
    }

    fn begin(
        &mut self,
        range: &Range<usize>,
        each: &mut impl FnMut(Token<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.finish(each)?;
        self.folded.clear();
        self.range = range.clone();
        ControlFlow::Continue(())
    }

    fn extend(&mut self, c: char, range: &Range<usize>) {
        if self.folded.text.len() < MAX_UNCUT {
            self.folded.push(c);
        }
        self.range.end = range.end;
    }

    /// The last letter of the dense run becomes the one before.
    fn next_dense(
        &mut self,
        range: &Range<usize>,
        each: &mut impl FnMut(Token<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.folded.compose();
        self.give_pair(each)?;
        mem::swap(&mut self.before_text, &mut self.folded.text);
        self.folded.clear();
        self.before = Some(mem::replace(&mut self.range, range.clone()));
        ControlFlow::Continue(())
    }

    /// The word of the letter before and the last one.
    fn give_pair(&mut self, each: &mut impl FnMut(Token<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let Some(before) = self.before.take() else { return ControlFlow::Continue(()) };
        self.before_text.push_str(&self.folded.text);
        each(Token { word: cut(&self.before_text), range: before.start..self.range.end, is_tail: false })
    }
}

/// Whether a letter belongs to the syllable that ends in another: the parts of a Hangul syllable are letters of their
/// own in Unicode.
fn joins(syllable: &str, c: char) -> bool {
    let Some(last) = syllable.chars().next_back() else { return false };
    match c {
        '\u{1161}'..='\u{1175}' => matches!(last, '\u{1100}'..='\u{1112}'),
        '\u{11a8}'..='\u{11c2}' => {
            matches!(last, '\u{1161}'..='\u{1175}')
                || matches!(last, '가'..='힣') && (u32::from(last) - u32::from('가')).is_multiple_of(28)
        }
        _ => false,
    }
}
