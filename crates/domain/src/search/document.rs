//! What an index keeps of a message.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::analyzer::{Token, for_each_part, for_each_token, is_compound, piece_around};
use crate::{Content, MetadataTags};

/// How much of a message's text is read, in bytes.
const MAX_TEXT_BYTES: usize = 1_024 * 1_024;

/// The last position of a word. PostgreSQL's `tsvector` has no room for more.
pub(super) const MAX_POSITION: u16 = 16_383;

/// The most positions of one word, as PostgreSQL's `tsvector` keeps them.
pub(super) const MAX_POSITIONS_PER_WORD: usize = 255;

/// The largest vector, in bytes as PostgreSQL counts them: its own limit is 1 MiB, and what a store adds to words, and for
/// owners and metadata, has its room below it.
const MAX_BYTES: usize = 960 * 1_024;

/// The words of a message, with their positions, and the tags of its metadata.
///
/// The words are those of what was said: of text and of every part, of a tool call's name and arguments, of a tool's
/// result; of a shape that is not known, every string and number. Addresses of images and files are no words.
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

/// A word of a message, as an index has it.
pub(super) struct Word<'a> {
    /// The number of the text that it is in, and its place there.
    pub(super) text: usize,
    pub(super) token: Token<'a>,
    /// Its position among all words of the message, from 1 on.
    pub(super) position: u16,
}

/// Gives the words of a message until there is no position left, or `each` breaks: those of all texts, then those of the
/// other readings. Between two texts, and between two pieces, a position is left out: no phrase goes over.
pub(super) fn for_each_word(texts: &[Cow<'_, str>], each: impl FnMut(Word<'_>) -> ControlFlow<()>) {
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

/// What was said, text by text, as far as it is read: see [`SearchDocument`].
pub(super) fn texts(content: &Content) -> Vec<Cow<'_, str>> {
    let mut texts = Texts { texts: Vec::new(), room: MAX_TEXT_BYTES };
    let _ = texts.add_all(content);
    texts.texts
}

/// Texts of a content, none of them empty, until there is no more room.
struct Texts<'a> {
    texts: Vec<Cow<'a, str>>,
    /// In bytes.
    room: usize,
}

impl<'a> Texts<'a> {
    fn add_all(&mut self, content: &'a Content) -> ControlFlow<()> {
        if let Some(text) = content.only_text() {
            return self.add(text.into());
        }
        for object in content.pieces() {
            match object.get("type").and_then(Value::as_str).unwrap_or_default() {
                "text" => self.add_strings(object.get("text"))?,
                "tool_call" => {
                    self.add_strings(object.get("name"))?;
                    self.add_strings(object.get("arguments"))?;
                }
                "tool_result" => self.add_strings(object.get("content"))?,
                _ => self.add_others(object)?,
            }
        }
        ControlFlow::Continue(())
    }

    fn add_strings(&mut self, value: Option<&'a Value>) -> ControlFlow<()> {
        match value {
            Some(Value::String(text)) => self.add(Cow::Borrowed(text)),
            Some(Value::Number(number)) => self.add(Cow::Owned(number.to_string())),
            Some(Value::Array(items)) => items.iter().try_for_each(|item| self.add_strings(Some(item))),
            Some(Value::Object(object)) => self.add_others(object),
            Some(Value::Null | Value::Bool(_)) | None => ControlFlow::Continue(()),
        }
    }

    /// Every string and number of an object, except what nobody said: its type, its metadata, addresses; and the parts,
    /// which are texts of their own.
    fn add_others(&mut self, object: &'a Map<String, Value>) -> ControlFlow<()> {
        let is_said = |key: &str| !matches!(key, "type" | "metadata" | "parts" | "url" | "tool_call_id");
        object.iter().filter(|(key, _)| is_said(key)).try_for_each(|(_, value)| self.add_strings(Some(value)))
    }

    fn add(&mut self, mut text: Cow<'a, str>) -> ControlFlow<()> {
        let len = text.floor_char_boundary(self.room);
        let is_whole = len == text.len();
        match &mut text {
            _ if is_whole => {}
            Cow::Borrowed(text) => *text = &text[..len],
            Cow::Owned(text) => text.truncate(len),
        }
        if !text.is_empty() {
            self.texts.push(text);
        }
        self.room -= len;
        if is_whole && self.room > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(content: &Content) -> Vec<String> {
        let document = SearchDocument::of(content);
        let mut words: Vec<_> = document
            .words()
            .flat_map(|(word, positions)| positions.iter().map(move |position| (*position, word.to_owned())))
            .collect();
        words.sort();
        words.into_iter().map(|(position, word)| format!("{position}:{word}")).collect()
    }

    #[test]
    fn reads_every_shape_with_a_gap_between_texts() {
        let parts = Content::parts([
            Content::text("look at this"),
            Content::image("https://example.org/secret.png"),
            Content::tool_call("call_1", "weather", json!({"city": "Oslo", "days": 3, "now": true})),
            Content::tool_result("call_1", "weather", json!([{"type": "text", "text": "rain"}, 8])),
        ]);
        let expected = ["1:look", "2:at", "3:this", "5:weather", "7:oslo", "9:3", "11:rain", "13:8"];
        assert_eq!(words(&parts), expected);
        let custom = json!({"type": "poll", "options": ["yes", "no"], "metadata": {"hidden": "x"}});
        assert_eq!(words(&Content::from_value(custom).unwrap()), ["1:yes", "3:no"]);
    }

    #[test]
    fn other_readings_come_behind_all_texts() {
        let parts =
            Content::parts([Content::text("call getUserName now, PR7"), Content::text("at 10:00:05Z")]);
        let expected = [
            "1:call",
            "2:getusername",
            "3:now",
            "4:pr7",
            "6:at",
            "7:10",
            "8:00",
            "9:05z", // as it is written
            "11:get",
            "12:user",
            "13:name",
            "15:pr",
            "16:7",
            "18:10",
            "19:00",
            "20:05",
            "21:z",
        ];
        let mut found = words(&parts);
        found.sort_by_key(|word| word.split(':').next().unwrap().parse::<u16>().unwrap());
        assert_eq!(found, expected);
        assert_eq!(words(&Content::text("Anna's don't")), ["1:annas", "2:dont", "4:anna", "5:s"]);
    }

    #[test]
    fn a_piece_is_read_again_once() {
        let found = words(&Content::text("aB/cD"));
        assert_eq!(found, ["1:ab", "2:cd", "4:a", "5:b", "6:c", "7:d"]);
    }

    #[test]
    fn other_readings_take_no_position_of_a_word() {
        let text = "aB ".repeat(16_382) + "last";
        let document = SearchDocument::of(&Content::text(&*text));
        assert_eq!(document.positions("last"), [16_383]);
        assert_eq!(document.positions("a"), [0u16; 0]);
        let document = SearchDocument::of(&Content::text(&text[3..]));
        assert_eq!((document.positions("last"), document.positions("a")), (&[16_382][..], &[0u16; 0][..]));
        let document = SearchDocument::of(&Content::text(&text[6..]));
        assert_eq!((document.positions("last"), document.positions("a")), (&[16_381][..], &[16_383][..]));
    }

    #[test]
    fn goes_as_far_as_a_tsvector() {
        let numbered: Vec<_> = (1..=20_000).map(|number| format!("w{number}")).collect();
        let document = SearchDocument::of(&Content::text(numbered.join(" ")));
        assert_eq!(document.positions("w16383"), [16_383]);
        assert_eq!(document.positions("w16384"), [0u16; 0]);

        let document = SearchDocument::of(&Content::text("again ".repeat(300) + "last"));
        assert_eq!(document.positions("again").len(), 255);
        assert_eq!(document.positions("last"), [301]);

        let long: Vec<_> = (0..16_000).map(|number| format!("{number:0>120}")).collect();
        let bytes: usize = SearchDocument::of(&Content::text(long.join(" ")))
            .words()
            .map(|(word, at)| word.len() + 1 + 2 + 2 * at.len())
            .sum();
        assert!((900_000..=MAX_BYTES).contains(&bytes), "{bytes}");
    }

    #[test]
    fn reads_the_first_mebibyte() {
        let text = |blanks: usize| Content::text(format!("first{}last", " ".repeat(blanks)));
        assert_eq!(words(&text(MAX_TEXT_BYTES - 9)), ["1:first", "2:last"]);
        assert_eq!(words(&text(MAX_TEXT_BYTES - 8)), ["1:first", "2:las"]);
        let two = Content::parts([Content::text("é".repeat(MAX_TEXT_BYTES)), Content::text("unread")]);
        assert_eq!(texts(&two).len(), 1);
        let exact = Content::parts([Content::text("x".repeat(MAX_TEXT_BYTES)), Content::text("unread")]);
        assert_eq!(texts(&exact).len(), 1);
    }

    #[test]
    fn collects_no_more_than_it_reads() {
        let numbers = json!({"type": "poll", "options": vec![1_234; 1_000_000], "unread": "x"});
        let content = Content::from_value(numbers).unwrap();
        let mut collected = Texts { texts: Vec::new(), room: 10 };
        assert!(collected.add_all(&content).is_break());
        assert_eq!(collected.texts, ["1234", "1234", "12"]);
        assert_eq!(texts(&content).len(), MAX_TEXT_BYTES / 4);
    }
}
