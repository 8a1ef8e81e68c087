#![doc = include_str!("../README.md")]

mod coalescing;
mod inner;
mod layered;
mod retry;
mod traced;

pub use coalescing::{Coalescing, DEFAULT_MAX_GROUP_LEN, DEFAULT_MAX_IN_FLIGHT, MAX_GROUP_MESSAGES};
pub use layered::{CoalescingConfig, DEFAULT_DEADLINE, LayersConfig, layered};
pub use retry::Retry;
pub use traced::Traced;
