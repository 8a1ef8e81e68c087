//! The index of searches and filters: filling it again, its migration, its limits, and the plans that it gives.
#![cfg(all(feature = "postgres", feature = "sqlite"))]

mod common;
#[path = "search/explained.rs"]
mod explained;
#[path = "search/filters.rs"]
mod filters;
#[path = "search/fixture.rs"]
mod fixture;
mod heard;
#[path = "search/limits.rs"]
mod limits;
#[path = "search/plans_postgres.rs"]
mod plans_postgres;
#[path = "search/plans_sqlite.rs"]
mod plans_sqlite;
#[path = "search/questions.rs"]
mod questions;
#[path = "search/reindex.rs"]
mod reindex;
#[path = "search/reindex_meanwhile.rs"]
mod reindex_meanwhile;
#[path = "search/schema.rs"]
mod schema;
