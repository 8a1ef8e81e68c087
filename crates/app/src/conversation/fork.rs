//! Forks: a copy that is a thread of its own.

use std::fmt;
use std::future::IntoFuture;

use chatkeep_domain::{
    BranchPoint, ChatThread, Fork, Hidden, Metadata, NewThread, Page, Position, ThreadId, ThreadQuery, UserId,
};

use crate::conversation::Conversation;
use crate::error::Error;
use crate::input::BoxFuture;
use crate::state_manager::StateManager;

impl Conversation {
    /// A thread of its own with a copy of what this branch shows, up to its end unless the request says otherwise.
    ///
    /// ```
    /// use chatkeep::Role;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chatkeep::Error> {
    /// # let state = chatkeep::StateManager::new(
    /// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
    /// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
    /// # );
    /// let chat = state.conversation(state.create_thread("Weather").await?.id);
    /// chat.add_message(Role::User, "How is the weather in Oslo?").await?;
    ///
    /// let fork = state.conversation(chat.fork("Weather, again").await?.id);
    /// assert_eq!(fork.get_messages().await?.len(), 1);
    /// assert_eq!(state.list_forks(chat.thread_id()).await?.items.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn fork(&self, name: impl Into<String>) -> ForkThread {
        let (conversation, name) = (self.clone(), name.into());
        ForkThread { conversation, name, through: None, user: None, id: None, metadata: Metadata::new() }
    }
}

impl StateManager {
    /// The first 100 forks of a thread that the scope sees, the newest update first. The thread itself need not be there any
    /// more. [`ThreadQuery::forked_from`] finds more of them.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn list_forks(&self, thread: ThreadId) -> Result<Page<ChatThread>, Error> {
        self.list_threads(&ThreadQuery::default().forked_from(thread)).await
    }
}

/// [`Conversation::fork`]. Gives the new thread. A branch that is not there is
/// [`StoreError::NotFound`](crate::StoreError::NotFound); a store that declines branches answers
/// [`StoreError::Unsupported`](crate::StoreError::Unsupported).
#[must_use = "nothing happens until it is awaited"]
pub struct ForkThread {
    conversation: Conversation,
    name: String,
    through: Option<Position>,
    user: Option<UserId>,
    id: Option<ThreadId>,
    metadata: Metadata,
}

impl ForkThread {
    /// Copies what is up to this position alone.
    pub fn through(mut self, position: Position) -> Self {
        self.through = Some(position);
        self
    }

    /// The user who owns the fork, instead of the owner of the thread; must be within the scope.
    pub fn user(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }

    /// The fork's id, instead of a new one. Calling again with the same id gives back the fork.
    pub fn id(mut self, id: ThreadId) -> Self {
        self.id = Some(id);
        self
    }

    /// With metadata.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    async fn run(self) -> Result<ChatThread, Error> {
        let Self { conversation: chat, name, through, user, id, metadata } = self;
        let state = &chat.state;
        let origin = chat.get_thread().await?;
        let through = match through {
            Some(position) => position,
            None if chat.branch.is_main() => origin.head,
            None => chat.head().await?,
        };
        let id = id.unwrap_or_else(|| state.ids().thread_id());
        let user = user.unwrap_or(origin.user_id);
        let new = NewThread::new(id, origin.org_id, user, name, state.clock().now())
            .with_metadata(metadata)
            .with_version(state.ids().version());
        let fork = Fork::new(new, BranchPoint::new(chat.branch, through));
        Ok(state.branches()?.fork_thread(state.scope(), chat.thread, fork).await?)
    }
}

impl fmt::Debug for ForkThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForkThread")
            .field("conversation", &self.conversation)
            .field("name", &Hidden::text(&self.name))
            .field("through", &self.through)
            .field("user", &self.user)
            .field("id", &self.id)
            .field("metadata", &Hidden::keys(&self.metadata))
            .finish()
    }
}

impl IntoFuture for ForkThread {
    type Output = Result<ChatThread, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
