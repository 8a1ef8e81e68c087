//! One message at a time.

use anyhow::Result;
use chatkeep::{Role, StateManager};

use super::states;
use crate::data::{TEXT, USERS, thread_id};
use crate::floor::{Floor, Pair};
use crate::measure::{Callers, Measured, On, Plan, Work, compare};

/// The connections that 16 callers and more share, ours and the floor's.
const CONNECTIONS: u32 = 16;

struct Ours {
    states: Vec<StateManager>,
    walk: Walk,
}

struct ByHand<F> {
    floor: F,
    walk: Walk,
}

/// Each caller goes through threads of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk {
    pub(super) threads: usize,
    pub(super) callers: usize,
}

impl Walk {
    pub(super) fn thread(self, caller: usize, turn: usize) -> usize {
        (caller + turn * self.callers) % self.threads
    }
}

/// A row that appends with [`Coalescing`] would wrap what `pair.ours` gives, and be measured as this is.
pub(super) async fn measure<P: Pair>(
    pair: &P,
    callers: usize,
    threads: usize,
    plan: Plan,
) -> Result<Measured> {
    let (connections, clients) =
        if callers > 1 { (Some(CONNECTIONS), CONNECTIONS as usize) } else { (None, 1) };
    let walk = Walk { threads, callers };
    let ours = Ours { states: states(pair, connections).await?, walk };
    let floor = ByHand { floor: pair.floor(clients).await?, walk };
    let ours = Callers::new(ours, callers, On::Tasks);
    compare(plan, ours, Callers::new(floor, callers, P::Floor::ON)).await
}

impl Work for Ours {
    async fn step(&self, caller: usize, turn: usize) -> Result<usize> {
        let thread = self.walk.thread(caller, turn);
        let state = &self.states[thread % USERS];
        state.add_message(Role::User, TEXT).thread(thread_id(thread)).await?;
        Ok(1)
    }
}

impl<F: Floor> Work for ByHand<F> {
    async fn step(&self, caller: usize, turn: usize) -> Result<usize> {
        self.floor.append(caller, self.walk.thread(caller, turn)).await?;
        Ok(1)
    }
}
