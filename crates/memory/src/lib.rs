#![doc = include_str!("../README.md")]

mod branches;
mod index;
mod messages;
mod record;
mod search;
mod state;
mod store;
mod threads;

pub use store::MemoryRepository;
