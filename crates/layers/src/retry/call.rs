//! One call: attempts until one ends it, or the deadline passes.

use std::time::Duration;

use chatkeep_domain::StoreError;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::retry::past::{Kind, Past};
use crate::retry::pauses::Pauses;

/// Makes attempts until one is not transient, or the deadline passes.
pub(super) async fn call<T, Fut>(
    store: &'static str,
    deadline: Duration,
    kind: Kind,
    mut attempt: impl FnMut() -> Fut,
) -> Result<T, StoreError>
where
    Fut: Future<Output = Result<T, StoreError>>,
{
    if Handle::try_current().is_err() {
        // Nobody measures the time.
        return attempt().await;
    }
    let mut attempts = Attempts::new(store, kind);
    let ended = timeout(deadline, attempts.run(attempt)).await;
    ended.unwrap_or_else(|_| Err(attempts.deadline_passed()))
}

/// The attempts at one call.
pub(super) struct Attempts {
    store: &'static str,
    past: Past,
    pauses: Pauses,
    is_under_way: bool,
}

impl Attempts {
    pub(super) fn new(store: &'static str, kind: Kind) -> Self {
        Self { store, past: Past::new(kind), pauses: Pauses::default(), is_under_way: false }
    }

    async fn run<T, Fut>(&mut self, mut attempt: impl FnMut() -> Fut) -> Result<T, StoreError>
    where
        Fut: Future<Output = Result<T, StoreError>>,
    {
        loop {
            if let Some(answer) = self.one(attempt()).await {
                return answer;
            }
        }
    }

    /// Makes an attempt. `None`, after a pause, where another is due.
    pub(super) async fn one<T>(
        &mut self,
        attempt: impl Future<Output = Result<T, StoreError>>,
    ) -> Option<Result<T, StoreError>> {
        self.is_under_way = true;
        let answer = attempt.await;
        self.is_under_way = false;
        match answer {
            Ok(answer) => Some(Ok(answer)),
            Err(error) if error.is_transient() => {
                self.pauses.next_after(self.past.note(error)).await;
                None
            }
            Err(error) => Some(Err(self.past.judge(self.store, error))),
        }
    }

    pub(super) fn deadline_passed(self) -> StoreError {
        self.past.deadline_passed(self.store, self.is_under_way)
    }
}
