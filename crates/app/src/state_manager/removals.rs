//! Requests that delete.

use std::future::IntoFuture;

use chatkeep_domain::{Removal, StoreError, ThreadId, Version};

use crate::error::Error;
use crate::input::BoxFuture;
use crate::state_manager::StateManager;

impl StateManager {
    /// Deletes a thread with all its messages. `false` where it is not there.
    pub fn delete_thread(&self, id: ThreadId) -> DeleteThread {
        DeleteThread { state: self.clone(), thread: id, expect_version: None }
    }

    /// Deletes all messages of a thread; gives their number. The thread stays.
    pub fn clear_thread(&self, id: ThreadId) -> ClearThread {
        ClearThread { state: self.clone(), thread: id, expect_version: None }
    }
}

/// [`StateManager::delete_thread`] and [`Conversation::delete`](crate::Conversation::delete).
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct DeleteThread {
    state: StateManager,
    thread: ThreadId,
    expect_version: Option<Version>,
}

impl DeleteThread {
    /// Deletes only if the thread has this version: [`StoreError::Conflict`] when somebody wrote to it since.
    pub fn expect_version(mut self, version: Version) -> Self {
        self.expect_version = Some(version);
        self
    }

    async fn run(self) -> Result<bool, Error> {
        let Self { state, thread, expect_version } = self;
        match state.repository().delete_thread(state.scope(), thread, expect_version).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl IntoFuture for DeleteThread {
    type Output = Result<bool, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// [`StateManager::clear_thread`] and [`Conversation::clear`](crate::Conversation::clear). A thread that is not there is
/// [`StoreError::NotFound`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct ClearThread {
    state: StateManager,
    thread: ThreadId,
    expect_version: Option<Version>,
}

impl ClearThread {
    /// Clears only if the thread has this version: [`StoreError::Conflict`] when somebody wrote to it since.
    pub fn expect_version(mut self, version: Version) -> Self {
        self.expect_version = Some(version);
        self
    }

    async fn run(self) -> Result<u64, Error> {
        let Self { state, thread, expect_version } = self;
        let mut removal = Removal::new(state.clock().now());
        removal.expect_version = expect_version;
        Ok(state.repository().clear_messages(state.scope(), thread, removal).await?)
    }
}

impl IntoFuture for ClearThread {
    type Output = Result<u64, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
