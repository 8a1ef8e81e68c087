//! The pauses between attempts.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use chatkeep_domain::StoreError;

/// The first pause. A pool may hold as many dead connections as it has; each attempt uses one up, so the first come fast.
const MIN: Duration = Duration::from_millis(1);
const MAX: Duration = Duration::from_millis(250);

/// Each twice as long as the one before, with jitter. They are made when the first is needed.
#[derive(Debug, Default)]
pub(super) struct Pauses(Option<ExponentialBackoff>);

impl Pauses {
    /// Waits before another attempt.
    pub(super) async fn next_after(&mut self, error: &StoreError) {
        let pauses = self.0.get_or_insert_with(|| {
            ExponentialBuilder::new()
                .with_min_delay(MIN)
                .with_max_delay(MAX)
                .with_jitter()
                .without_max_times()
                .build()
        });
        let delay = pauses.next().unwrap_or(MAX);
        if let StoreError::Unavailable { store, reason, .. } = error {
            tracing::debug!(store, reason, ?delay, "trying again");
        }
        tokio::time::sleep(delay).await;
    }
}
