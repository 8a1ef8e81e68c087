//! From nothing to the first append that is acknowledged.

use std::time::{Duration, Instant};

use anyhow::Result;
use chatkeep::{Role, StateManager};

use crate::data::{TEXT, USERS, scope, thread_id};
use crate::floor::{Floor as _, Pair};
use crate::measure::{Measured, Plan, Side, compare, rate};

struct Starts<'a, P> {
    pair: &'a P,
    is_ours: bool,
    threads: usize,
    turn: usize,
}

/// Closing is not timed.
pub(super) async fn measure<P: Pair>(pair: &P, threads: usize, plan: Plan) -> Result<Measured> {
    let side = |is_ours| Starts { pair, is_ours, threads, turn: 0 };
    compare(plan, side(true), side(false)).await
}

impl<P: Pair> Side for Starts<'_, P> {
    async fn round(&mut self, round: Duration) -> Result<f64> {
        let (mut starts, mut busy) = (0, Duration::ZERO);
        while busy < round {
            let thread = self.turn % self.threads;
            self.turn += 1;
            let start = Instant::now();
            if self.is_ours {
                let store = self.pair.ours(None).await?;
                let state = StateManager::new(store, scope(thread % USERS));
                state.conversation(thread_id(thread)).add_message(Role::User, TEXT).await?;
                busy += start.elapsed();
                state.close().await?;
            } else {
                let floor = self.pair.floor(1).await?;
                floor.append(0, thread).await?;
                busy += start.elapsed();
            }
            starts += 1;
        }
        Ok(rate(starts, busy))
    }
}
