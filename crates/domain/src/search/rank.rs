//! How well a message fits.
//!
//! The score is the sum over the wanted phrases that the message has. One of `n` words, `tf` times in a message of
//! `len` words and first at the word `first`, counting from 1, gives
//!
//! ```text
//! √n · (frequency + earliness)
//! frequency = tf · (K + 1) / (tf + K · (1 − B + B · len / USUAL))
//! earliness = EARLY · USUAL / (USUAL + first − 1)
//! ```
//!
//! The frequency is that of BM25, without the rarity of the words: a score is to depend on the message and the query
//! alone. It is computed with `+`, `−`, `×`, `÷` and `√`, which IEEE 754 defines to the last bit, and none of the
//! functions that differ from platform to platform: a cursor of one machine goes on on another.

#[cfg(test)]
mod tests;

use crate::search::document::SearchDocument;
use crate::search::expr::{SearchExpr, SearchPhrase};

/// How soon more of the same word counts no more: BM25's usual `k1`.
const K: f64 = 1.2;

/// How much the length of a message counts, from 0 to 1: BM25's usual `b`.
const B: f64 = 0.75;

/// How many words a usual message has. BM25 takes the mean of all messages, which would change with every append.
const USUAL: f64 = 100.0;

/// What a phrase at the very start adds; less than what a first occurrence gives in a usual message, which is 1.
const EARLY: f64 = 0.25;

/// The score of a message that has none of the phrases, as `a OR -b` may find. Any phrase gives more.
const LEAST: f64 = 0.001;

/// Greater than 0, except [`Score::NONE`]; its bits sort as the number does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Score(u64);

impl Score {
    /// Less than that of any message: the place of what cannot be read.
    pub(super) const NONE: Self = Self(0);

    pub(super) fn get(self) -> f64 {
        f64::from_bits(self.0)
    }

    pub(super) fn to_bits(self) -> u64 {
        self.0
    }

    pub(super) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

pub(super) fn score(expr: &SearchExpr, document: &SearchDocument) -> Score {
    let length = 1.0 - B + B * number(document.len()) / USUAL;
    let sum: f64 = expr.wanted().into_iter().map(|phrase| weight(phrase, document, length)).sum();
    Score(sum.max(LEAST).to_bits())
}

fn weight(phrase: &SearchPhrase, document: &SearchDocument, length: f64) -> f64 {
    let starts = phrase.starts(document);
    let Some(first) = starts.first() else { return 0.0 };
    let count = number(starts.len());
    let frequency = count * (K + 1.0) / (count + K * length);
    let earliness = EARLY * USUAL / (USUAL + f64::from(*first) - 1.0);
    number(phrase.words.len()).sqrt() * (frequency + earliness)
}

/// Exact: no document and no query has 2³² words.
fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
