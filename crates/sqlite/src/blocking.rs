//! Work that blocks, called from asynchronous code.

use std::panic::resume_unwind;

use tokio::runtime::{Handle, RuntimeFlavor, worker_index};
use tokio::task::{JoinError, block_in_place};

/// Whether `block_in_place` is allowed here: on a thread that runs the tasks of a runtime of several threads. Elsewhere, as within a
/// `LocalSet`, it may panic.
pub(crate) fn may_block() -> bool {
    let is_of_several = |runtime: Handle| runtime.runtime_flavor() == RuntimeFlavor::MultiThread;
    worker_index().is_some() && Handle::try_current().is_ok_and(is_of_several)
}

/// Does work that blocks where others do not wait for it: here if that is allowed, else on another thread. `None`: the runtime is
/// shutting down. A call that is dropped does not stop the work half-way.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let Ok(runtime) = Handle::try_current() else { return Some(work()) };
    let done = match runtime.runtime_flavor() {
        _ if may_block() => return Some(block_in_place(work)),
        RuntimeFlavor::MultiThread => runtime.spawn(async { block_in_place(work) }).await,
        _ => runtime.spawn_blocking(work).await,
    };
    match done.map_err(JoinError::try_into_panic) {
        Ok(done) => Some(done),
        Err(Ok(panic)) => resume_unwind(panic),
        Err(Err(_)) => None,
    }
}
