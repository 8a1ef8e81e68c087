//! What an index keeps of a message.

pub(super) mod texts;
pub(super) mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::content::Content;
use crate::metadata_tags::MetadataTags;
use crate::search::document::texts::texts;
use crate::search::document::words::{MAX_POSITIONS_PER_WORD, for_each_word};

/// The largest vector, in bytes as PostgreSQL counts them: its own limit is 1 MiB, and what a store adds to words, and for
/// owners and metadata, has its room below it.
const MAX_BYTES: usize = 960 * 1_024;

/// The words of a message, with their positions, and the tags of its metadata.
///
/// The words are those of what was said: of text and of every part, of a tool call's name and arguments, of a tool's
/// result; of a shape that is not known, every string and number. Addresses of images and files are no words. Behind the
/// words of all texts are the parts of those that are written as one, `get user name` of `getUserName`, as far as there is
/// room; a position is left out before each such word, and between two texts.
///
/// A message is indexed as far as PostgreSQL's `tsvector` goes, in every store: its first 16,383 words, the first 255
/// positions of each, and 960 KiB altogether; and no further than the first 1 MiB of its text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchDocument {
    words: BTreeMap<Box<str>, Vec<u16>>,
    tags: MetadataTags,
}

impl SearchDocument {
    /// The words of a content.
    pub fn of(content: &Content) -> Self {
        let mut document = Self {
            words: BTreeMap::new(),
            tags: content.metadata().map(MetadataTags::of).unwrap_or_default(),
        };
        let mut bytes = 0;
        for_each_word(&texts(content), |word| {
            document.insert(word.token.word, word.position, &mut bytes);
            if bytes > MAX_BYTES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        document
    }

    /// Every word once, in order, with its positions in order, from 1 on.
    pub fn words(&self) -> impl Iterator<Item = (&str, &[u16])> {
        self.words.iter().map(|(word, positions)| (&**word, positions.as_slice()))
    }

    /// Where a word is.
    pub fn positions(&self, word: &str) -> &[u16] {
        self.words.get(word).map_or(&[], Vec::as_slice)
    }

    /// The words that begin so, with their positions.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a [u16])> {
        let range =
            self.words.range::<str, _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded));
        range
            .take_while(move |(word, _)| word.starts_with(prefix))
            .map(|(word, positions)| (&**word, positions.as_slice()))
    }

    /// What the index keeps of the content's `metadata`.
    pub fn tags(&self) -> &MetadataTags {
        &self.tags
    }

    /// How many words there are, each time counted.
    pub(super) fn len(&self) -> usize {
        self.words.values().map(Vec::len).sum()
    }

    fn insert(&mut self, word: &str, position: u16, bytes: &mut usize) {
        if let Some(positions) = self.words.get_mut(word) {
            if positions.len() < MAX_POSITIONS_PER_WORD {
                positions.push(position);
                *bytes += 2;
            }
            return;
        }
        // The word, filled up to an even length, the number of its positions, and the first.
        let size = word.len() + 1 + 2 + 2;
        *bytes += size;
        if *bytes <= MAX_BYTES {
            self.words.insert(word.into(), vec![position]);
        }
    }
}
