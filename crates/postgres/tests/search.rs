//! The index of searches and filters: filling it again, its migration, its limits, its upkeep, and the plans that it gives.

#[path = "search/branches.rs"]
mod branches;
mod common;
#[path = "search/explained.rs"]
mod explained;
#[path = "search/filters.rs"]
mod filters;
#[path = "search/fixture.rs"]
mod fixture;
#[path = "search/limits.rs"]
mod limits;
#[path = "search/plans.rs"]
mod plans;
#[path = "search/questions.rs"]
mod questions;
#[path = "search/reindex.rs"]
mod reindex;
#[path = "search/reindex_meanwhile.rs"]
mod reindex_meanwhile;
#[path = "search/schema.rs"]
mod schema;
#[path = "search/upkeep.rs"]
mod upkeep;
