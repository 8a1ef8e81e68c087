//! The task that stores what waits.

use std::sync::Arc;

use chatkeep_domain::Append;

use crate::write_behind::queue::Work;
use crate::write_behind::shared::Shared;

/// Tells waiting callers when the task ends, for whatever reason: they must not wait for ever.
struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.queue().running = false;
        self.0.changed.notify_waiters();
    }
}

pub(super) fn run(shared: Arc<Shared>) -> impl Future<Output = ()> {
    // Not in the future's own code: a runtime may end before it runs that for the first time.
    let running = Running(shared);
    async move { store(&running.0).await }
}

async fn store(shared: &Shared) {
    loop {
        let work = shared.queue().next_work();
        match work {
            Work::Append { key: key @ (thread, branch), messages, last } => {
                let state = &shared.state;
                let count = messages.len();
                let append = Append::new(messages).branch(branch);
                let stored = state.repository().append(state.scope(), thread, append).await;
                match stored {
                    Ok(_) => shared.queue().succeeded(key, last),
                    Err(error) => {
                        tracing::warn!(%thread, %branch, count, %error, "write-behind could not store messages yet");
                        shared.queue().failed(key, error);
                    }
                }
                shared.changed.notify_waiters();
            }
            Work::WaitUntil(moment) => {
                // Either way the next round looks at the queue again.
                let _ = tokio::time::timeout_at(moment, shared.wake.notified()).await;
            }
            Work::Wait => shared.wake.notified().await,
        }
    }
}
