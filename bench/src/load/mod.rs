//! Pairs of stores, filled alike.

pub(crate) mod memory;
pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::sync::Arc;

use anyhow::{Result, ensure};
use chatkeep::{ChatMessage, ConversationRepository, Role, StateManager};

use crate::data::{Content, TEXT, content, scope, thread_id};

/// The thread in which ours stores the first message, which the others are copies of.
const SEED: usize = 1 << 40;

/// The threads that are made only to see what ours writes: one of each user, the user's number behind [`SEED`].
pub(super) async fn seed(store: &Arc<dyn ConversationRepository>, users: usize) -> Result<()> {
    for number in 0..users {
        let state = StateManager::new(Arc::clone(store), scope(number));
        let created = state.create_thread("A thread of messages").id(thread_id(SEED + number)).await?;
        let message = state.add_message(Role::User, TEXT).thread(created.id).await?;
        ensure_alike(&message)?;
    }
    Ok(())
}

/// The floor is to write what ours does.
fn ensure_alike(message: &ChatMessage) -> Result<()> {
    let text = content()?;
    let by_hand: Content<'_> = serde_json::from_str(&text)?;
    ensure!(message.content.as_text() == Some(&by_hand.text), "the floor writes another content than ours");
    Ok(())
}
