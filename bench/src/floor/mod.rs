//! The floor: what the plainest code by hand does on each backend, with the same schema and the same durability.

pub(crate) mod memory;
pub(crate) mod pgbench;
pub(crate) mod postgres;
pub(crate) mod postgres_sql;
pub(crate) mod sqlite;

use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use chatkeep::ConversationRepository;

use self::pgbench::Pgbench;
use crate::data::Shape;
use crate::load::sqlite::Indexed;
use crate::measure::On;

/// What the floor does. Numbers of users and threads are those of [`data`](crate::data).
pub(crate) trait Floor: Send + Sync + 'static {
    /// What its callers are.
    const ON: On;

    /// Appends a message, and returns when it is durable.
    fn append(&self, caller: usize, thread: usize) -> impl Future<Output = Result<()>> + Send;

    /// Appends as many messages, all or none.
    fn append_batch(&self, thread: usize, count: usize) -> impl Future<Output = Result<()>> + Send;

    /// Reads the newest messages of the first thread, oldest first; gives the bytes of their texts.
    fn newest(&self, count: usize) -> impl Future<Output = Result<usize>> + Send;

    /// Reads all messages of the first thread one by one; gives their number and the bytes of their texts.
    fn read_all(&self) -> impl Future<Output = Result<(usize, usize)>> + Send;

    /// Lists the first user's newest threads; gives how many it got.
    fn list(&self, count: usize) -> impl Future<Output = Result<usize>> + Send;

    /// Looks for [`WORD`](crate::corpus::WORD) in an organization; gives how many messages it got.
    fn search(&self, org: usize, count: usize) -> impl Future<Output = Result<usize>> + Send;
}

/// Two stores that hold the same: one for ours, one for the floor.
pub(crate) trait Pair: Sized {
    type Floor: Floor;

    /// What both need.
    type Server;

    /// How it is called in the result.
    const BACKEND: &'static str;

    /// Makes and fills what both are copies of.
    fn load(server: &Self::Server, shape: Shape) -> impl Future<Output = Result<Self>>;

    /// Makes both as they were loaded, if rows of this shape write: each is to begin with the same. Called before each.
    fn renew(&mut self) -> impl Future<Output = Result<()>>;

    /// Opens ours, with at most as many connections if the backend has them; by default with as many as by default.
    fn ours(&self, connections: Option<u32>)
    -> impl Future<Output = Result<Arc<dyn ConversationRepository>>>;

    /// Opens ours so that appends that wait go together.
    fn uncoalesced(
        &self,
        _connections: Option<u32>,
    ) -> impl Future<Output = Result<Arc<dyn ConversationRepository>>> {
        std::future::ready(Err(anyhow!("only PostgreSQL is measured with and without")))
    }

    /// Opens the floor, with as many clients if the backend has them.
    fn floor(&self, clients: usize) -> impl Future<Output = Result<Self::Floor>>;

    /// What a round of ours waits for in its end, where ours makes the index behind the appends and the floor with them.
    /// Asked after ours was opened.
    fn indexed(&self) -> Result<Option<Indexed>> {
        Ok(None)
    }

    /// The appends of `pgbench`.
    fn pgbench(&self, _callers: usize) -> Result<Pgbench> {
        bail!("pgbench is for PostgreSQL")
    }
}
