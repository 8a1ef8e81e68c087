//! Search: what is asked for, what is found, and all that stores need to agree on both.
//!
//! A store keeps an index of the words of its messages and looks candidates up in it; everything that decides lives
//! here, once for all stores:
//!
//! - [`SearchQuery`] and its grammar, [`SearchExpr`];
//! - the analyzer: [`SearchDocument`] is what an index keeps of a message, [`fold_text`] how letters are compared;
//! - [`SearchPlan`] drives a search: it says what to read next, checks what was read, ranks it, and makes the
//!   [`SearchHit`]s with their [`Snippet`]s and cursors.

mod analyzer;
mod candidate;
mod document;
mod expr;
mod grammar;
mod hit;
mod page;
mod place;
mod plan;
mod query;
mod rank;
mod reading;
mod snippet;

pub use self::candidate::{CorruptCandidate, SearchCandidate, SearchRead};
pub use self::document::SearchDocument;
pub use self::expr::{SearchExpr, SearchPhrase};
pub use self::hit::SearchHit;
pub use self::page::SearchPage;
pub use self::place::SearchKey;
pub use self::plan::SearchPlan;
pub use self::query::{MAX_RANKED, MAX_SEARCH_BYTES, SearchOrder, SearchQuery};
pub use self::reading::SearchReading;
pub use self::snippet::{MAX_SNIPPET_CHARS, Snippet};
pub use crate::fold::fold_text;

/// The version of the analyzer. It grows with every change of the words that it makes of a text; messages indexed by
/// another version are to be indexed again.
pub const ANALYZER_VERSION: i32 = 2;
