//! Appends.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex as BlockingMutex, PoisonError};

use anyhow::Result;
use chatkeep::{ConversationHistory, ConversationRepository, Role, StateManager};
use tokio::sync::Mutex;

use super::{managers, states};
use crate::data::{TEXT, USERS, thread_id};
use crate::floor::{Floor, Pair};
use crate::measure::{Callers, Measured, On, Plan, Work, compare};

/// The connections that 16 callers and more share, ours and the floor's.
const CONNECTIONS: u32 = 16;

/// The messages of a window.
const WINDOW: usize = 50;

struct Ours {
    states: Vec<StateManager>,
    walk: Walk,
    /// The messages of a batch; one is no batch.
    batch: usize,
}

struct ByHand<F> {
    floor: F,
    walk: Walk,
    batch: usize,
}

/// Each caller goes through threads of its own.
#[derive(Debug, Clone, Copy)]
struct Walk {
    threads: usize,
    callers: usize,
}

impl Walk {
    fn thread(self, caller: usize, turn: usize) -> usize {
        (caller + turn * self.callers) % self.threads
    }
}

fn connections(callers: usize) -> Option<u32> {
    (callers > 1).then_some(CONNECTIONS)
}

/// One message at a time.
pub(super) async fn append<P: Pair>(
    pair: &P,
    callers: usize,
    threads: usize,
    plan: Plan,
) -> Result<Measured> {
    let store = pair.ours(connections(callers)).await?;
    append_to(&store, pair, Walk { threads, callers }, plan).await
}

/// The same, where those that wait go together.
pub(super) async fn append_coalesced<P: Pair>(
    pair: &P,
    callers: usize,
    threads: usize,
    plan: Plan,
) -> Result<Measured> {
    let store = pair.coalescing(connections(callers)).await?;
    append_to(&store, pair, Walk { threads, callers }, plan).await
}

async fn append_to<P: Pair>(
    store: &Arc<dyn ConversationRepository>,
    pair: &P,
    walk: Walk,
    plan: Plan,
) -> Result<Measured> {
    let ours = Ours { states: managers(store), walk, batch: 1 };
    let floor = pair.floor(connections(walk.callers).unwrap_or(1) as usize).await?;
    let floor = ByHand { floor, walk, batch: 1 };
    let (ours, floor) =
        (Callers::new(ours, walk.callers, On::Tasks), Callers::new(floor, walk.callers, P::Floor::ON));
    compare(plan, ours, floor).await
}

/// The same of ours, against `pgbench`.
pub(super) async fn append_pgbench<P: Pair>(
    pair: &P,
    callers: usize,
    threads: usize,
    plan: Plan,
) -> Result<Measured> {
    let walk = Walk { threads, callers };
    let ours = Ours { states: states(pair, connections(callers)).await?, walk, batch: 1 };
    compare(plan, Callers::new(ours, callers, On::Tasks), pair.pgbench(callers)?).await
}

/// Several messages at a time, by one caller.
pub(super) async fn batch<P: Pair>(pair: &P, batch: usize, threads: usize, plan: Plan) -> Result<Measured> {
    let walk = Walk { threads, callers: 1 };
    let ours = Ours { states: states(pair, None).await?, walk, batch };
    let floor = ByHand { floor: pair.floor(1).await?, walk, batch };
    compare(plan, Callers::new(ours, 1, On::Tasks), Callers::new(floor, 1, P::Floor::ON)).await
}

impl Work for Ours {
    async fn step(&self, caller: usize, turn: usize) -> Result<usize> {
        let thread = self.walk.thread(caller, turn);
        let chat = self.states[thread % USERS].conversation(thread_id(thread));
        if self.batch == 1 {
            chat.add_message(Role::User, TEXT).await?;
        } else {
            let batch = (0..self.batch).map(|_| (Role::User, TEXT));
            chat.add_messages(batch).await?;
        }
        Ok(self.batch)
    }
}

impl<F: Floor> Work for ByHand<F> {
    async fn step(&self, caller: usize, turn: usize) -> Result<usize> {
        let thread = self.walk.thread(caller, turn);
        if self.batch == 1 {
            self.floor.append(caller, thread).await?;
        } else {
            self.floor.append_batch(thread, self.batch).await?;
        }
        Ok(self.batch)
    }
}

struct OurWindow(Mutex<ConversationHistory>);

struct WindowByHand<F> {
    floor: F,
    texts: BlockingMutex<VecDeque<String>>,
}

/// A conversation that is stored, and of which the newest messages are held.
pub(super) async fn window<P: Pair>(pair: &P, plan: Plan) -> Result<Measured> {
    let history = ConversationHistory::builder()
        .max_messages(WINDOW)
        .conversation(states(pair, None).await?[0].conversation(thread_id(0)))
        .persist_to_db(true)
        .build()?;
    let floor = WindowByHand { floor: pair.floor(1).await?, texts: BlockingMutex::default() };
    let ours = Callers::new(OurWindow(Mutex::new(history)), 1, On::Tasks);
    compare(plan, ours, Callers::new(floor, 1, P::Floor::ON)).await
}

impl Work for OurWindow {
    async fn step(&self, _: usize, turn: usize) -> Result<usize> {
        let mut history = self.0.lock().await;
        if turn.is_multiple_of(2) {
            history.add_user_message(TEXT).await?;
        } else {
            history.add_assistant_message(TEXT).await?;
        }
        Ok(1)
    }
}

impl<F: Floor> Work for WindowByHand<F> {
    async fn step(&self, caller: usize, _: usize) -> Result<usize> {
        self.floor.append(caller, 0).await?;
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.push_back(TEXT.to_owned());
        if texts.len() > WINDOW {
            texts.pop_front();
        }
        Ok(1)
    }
}
