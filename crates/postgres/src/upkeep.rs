//! What keeps searches and appends fast while much is appended.
//!
//! PostgreSQL puts the words of new messages into a list first, and into the index, many at once, when somebody cleans that
//! list: at once is five to twenty times cheaper for each message than one by one (measured: 22 µs instead of 440). Left
//! to itself an append cleans it that finds the list full, and stalled for seconds; searches read the list besides. So a
//! task of the store cleans it, and appends wait for it, a moment each, where they are too fast for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::connection::Connections;
use crate::row;
use crate::sql::Sql;

/// The list is cleaned so long after the first append to it, or with so many messages in it.
const REST: Duration = Duration::from_secs(1);
const MANY: u64 = 4_000;

/// With so many messages that wait appends are held up, so long at the most.
const TOO_MANY: u64 = 30_000;
const HOLD_UP: Duration = Duration::from_millis(100);

/// One process at a time cleans; `chatkeep_clean_search` is of the migrations.
const CLEAN: &str = "SELECT chatkeep_clean_search()";

/// The messages that wait for the index, as far as this process appended them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Upkeep(Arc<Backlog>);

#[derive(Debug, Default)]
struct Backlog {
    waiting: AtomicU64,
    appended: Notify,
    cleaned: Notify,
}

impl Upkeep {
    /// Starts the task, which ends with the last clone.
    pub(crate) fn start(connections: impl Connections) -> Self {
        let upkeep = Self::default();
        if let Ok(runtime) = Handle::try_current() {
            // Another process may have left some, and nobody else will look.
            upkeep.0.waiting.store(1, Ordering::Relaxed);
            let backlog = Arc::downgrade(&upkeep.0);
            runtime.spawn(async move {
                while let Some(backlog) = backlog.upgrade() {
                    if backlog.waiting.load(Ordering::Relaxed) < MANY {
                        // The store may be dropped meanwhile.
                        let _ = tokio::time::timeout(REST, backlog.appended.notified()).await;
                    }
                    if backlog.waiting.load(Ordering::Relaxed) > 0 {
                        backlog.clean(&connections).await;
                    }
                }
            });
        }
        upkeep
    }

    /// Holds an append up, where too many messages wait.
    pub(crate) async fn admit(&self) {
        if self.0.waiting.load(Ordering::Relaxed) > TOO_MANY {
            // It goes on then in any case.
            let _ = tokio::time::timeout(HOLD_UP, self.0.cleaned.notified()).await;
        }
    }

    /// So many messages were written.
    pub(crate) fn note(&self, messages: usize) {
        let before = self.0.waiting.fetch_add(messages as u64, Ordering::Relaxed);
        if before < MANY && before + messages as u64 >= MANY {
            self.0.appended.notify_one();
        }
    }
}

impl Backlog {
    async fn clean(&self, connections: &impl Connections) {
        let seen = self.waiting.load(Ordering::Relaxed);
        let row = Sql::new(CLEAN).row(connections).await;
        if let Ok(Some(row)) = &row
            && row::value::<Option<i64>>(row, 0).is_ok_and(|pages| pages.is_none())
        {
            // Another process cleans, and may be past what this one appended: so it looks again.
            tokio::time::sleep(REST).await;
        } else {
            // Where it failed, a search reads more, and autovacuum does it at last: nobody need know.
            self.waiting.fetch_sub(seen, Ordering::Relaxed);
        }
        self.cleaned.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Waker};

    #[tokio::test]
    async fn appends_are_held_up_until_there_was_a_cleaning() {
        let upkeep = Upkeep::default();
        let mut context = Context::from_waker(Waker::noop());
        upkeep.note(usize::try_from(TOO_MANY).unwrap());
        assert!(pin!(upkeep.admit()).poll(&mut context).is_ready());
        upkeep.note(1);
        let mut held_up = pin!(upkeep.admit());
        assert!(held_up.as_mut().poll(&mut context).is_pending());
        upkeep.0.cleaned.notify_waiters();
        assert!(held_up.poll(&mut context).is_ready());
    }
}
