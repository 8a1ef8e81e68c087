//! Two stores in this process.

use std::sync::Arc;

use anyhow::Result;
use chatkeep::{ConversationRepository, MemoryRepository, Role, StateManager};

use super::fill_corpus;
use crate::data::{Shape, TEXT, USERS, scope, thread_id};
use crate::floor::Pair;
use crate::floor::memory::MemoryFloor;

pub(crate) struct MemoryPair {
    shape: Shape,
    ours: MemoryRepository,
    floor: MemoryFloor,
}

async fn fill(store: &MemoryRepository, shape: Shape) -> Result<()> {
    let store: Arc<dyn ConversationRepository> = Arc::new(store.clone());
    if let Shape::Corpus(orgs) = shape {
        return fill_corpus(&store, orgs).await;
    }
    let states: Vec<_> = (0..USERS).map(|user| StateManager::new(Arc::clone(&store), scope(user))).collect();
    for number in 0..shape.threads() {
        let state = &states[shape.owner(number)];
        state.create_thread(format!("thread {number}")).id(thread_id(number)).await?;
    }
    if let Shape::Messages(count) = shape {
        for first in (0..count).step_by(1_000) {
            let batch = (first..count.min(first + 1_000)).map(|_| (Role::User, TEXT));
            states[0].conversation(thread_id(0)).add_messages(batch).await?;
        }
    }
    Ok(())
}

async fn made(shape: Shape) -> Result<MemoryRepository> {
    // The floor has an index only where it is searched; so has ours.
    let store = match shape {
        Shape::Corpus(_) => MemoryRepository::new(),
        _ => MemoryRepository::without_search(),
    };
    fill(&store, shape).await?;
    Ok(store)
}

impl Pair for MemoryPair {
    type Floor = MemoryFloor;

    type Server = ();

    const BACKEND: &'static str = "memory";

    async fn load((): &(), shape: Shape) -> Result<Self> {
        let (ours, floor) = (made(shape).await?, MemoryFloor::load(shape));
        Ok(Self { shape, ours, floor })
    }

    async fn renew(&mut self) -> Result<()> {
        if self.shape.is_written() {
            *self = Self::load(&(), self.shape).await?;
        }
        Ok(())
    }

    async fn ours(&self, _: Option<u32>) -> Result<Arc<dyn ConversationRepository>> {
        Ok(Arc::new(self.ours.clone()))
    }

    async fn floor(&self, _: usize) -> Result<MemoryFloor> {
        Ok(self.floor.clone())
    }
}
