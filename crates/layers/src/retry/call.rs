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
    let mut attempts = Attempts { past: Past::new(kind), is_under_way: false };
    let ended = timeout(deadline, attempts.run(store, attempt)).await;
    ended.unwrap_or_else(|_| Err(attempts.past.deadline_passed(store, attempts.is_under_way)))
}

struct Attempts {
    past: Past,
    is_under_way: bool,
}

impl Attempts {
    async fn run<T, Fut>(
        &mut self,
        store: &'static str,
        mut attempt: impl FnMut() -> Fut,
    ) -> Result<T, StoreError>
    where
        Fut: Future<Output = Result<T, StoreError>>,
    {
        let mut pauses = Pauses::default();
        loop {
            self.is_under_way = true;
            let answer = attempt().await;
            self.is_under_way = false;
            match answer {
                Ok(answer) => return Ok(answer),
                Err(error) if error.is_transient() => pauses.next_after(self.past.note(error)).await,
                Err(error) => return Err(self.past.judge(store, error)),
            }
        }
    }
}
