#![doc = include_str!("../README.md")]

mod append;
mod blocking;
mod candidates;
mod config;
mod connection;
mod error;
mod identity;
mod index;
mod messages;
mod readers;
mod row;
mod schema;
mod search;
mod sql;
mod store;
mod stored;
mod threads;
mod upkeep;
mod writer;

pub use config::SqliteConfig;
pub use error::SqliteError;
pub use store::SqliteRepository;
