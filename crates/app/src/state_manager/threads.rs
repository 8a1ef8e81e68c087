//! Requests that create and change threads.

use std::fmt;
use std::future::IntoFuture;

use chatkeep_domain::{ChatThread, Hidden, Metadata, NewThread, OrgId, ThreadId, ThreadUpdate, UserId};

use crate::error::Error;
use crate::input::BoxFuture;
use crate::state_manager::StateManager;

impl StateManager {
    /// Creates a thread. Its owner is the scope's, unless the request names one.
    pub fn create_thread(&self, name: impl Into<String>) -> CreateThread {
        CreateThread::new(self.clone(), name.into())
    }

    /// Renames or re-tags a thread.
    pub fn update_thread(&self, id: ThreadId) -> UpdateThread {
        UpdateThread::new(self.clone(), id)
    }

    /// Renames a thread.
    pub fn rename_thread(&self, id: ThreadId, name: impl Into<String>) -> UpdateThread {
        self.update_thread(id).name(name)
    }
}

/// [`StateManager::create_thread`].
#[must_use = "nothing happens until it is awaited"]
pub struct CreateThread {
    state: StateManager,
    name: String,
    user: Option<UserId>,
    org: Option<OrgId>,
    id: Option<ThreadId>,
    metadata: Metadata,
}

impl CreateThread {
    fn new(state: StateManager, name: String) -> Self {
        Self { state, name, user: None, org: None, id: None, metadata: Metadata::new() }
    }

    /// For this user of the scope, instead of the scope's own.
    pub fn user(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }

    /// For this organization of the scope, instead of the scope's own.
    pub fn org(mut self, org: OrgId) -> Self {
        self.org = Some(org);
        self
    }

    /// With this id, instead of a new one: with the same id, a retry gives back the stored thread.
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
        let state = &self.state;
        let scope = state.scope();
        let owner = |missing| Error::NoOwner { missing };
        let org = self.org.or_else(|| scope.org_id().cloned());
        let user = self.user.or_else(|| scope.user_id().cloned());
        let new = NewThread::new(
            self.id.unwrap_or_else(|| state.ids().thread_id()),
            org.ok_or_else(|| owner("organization"))?,
            user.ok_or_else(|| owner("user"))?,
            self.name,
            state.clock().now(),
        );
        let thread = state.repository().create_thread(scope, new.with_metadata(self.metadata)).await?;
        tracing::debug!(thread = %thread.id, "created a thread");
        Ok(thread)
    }
}

impl fmt::Debug for CreateThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, name, user, org, id, metadata } = self;
        f.debug_struct("CreateThread")
            .field("state", state)
            .field("name", &Hidden::text(name))
            .field("user", user)
            .field("org", org)
            .field("id", id)
            .field("metadata", &Hidden::keys(metadata))
            .finish()
    }
}

impl IntoFuture for CreateThread {
    type Output = Result<ChatThread, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// [`StateManager::update_thread`] and [`Conversation::update`](crate::Conversation::update).
#[must_use = "nothing happens until it is awaited"]
pub struct UpdateThread {
    state: StateManager,
    thread: ThreadId,
    name: Option<String>,
    metadata: Option<Metadata>,
}

impl UpdateThread {
    fn new(state: StateManager, thread: ThreadId) -> Self {
        Self { state, thread, name: None, metadata: None }
    }

    /// The new name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The new metadata, in place of all of the old.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    async fn run(self) -> Result<ChatThread, Error> {
        let Self { state, thread, name, metadata } = self;
        let mut update = ThreadUpdate::new(state.clock().now());
        (update.name, update.metadata) = (name, metadata);
        Ok(state.repository().update_thread(state.scope(), thread, update).await?)
    }
}

impl fmt::Debug for UpdateThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, thread, name, metadata } = self;
        f.debug_struct("UpdateThread")
            .field("state", state)
            .field("thread", thread)
            .field("name", &name.as_deref().map(Hidden::text))
            .field("metadata", &metadata.as_ref().map(Hidden::keys))
            .finish()
    }
}

impl IntoFuture for UpdateThread {
    type Output = Result<ChatThread, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
