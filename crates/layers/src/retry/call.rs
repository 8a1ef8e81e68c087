//! One call: attempts until one ends it, or there is no time left.

use std::time::Duration;

use chatkeep_domain::StoreError;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};

use crate::retry::past::{Kind, Past};
use crate::retry::pauses::Pauses;

/// How long a call may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// After so long it is not begun again, unless its last attempt took as long by itself.
    pub(super) repeated: Duration,
    /// In all.
    pub(super) whole: Duration,
}

/// Makes attempts until one is not transient, or a limit is reached.
pub(super) async fn call<T, Fut>(
    store: &'static str,
    limits: Limits,
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
    match timeout(limits.whole, attempts.run(limits.repeated, attempt)).await {
        Ok(Some(answer)) => answer,
        Ok(None) | Err(_) => Err(attempts.deadline_passed()),
    }
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

    /// `None`: it failed for so long.
    async fn run<T, Fut>(
        &mut self,
        repeated: Duration,
        mut attempt: impl FnMut() -> Fut,
    ) -> Option<Result<T, StoreError>>
    where
        Fut: Future<Output = Result<T, StoreError>>,
    {
        let mut fails_since = Instant::now();
        while fails_since.elapsed() < repeated {
            let begun = Instant::now();
            let answer = self.one(attempt()).await;
            if answer.is_some() {
                return answer;
            }
            if begun.elapsed() >= repeated {
                fails_since = Instant::now();
            }
        }
        None
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
