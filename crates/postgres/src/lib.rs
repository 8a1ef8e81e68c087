#![doc = include_str!("../README.md")]

mod append;
mod branches;
mod candidates;
mod check;
mod config;
mod connect;
mod connection;
#[cfg(feature = "entities")]
pub mod entities;
#[cfg(not(feature = "entities"))]
#[expect(unreachable_pub, reason = "the feature makes them public")]
mod entities;
mod error;
mod forks;
mod lists;
mod messages;
pub mod migration;
mod patience;
mod pool;
mod removals;
mod row;
mod search;
mod server;
mod sql;
mod statements;
mod store;
mod stream;
mod tags;
mod target;
mod threads;
mod upkeep;
mod walk;
mod words;

pub use config::PostgresConfig;
pub use connection::{Connections, Transaction};
pub use error::DriverError;
pub use migration::PostgresMigrations;
pub use pool::ConnectionPool;
pub use server::{PostgresServer, SslMode};
pub use store::PostgresRepository;
