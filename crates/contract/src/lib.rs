#![doc = include_str!("../README.md")]
#![expect(clippy::missing_panics_doc, reason = "a case fails by panicking")]

#[macro_use]
mod fixture;
#[macro_use]
mod listing;

pub mod append;
pub mod append_each;
pub mod append_each_races;
pub mod concurrency;
pub mod content;
pub mod corrupt_rows;
pub mod cursors;
pub mod damage;
pub mod edits;
pub mod faulty;
pub mod filters;
pub mod found;
pub mod lists;
pub mod metadata;
pub mod reads;
pub mod scripts;
pub mod search;
pub mod search_bounds;
pub mod search_cursors;
pub mod search_filters;
pub mod search_pages;
pub mod search_parts;
pub mod search_readings;
pub mod search_signs;
pub mod search_tenants;
pub mod search_writes;
pub mod shapes;
pub mod snippets;
pub mod tenants;
pub mod thread_filters;
pub mod thread_names;
pub mod threads;
pub mod time;
pub mod without_search;

mod finding;
mod runner;

pub use runner::{Case, CaseFuture, Repo, run};

/// Every case of the contract, in the order of the listing. A name is there once.
pub const CASES: &[Case] = __chatkeep_search_cases!((__chatkeep_table)());

/// The cases about rows that cannot be decoded, for stores whose rows a test can damage. Their names are no other case's.
pub const CORRUPT_ROW_CASES: &[Case<damage::Damageable>] =
    __chatkeep_corrupt_row_cases!((__chatkeep_table)());
