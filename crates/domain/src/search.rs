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
mod document;
mod expr;
mod fold;
mod grammar;
mod page;
mod plan;
mod query;
mod rank;
mod snippet;

pub use self::document::SearchDocument;
pub use self::expr::{SearchExpr, SearchPhrase};
pub use self::fold::fold_text;
pub use self::page::{SearchPage, SearchReading};
pub(crate) use self::plan::Place;
pub use self::plan::{CorruptCandidate, SearchCandidate, SearchKey, SearchPlan, SearchRead};
pub use self::query::{MAX_RANKED, MAX_SEARCH_BYTES, SearchHit, SearchOrder, SearchQuery};
pub(crate) use self::rank::Score;
pub use self::snippet::{MAX_SNIPPET_CHARS, Snippet};

/// The version of the analyzer. It grows with every change of the words that it makes of a text; messages indexed by
/// another version are to be indexed again.
pub const ANALYZER_VERSION: i32 = 2;
