//! Pairs of stores, filled alike.

pub(crate) mod memory;
pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::sync::Arc;

use anyhow::{Result, ensure};
use chatkeep::{ChatMessage, ConversationRepository, OrgId, Role, Scope, StateManager, UserId};
use tokio::task::JoinSet;

use crate::corpus::{self, MESSAGES, OWNER, THREAD_LEN};
use crate::data::{Content, TEXT, content, scope, thread_id};

/// The thread in which ours stores the first message, which the others are copies of.
pub(crate) const SEED: usize = 1 << 40;

/// The threads that are made only to see what ours writes: one of each user, the user's number behind [`SEED`].
pub(super) async fn seed(store: &Arc<dyn ConversationRepository>, users: usize) -> Result<()> {
    for number in 0..users {
        let state = StateManager::new(Arc::clone(store), scope(number));
        let created = state.create_thread("A thread of messages").id(thread_id(SEED + number)).await?;
        let message = state.conversation(created.id).add_message(Role::User, TEXT).await?;
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

/// Who owns what is searched in an organization.
pub(crate) fn corpus_scope(org: usize) -> Result<Scope> {
    Ok(Scope::user(OrgId::new(corpus::org(org))?, UserId::new(OWNER)?))
}

/// Stores what is searched, through ours: only it can make the index of so many words.
async fn fill_corpus(store: &Arc<dyn ConversationRepository>, orgs: usize) -> Result<()> {
    let texts: Arc<Vec<String>> = Arc::new((0..MESSAGES).map(corpus::text).collect());
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let (store, texts) = (Arc::clone(store), Arc::clone(&texts));
        tasks.spawn(async move {
            for org in (writer..orgs).step_by(WRITERS) {
                let state = StateManager::new(Arc::clone(&store), corpus_scope(org)?);
                for batch in texts.chunks(THREAD_LEN) {
                    let thread = state.create_thread("A thread of words").await?;
                    let batch = batch.iter().map(|text| (Role::User, text.as_str()));
                    state.conversation(thread.id).add_messages(batch).await?;
                }
            }
            anyhow::Ok(())
        });
    }
    tasks.join_all().await.into_iter().collect()
}

/// Organizations that are filled at the same time.
const WRITERS: usize = 8;
