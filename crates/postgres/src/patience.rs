//! Attempts at what is no call of the ports, and so has nobody around it who repeats it: looking at the schema,
//! filling the index.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use chatkeep_domain::{Again, Outcome, StoreError};

use crate::error::STORE;

/// How long an operation on the schema or the index is repeated.
const PATIENCE: Duration = Duration::from_secs(30);

/// Repeats an operation after transient errors.
pub(crate) async fn patiently<T, Fut>(operation: impl FnMut() -> Fut) -> Result<T, StoreError>
where
    Fut: Future<Output = Result<T, StoreError>>,
{
    patiently_for(PATIENCE, operation).await
}

/// The same, for so long.
pub(crate) async fn patiently_for<T, Fut>(
    patience: Duration,
    operation: impl FnMut() -> Fut,
) -> Result<T, StoreError>
where
    Fut: Future<Output = Result<T, StoreError>>,
{
    let backoff = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(1))
        .with_max_delay(Duration::from_millis(250))
        .with_jitter()
        .without_max_times()
        .with_total_delay(Some(patience));
    let attempts = operation.retry(backoff).when(StoreError::is_transient);
    // The last attempt may have begun just in time.
    match tokio::time::timeout(2 * patience, attempts).await {
        Ok(answer) => answer,
        Err(elapsed) => {
            let reason = "it did not succeed in time";
            Err(StoreError::unavailable(STORE, Outcome::Unknown, Again::Soon, reason, elapsed))
        }
    }
}
