//! A case: a name, what it needs, and what it does.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::runtime::Builder;

use crate::capability::Capability;
use crate::fixture::Fixture;

/// A case at work. It stays on the thread that polls it; what races, it spawns on the runtime.
pub type CaseFuture = Pin<Box<dyn Future<Output = ()>>>;

/// One sentence of the contract, as a check of a store. It fails by panicking.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Case {
    /// The folder and file that it is in, such as `messages::append`.
    pub group: &'static str,
    /// Its name, which no other case has.
    pub name: &'static str,
    /// What it needs. A case that needs nothing is for every store.
    pub needs: &'static [Capability],
    /// What it does. It needs a tokio runtime of several threads.
    pub run: fn(Fixture) -> CaseFuture,
}

impl Case {
    /// A case for every store.
    ///
    /// ```
    /// use chatkeep_contract::fixture::{Fixture, message};
    /// use chatkeep_contract::{Case, Suite};
    ///
    /// async fn what_is_said_is_kept(fixture: Fixture) {
    ///     let talk = fixture.tenant().talk().await;
    ///     assert_eq!(talk.say([message("hello")]).await, talk.all().await);
    /// }
    ///
    /// const OWN: &[Case] =
    ///     &[Case::new("own", "what_is_said_is_kept", |fixture| Box::pin(what_is_said_is_kept(fixture)))];
    /// # let store = std::sync::Arc::new(chatkeep_memory::MemoryRepository::new());
    /// # OWN[0].check(move || async move { Fixture::new(store) });
    /// ```
    pub const fn new(group: &'static str, name: &'static str, run: fn(Fixture) -> CaseFuture) -> Self {
        Self { group, name, needs: &[], run }
    }

    /// For stores that do this.
    #[must_use]
    pub const fn needing(self, needs: &'static [Capability]) -> Self {
        Self { needs, ..self }
    }

    /// Whether the case is a race: what can go wrong in it goes wrong now and then.
    pub(crate) fn is_race(&self) -> bool {
        self.group.split("::").any(|part| part == "races")
    }

    /// Runs the case on a runtime of its own with four workers, against the fixture that the factory makes there.
    ///
    /// # Panics
    /// When the case fails, or takes longer than three minutes.
    pub fn check<F: Future<Output = Fixture>>(self, factory: impl FnOnce() -> F) {
        let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime");
        let outcome = runtime.block_on(async {
            let fixture = factory().await;
            tokio::time::timeout(PATIENCE, (self.run)(fixture)).await
        });
        // Does not wait for what hangs.
        runtime.shutdown_background();
        assert!(outcome.is_ok(), "the case hangs: it took longer than {PATIENCE:?}");
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.group, self.name)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} {:?}", self.needs)
    }
}

/// A case that takes longer hangs: the slowest needs a second or two on a real server.
const PATIENCE: Duration = Duration::from_mins(3);

/// The entry of a table for the function `folder::file::name` of [`cases`](crate::cases), with what it needs.
macro_rules! case {
    ($folder:ident::$file:ident::$name:ident $(, [$($capability:ident),+])?) => {
        $crate::Case::new(
            concat!(stringify!($folder), "::", stringify!($file)),
            stringify!($name),
            |fixture| Box::pin($crate::cases::$folder::$file::$name(fixture)),
        )
        $(.needing(&[$($crate::Capability::$capability),+]))?
    };
}

pub(crate) use case;
