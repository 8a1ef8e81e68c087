//! Appends.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex as BlockingMutex, PoisonError};

use anyhow::Result;
use chatkeep::{Conversation, ConversationHistory, ConversationRepository, Role, StateManager};
use futures_util::future::try_join_all;
use tokio::sync::Mutex;

use super::{managers, states};
use crate::data::{TEXT, USERS, thread_id};
use crate::floor::{Floor, Pair};
use crate::load::sqlite::Indexed;
use crate::measure::{Callers, Measured, On, Plan, Work, compare};

/// The connections that 16 callers and more share, ours and the floor's.
const CONNECTIONS: u32 = 16;

/// The messages of a window.
const WINDOW: usize = 50;

struct Ours {
    states: Vec<StateManager>,
    walk: Walk,
    how: How,
    indexed: Option<Indexed>,
}

struct ByHand<F> {
    floor: F,
    walk: Walk,
    how: How,
}

/// What a caller does at a time.
#[derive(Debug, Clone, Copy)]
enum How {
    /// Appends a message.
    One,
    /// Appends as many to one thread, all or none.
    Batch(usize),
    /// Appends one to each of as many threads: ours all at the same time.
    Joined(usize),
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

    /// The threads of a turn in which the caller appends to as many.
    fn threads(self, turn: usize, count: usize) -> impl Iterator<Item = usize> {
        (0..count).map(move |at| (turn * count + at) % self.threads)
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

/// The same, each in a statement of its own.
pub(super) async fn append_uncoalesced<P: Pair>(
    pair: &P,
    callers: usize,
    threads: usize,
    plan: Plan,
) -> Result<Measured> {
    let store = pair.uncoalesced(connections(callers)).await?;
    append_to(&store, pair, Walk { threads, callers }, plan).await
}

async fn append_to<P: Pair>(
    store: &Arc<dyn ConversationRepository>,
    pair: &P,
    walk: Walk,
    plan: Plan,
) -> Result<Measured> {
    let how = How::One;
    let ours = Ours { states: managers(store), walk, how, indexed: pair.indexed()? };
    let floor = pair.floor(connections(walk.callers).unwrap_or(1) as usize).await?;
    let floor = ByHand { floor, walk, how };
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
    let states = states(pair, connections(callers)).await?;
    let ours = Ours { states, walk, how: How::One, indexed: pair.indexed()? };
    compare(plan, Callers::new(ours, callers, On::Tasks), pair.pgbench(callers)?).await
}

/// Several messages at a time, by one caller.
pub(super) async fn batch<P: Pair>(pair: &P, batch: usize, threads: usize, plan: Plan) -> Result<Measured> {
    by_one_caller(pair, How::Batch(batch), threads, plan).await
}

/// Several appends at the same time in one task, against one after the other.
pub(super) async fn append_join_all<P: Pair>(
    pair: &P,
    appends: usize,
    threads: usize,
    plan: Plan,
) -> Result<Measured> {
    by_one_caller(pair, How::Joined(appends), threads, plan).await
}

async fn by_one_caller<P: Pair>(pair: &P, how: How, threads: usize, plan: Plan) -> Result<Measured> {
    let walk = Walk { threads, callers: 1 };
    let ours = Ours { states: states(pair, None).await?, walk, how, indexed: pair.indexed()? };
    let floor = ByHand { floor: pair.floor(1).await?, walk, how };
    compare(plan, Callers::new(ours, 1, On::Tasks), Callers::new(floor, 1, P::Floor::ON)).await
}

async fn settle(indexed: Option<&Indexed>) -> Result<()> {
    match indexed {
        Some(indexed) => indexed.wait().await,
        None => Ok(()),
    }
}

impl Ours {
    fn chat(&self, thread: usize) -> Conversation {
        self.states[thread % USERS].conversation(thread_id(thread))
    }
}

impl Work for Ours {
    async fn step(&self, caller: usize, turn: usize) -> Result<usize> {
        let chat = self.chat(self.walk.thread(caller, turn));
        match self.how {
            How::One => {
                chat.add_message(Role::User, TEXT).await?;
                Ok(1)
            }
            How::Batch(count) => {
                let batch = (0..count).map(|_| (Role::User, TEXT));
                Ok(chat.add_messages(batch).await?.messages.len())
            }
            How::Joined(count) => {
                let threads = self.walk.threads(turn, count);
                let append = |thread| self.chat(thread).add_message(Role::User, TEXT).into_future();
                Ok(try_join_all(threads.map(append)).await?.len())
            }
        }
    }

    async fn settle(&self) -> Result<()> {
        settle(self.indexed.as_ref()).await
    }
}

impl<F: Floor> Work for ByHand<F> {
    async fn step(&self, caller: usize, turn: usize) -> Result<usize> {
        match self.how {
            How::One => self.floor.append(caller, self.walk.thread(caller, turn)).await.map(|()| 1),
            How::Batch(count) => {
                self.floor.append_batch(self.walk.thread(caller, turn), count).await?;
                Ok(count)
            }
            How::Joined(count) => {
                for thread in self.walk.threads(turn, count) {
                    self.floor.append(caller, thread).await?;
                }
                Ok(count)
            }
        }
    }
}

struct OurWindow {
    history: Mutex<ConversationHistory>,
    indexed: Option<Indexed>,
}

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
    let ours = OurWindow { history: Mutex::new(history), indexed: pair.indexed()? };
    let ours = Callers::new(ours, 1, On::Tasks);
    compare(plan, ours, Callers::new(floor, 1, P::Floor::ON)).await
}

impl Work for OurWindow {
    async fn step(&self, _: usize, turn: usize) -> Result<usize> {
        let mut history = self.history.lock().await;
        if turn.is_multiple_of(2) {
            history.add_user_message(TEXT).await?;
        } else {
            history.add_assistant_message(TEXT).await?;
        }
        Ok(1)
    }

    async fn settle(&self) -> Result<()> {
        settle(self.indexed.as_ref()).await
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
