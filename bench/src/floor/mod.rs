//! The floor: what the plainest code by hand does on each backend, with the same schema and the same durability.

pub(crate) mod memory;
pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::sync::Arc;

use anyhow::Result;
use chatkeep::ConversationRepository;

use crate::measure::On;

/// What the floor does. Numbers of users and threads are those of [`data`](crate::data).
pub(crate) trait Floor: Send + Sync + 'static {
    /// What its callers are.
    const ON: On;

    /// Appends a message, and returns when it is durable.
    fn append(&self, caller: usize, thread: usize) -> impl Future<Output = Result<()>> + Send;
}

/// Two stores that hold the same: one for ours, one for the floor.
pub(crate) trait Pair {
    type Floor: Floor;

    /// How it is called in the result.
    const BACKEND: &'static str;

    /// Opens ours, with at most as many connections if the backend has them; by default with as many as by default.
    fn ours(
        &self,
        connections: Option<u32>,
    ) -> impl Future<Output = Result<Arc<dyn ConversationRepository>>> + Send;

    /// Opens the floor, with as many clients if the backend has them.
    fn floor(&self, clients: usize) -> impl Future<Output = Result<Self::Floor>> + Send;
}
