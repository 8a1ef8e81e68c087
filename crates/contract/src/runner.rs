//! How a case is run.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chatkeep_domain::ConversationRepository;
use tokio::runtime::Builder;

/// The store under test, as every case takes it.
pub type Repo = Arc<dyn ConversationRepository>;

/// A case at work. It stays on the thread that polls it; what races, it spawns on the runtime.
pub type CaseFuture = Pin<Box<dyn Future<Output = ()>>>;

/// One sentence of the contract, as a check of a subject: a store, or a store whose rows can be damaged. It fails by
/// panicking.
pub struct Case<S = Repo> {
    /// The module that it is in.
    pub group: &'static str,
    /// The function's name: unique among all cases.
    pub name: &'static str,
    /// Runs it against a store. It needs a tokio runtime.
    pub run: fn(S) -> CaseFuture,
}

impl<S> Clone for Case<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Case<S> {}

impl<S> fmt::Debug for Case<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.group, self.name)
    }
}

impl Case {
    /// The case of this name.
    pub fn find(name: &str) -> Option<Self> {
        crate::CASES.iter().copied().find(|case| case.name == name)
    }
}

/// A case that takes longer hangs: the slowest needs a second or two on a real server.
const PATIENCE: Duration = Duration::from_mins(3);

/// Runs one case on a runtime of its own with four workers, against the subject that the factory makes there.
///
/// # Panics
/// When the case fails, or hangs.
pub fn run<S, F, C>(case: fn(S) -> C, factory: impl FnOnce() -> F)
where
    F: Future<Output = S>,
    C: Future<Output = ()>,
{
    let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime");
    let outcome = runtime.block_on(async {
        let subject = factory().await;
        tokio::time::timeout(PATIENCE, case(subject)).await
    });
    // Does not wait for what hangs.
    runtime.shutdown_background();
    assert!(outcome.is_ok(), "the case hangs: it took longer than {PATIENCE:?}");
}
