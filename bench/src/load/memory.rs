//! Two stores in this process.

use std::sync::Arc;

use anyhow::Result;
use chatkeep::{ConversationRepository, DatabaseConfig, Role, Scope, StateManager};

use super::fill_corpus;
use crate::data::{Shape, TEXT, USERS, scope, thread_id};
use crate::floor::Pair;
use crate::floor::memory::MemoryFloor;

pub(crate) struct MemoryPair {
    shape: Shape,
    ours: Arc<dyn ConversationRepository>,
    floor: MemoryFloor,
}

async fn fill(store: &Arc<dyn ConversationRepository>, shape: Shape) -> Result<()> {
    if let Shape::Corpus(orgs) = shape {
        fill_corpus(store, orgs).await?;
        // The first search takes the words in. It is not what the row measures.
        StateManager::new(Arc::clone(store), Scope::operator()).search("first").await?;
        return Ok(());
    }
    let states: Vec<_> = (0..USERS).map(|user| StateManager::new(Arc::clone(store), scope(user))).collect();
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

impl Pair for MemoryPair {
    type Floor = MemoryFloor;

    type Server = ();

    const BACKEND: &'static str = "memory";

    async fn load((): &(), shape: Shape) -> Result<Self> {
        let ours = chatkeep::create_repository(&DatabaseConfig::memory()).await?;
        fill(&ours, shape).await?;
        Ok(Self { shape, ours, floor: MemoryFloor::load(shape) })
    }

    async fn renew(&mut self) -> Result<()> {
        if self.shape.is_written() {
            *self = Self::load(&(), self.shape).await?;
        }
        Ok(())
    }

    async fn ours(&self, _: Option<u32>) -> Result<Arc<dyn ConversationRepository>> {
        Ok(Arc::clone(&self.ours))
    }

    async fn floor(&self, _: usize) -> Result<MemoryFloor> {
        Ok(self.floor.clone())
    }
}
