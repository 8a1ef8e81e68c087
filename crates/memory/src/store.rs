//! The store: its lock, and what stands between the contents that callers see and those that are kept.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chatkeep_domain::{
    BranchRepository, ChatMessage, Codec, Content, ContentKey, ConversationRepository, Entity, MessageFilter,
    MessageSearch, OrgId, Scope, StoreError, ThreadId,
};

use crate::record::Result;
use crate::state::State;

/// Conversations in memory. A clone is another handle to the same store.
#[derive(Clone, Default)]
pub struct MemoryRepository {
    /// All that is kept, behind the only lock. A call takes the lock, does its work and lets go: it happens as a whole or
    /// not at all. What may take long is done before or after, and nothing is awaited meanwhile.
    state: Arc<Mutex<State>>,
    /// `None`: contents are kept as they are.
    pub(crate) codec: Option<Arc<dyn Codec>>,
    pub(crate) is_without_search: bool,
}

impl MemoryRepository {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that keeps no index of words, and declines to search.
    pub fn without_search() -> Self {
        Self { is_without_search: true, ..Self::default() }
    }

    /// An empty store that keeps each content as the codec seals it, and indexes the words that the codec gives.
    pub fn with_codec(codec: Arc<dyn Codec>) -> Self {
        Self { codec: Some(codec), ..Self::default() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The organization of the thread that a scope means by an id.
    pub(crate) fn org_of<'a>(&self, scope: &'a Scope, id: ThreadId) -> Result<Cow<'a, OrgId>> {
        match scope.org_id() {
            Some(org) => Ok(Cow::Borrowed(org)),
            None => self.state().holder(id).map(|org| Cow::Owned(org.clone())),
        }
    }

    /// A content as it is kept.
    pub(crate) fn seal(&self, key: &ContentKey<'_>, content: &Content) -> Result<Content> {
        let Some(codec) = &self.codec else { return Ok(content.clone()) };
        let sealed = codec.seal(content, key).map_err(|error| StoreError::backend("memory", error))?;
        Ok(Content::text(sealed))
    }

    /// A kept content as callers see it.
    pub(crate) fn open(&self, key: &ContentKey<'_>, kept: &Content) -> Result<Content> {
        let Some(codec) = &self.codec else { return Ok(kept.clone()) };
        let opened = codec.open(kept.as_text().unwrap_or_default(), key);
        opened.map_err(|error| StoreError::corrupt_row(Entity::Message, key.message, error))
    }

    /// Whether contents are kept as they are.
    pub(crate) fn is_plain(&self) -> bool {
        self.codec.is_none()
    }

    /// A kept message as callers see it.
    pub(crate) fn open_message(&self, org: &OrgId, mut kept: ChatMessage) -> Result<ChatMessage> {
        if self.codec.is_some() {
            kept.content = self.open(&ContentKey::new(org, kept.chat_thread_id, kept.id), &kept.content)?;
        }
        Ok(kept)
    }

    /// Whether a kept message passes. One that cannot be opened does: nobody can say that it does not.
    pub(crate) fn matches(&self, org: &OrgId, filter: &MessageFilter, kept: &ChatMessage) -> bool {
        if self.codec.is_none() || filter.metadata.is_empty() {
            return filter.matches(kept);
        }
        self.open_message(org, kept.clone()).map_or(true, |message| filter.matches(&message))
    }
}

#[async_trait]
impl ConversationRepository for MemoryRepository {
    fn search(&self) -> Option<&dyn MessageSearch> {
        (!self.is_without_search).then_some(self as _)
    }

    fn branches(&self) -> Option<&dyn BranchRepository> {
        Some(self)
    }

    fn name(&self) -> &'static str {
        "memory"
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

impl fmt::Debug for MemoryRepository {
    /// Shows nothing of what is kept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRepository").finish_non_exhaustive()
    }
}
