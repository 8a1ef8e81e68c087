//! Requests that create and change threads.

use std::fmt;
use std::future::IntoFuture;

use chatkeep_domain::{
    ChatThread, ExternalId, Hidden, Metadata, NewThread, OrgId, ThreadId, ThreadUpdate, UserId, Version,
};

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
    external_id: Option<ExternalId>,
    metadata: Metadata,
}

impl CreateThread {
    fn new(state: StateManager, name: String) -> Self {
        Self { state, name, user: None, org: None, id: None, external_id: None, metadata: Metadata::new() }
    }

    /// The user who owns the thread. Needed if the scope names none; must be within the scope.
    pub fn user(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }

    /// The organization of the thread. Needed if the scope names none; must be within the scope.
    pub fn org(mut self, org: OrgId) -> Self {
        self.org = Some(org);
        self
    }

    /// The thread's id, instead of a new one. Calling again with the same id gives back the stored thread.
    pub fn id(mut self, id: ThreadId) -> Self {
        self.id = Some(id);
        self
    }

    /// The id that the owner has of their own for the thread, such as that of a UI kit or a ticket. The thread's id is
    /// derived from it, unless one is given too: so calling again with the same external id gives back the stored thread,
    /// and [`StateManager::external_thread_id`] finds it.
    ///
    /// ```
    /// use chatkeep::ExternalId;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chatkeep::Error> {
    /// # let state = chatkeep::StateManager::new(
    /// #     std::sync::Arc::new(chatkeep::MemoryRepository::new()),
    /// #     chatkeep::Scope::user(chatkeep::OrgId::new("acme")?, chatkeep::UserId::new("ada")?),
    /// # );
    /// let ticket = ExternalId::new("ticket-7")?;
    /// let created = state.create_thread("The printer is on fire").external_id(ticket.clone()).await?;
    /// let found = state.get_thread(state.external_thread_id(&ticket)?).await?;
    /// assert_eq!(found, Some(created));
    /// # Ok(())
    /// # }
    /// ```
    pub fn external_id(mut self, external: ExternalId) -> Self {
        self.external_id = Some(external);
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
        let org = org.ok_or_else(|| owner("organization"))?;
        let user = user.ok_or_else(|| owner("user"))?;
        let derived = self.external_id.as_ref().map(|external| ThreadId::of_external(&org, &user, external));
        let id = self.id.or(derived).unwrap_or_else(|| state.ids().thread_id());
        let mut new = NewThread::new(id, org, user, self.name, state.clock().now())
            .with_metadata(self.metadata)
            .with_version(state.ids().version());
        new.external_id = self.external_id;
        let thread = state.repository().create_thread(scope, new).await?;
        tracing::debug!(thread = %thread.id, "created a thread");
        Ok(thread)
    }
}

impl fmt::Debug for CreateThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, name, user, org, id, external_id, metadata } = self;
        f.debug_struct("CreateThread")
            .field("state", state)
            .field("name", &Hidden::text(name))
            .field("user", user)
            .field("org", org)
            .field("id", id)
            .field("external_id", external_id)
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
    expect_version: Option<Version>,
}

impl UpdateThread {
    fn new(state: StateManager, thread: ThreadId) -> Self {
        Self { state, thread, name: None, metadata: None, expect_version: None }
    }

    /// Writes only if the thread has this version: [`StoreError::Conflict`](crate::StoreError::Conflict) when somebody
    /// wrote to it since.
    pub fn expect_version(mut self, version: Version) -> Self {
        self.expect_version = Some(version);
        self
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
        let Self { state, thread, name, metadata, expect_version } = self;
        let mut update = ThreadUpdate::new(state.clock().now());
        (update.name, update.metadata, update.expect_version) = (name, metadata, expect_version);
        Ok(state.repository().update_thread(state.scope(), thread, update).await?)
    }
}

impl fmt::Debug for UpdateThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, thread, name, metadata, expect_version } = self;
        f.debug_struct("UpdateThread")
            .field("state", state)
            .field("thread", thread)
            .field("name", &name.as_deref().map(Hidden::text))
            .field("metadata", &metadata.as_ref().map(Hidden::keys))
            .field("expect_version", expect_version)
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
