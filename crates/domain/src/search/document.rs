//! What an index keeps of a message.

mod sorted;
pub(super) mod texts;
pub(super) mod words;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::ControlFlow;

use crate::content::Content;
use crate::metadata_tags::MetadataTags;
use crate::search::document::sorted::{Collector, Words};
use crate::search::document::texts::texts;
use crate::search::document::words::for_each_word;

/// The words of a message, with their positions, and the tags of its metadata.
///
/// Words come from what was said: from text, from every part, from the name and the arguments of a tool call, and
/// from a tool's result. In a shape that chatkeep does not know, every string and number gives words. The addresses
/// of images and files give none. Behind the words of all texts come the parts of words that are written as one (`get
/// user name` of `getUserName`), as far as there is room. A position is left out before each such word and between
/// two texts, so that no phrase goes across.
///
/// A message is indexed as far as PostgreSQL's `tsvector` goes, in every store: its first 16,383 words, the first 255
/// positions of each, and 960 KiB altogether; and no further than the first 1 MiB of its text.
///
/// `Debug` shows how many words there are, and none of them.
#[derive(Clone, Default)]
pub struct SearchDocument {
    words: Words,
    tags: MetadataTags,
}

impl SearchDocument {
    /// The words of a content.
    pub fn of(content: &Content) -> Self {
        let mut words = Collector::default();
        for_each_word(&texts(content), |word| {
            words.add(word.token.word, word.position);
            ControlFlow::Continue(())
        });
        let tags = content.metadata().map(MetadataTags::of).unwrap_or_default();
        Self { words: words.finish(), tags }
    }

    /// The words that `is_asked` is true of, and how many all are: what one search asks of a content. Without tags. To sort
    /// all words of a message costs more than to read them.
    pub(super) fn of_asked(content: &Content, is_asked: impl Fn(&str) -> bool) -> Self {
        let texts = texts(content);
        let mut words = Collector::default();
        for_each_word(&texts, |word| {
            words.add_if(word.token.word, word.position, &is_asked);
            ControlFlow::Continue(())
        });
        // Which words it has room for depends on all of them.
        if words.may_be_too_large() {
            Self::of(content)
        } else {
            Self { words: words.finish(), ..Self::default() }
        }
    }

    /// Every word once, in order, with its positions in order, from 1 on.
    pub fn words(&self) -> impl Iterator<Item = (&str, &[u16])> {
        self.words.iter()
    }

    /// The positions of a word, from 1 on.
    pub fn positions(&self, word: &str) -> &[u16] {
        self.words.positions(word)
    }

    /// The words that begin with `prefix`, with their positions.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a [u16])> {
        self.words.from(prefix).take_while(move |(word, _)| word.starts_with(prefix))
    }

    /// What the index keeps of the content's `metadata`.
    pub fn tags(&self) -> &MetadataTags {
        &self.tags
    }

    /// How many words there are. A word that is there twice counts twice.
    pub(super) fn len(&self) -> usize {
        self.words.count()
    }
}

impl fmt::Debug for SearchDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SearchDocument of {} words", self.len())
    }
}
