//! Text becomes words: of messages for the indexes of all stores, and of what people search for.
//!
//! - A **word** is a run of letters, digits and their marks, folded as by [`fold_text`](crate::search::fold_text). Everything
//!   else separates: spaces, punctuation, `_ . : / @ -`, symbols, characters for private use. What is not seen (soft
//!   hyphens, joiners, variation selectors, the tatweel) is left out, and ends no word.
//! - An **apostrophe** between two letters is left out too: `don't` is `dont`. The articles and pronouns that French,
//!   Italian and Catalan join to a word so are words of their own, as `été` is to be found in `l'été`: those of
//!   `words::ELIDED`, where a vowel or `h` follows.
//! - A **dense** script is written without spaces: Chinese, Japanese, Korean (its spaces are no help: it joins particles
//!   to nouns), Thai, Lao, Khmer, Burmese and others. A run of such letters gives for each of them, with its marks, the
//!   word of it and the next, and for the last the letter alone. So any part of a run is found: two letters or more as a
//!   phrase, one as a prefix. A change from one dense script to another ends no run.
//! - An **emoji** is a word, without skin tone: sequences and flags are one. A keycap is its digit.
//! - A **compatible form** of several characters is what they are: `㎏` is `kg`, `½` `1` and `2`, `ﷺ` four words. Only
//!   `™` and `℠` are separators.
//!
//! # Parts
//!
//! People write several words as one, and look for one of them: `getUserName`, `PR1137`, `Anna's`,
//! `2026-11-26T10:00:00Z`. Or they write one as several: `1,234,567`. So such words have a second reading:
//!
//! - A word is taken apart between a small and a capital letter, between letters and digits, and at an apostrophe:
//!   `get user name`, `pr 1137`, `anna s`. Of several capital letters, the last belongs to the small ones behind it,
//!   except to the `s` of a plural: `http server`, `url s`. Short forms of English are left as they are: `don't`, `we'll`, `it's`. A word of more than 16 parts is a key or a
//!   checksum, and is left as it is.
//! - A number in groups of three is one word: `1234567`. So are groups of two before the last, as in India.
//! - A **piece** is what is read again: a stretch without spaces, brackets, quotes, commas and the like, of letters and
//!   digits of scripts that have spaces, and of the signs that names, paths, addresses, dates and times have within them.
//!   So `2026-11-26` is a phrase in `2026-11-26T10:00:00Z`, and `user/name` one in `/getUser/name`.
//!
//! # Positions
//!
//! An index has the first reading of all texts, each word at the next position, as if there were no other; and behind
//! the last text the second readings, piece by piece, with a position left out before each. Why so:
//!
//! - What is written is found as it is written: a phrase such as `"javascript is fun"` knows of one word `JavaScript`, in
//!   any case, and of no part in its way.
//! - Parts are phrases too: `"get user name"`, `"10:00:00"`. Two pieces are not next to each other, and no phrase goes from
//!   one to the next.
//! - No two words share a position, for which SQLite's FTS5 has no room without a tokenizer in C.
//! - The parts take no room from the words: an index has them as far as positions and bytes are left.
//!
//! A search asks for a term in the first reading, or, where that is another, in the second: see the grammar. What nobody
//! finds is a phrase in quotes of several pieces that begins or ends within a word.
//!
//! Usual text has few parts. The texts of the tests in English, German, French and Japanese grow by nothing, that in
//! Ukrainian by 2 % of its words, a chat message full of apostrophes and numbers by 4 %, a file of Rust by 10 %, log lines and
//! shell commands by 37 %.
//!
//! Segmentation, parts and folding are the stores' format: another result is another [`ANALYZER_VERSION`].
//!
//! # Why these libraries
//!
//! The properties of characters, normal forms and case folding are ICU4X's, which is Unicode's own, and already here
//! with `url`. With them, the analyzer makes a stripped release program 240 kB larger. Normal forms and foldings of a
//! character never change once it is in Unicode, so that a newer version of the tables gives other words only for what
//! the older did not know.
//!
//! Segmenters with dictionaries, such as charabia's lindera and jieba, weigh tens of MB, and another version of a
//! dictionary gives other words, which those in the stores would not match. Unicode's word boundaries give single
//! letters for Chinese and whole sentences for Thai. Its grapheme clusters are not used either: their definition has
//! changed more than once, and a letter with its marks is enough here.
//!
//! [`ANALYZER_VERSION`]: crate::search::ANALYZER_VERSION

pub(super) mod pieces;
mod run;
pub(super) mod token;
pub(super) mod words;

#[cfg(test)]
mod tests;
