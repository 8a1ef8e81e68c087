#![doc = include_str!("../README.md")]

mod append;
mod backup;
mod blocking;
mod branches;
mod candidates;
mod checkpoint;
mod commit;
mod config;
mod connection;
#[cfg(test)]
mod costs;
mod error;
mod fork;
mod identity;
mod in_thread;
mod index;
mod lists;
mod maintenance;
mod messages;
mod migrations;
mod parts;
mod places;
#[cfg(test)]
mod plans;
mod readers;
mod reindex;
mod removals;
mod row;
mod schema;
mod search;
mod sql;
mod store;
mod stored;
mod threads;
mod unfinished;
mod upkeep;
mod writer;

pub use config::SqliteConfig;
pub use error::SqliteError;
pub use maintenance::SqliteMigrations;
pub use store::SqliteRepository;
