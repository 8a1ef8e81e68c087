#![doc = include_str!("../README.md")]
#![expect(clippy::missing_panics_doc, reason = "a case fails by panicking")]

#[macro_use]
mod fixture;
#[macro_use]
mod listing;

pub mod append;
pub mod concurrency;
pub mod content;
pub mod cursors;
pub mod edits;
pub mod faulty;
pub mod lists;
pub mod reads;
pub mod tenants;
pub mod threads;
pub mod time;

mod runner;

pub use runner::{Case, CaseFuture, Repo, run};

/// Every case of the contract, in the order of the listing. A name is there once.
pub const CASES: &[Case] = __chatkeep_cases!((__chatkeep_table));
