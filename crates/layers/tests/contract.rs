//! The whole contract, around memory.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chatkeep_contract::{Fixture, Repo, Suite};
use chatkeep_layers::{Coalescing, CoalescingConfig, LayersConfig, Retry, Traced, layered};
use chatkeep_memory::MemoryRepository;

/// Two decorators around one store: what one of them keeps says nothing to the other.
fn around_one(decorated: impl Fn(Repo) -> Repo) -> Fixture {
    let store: Repo = Arc::new(MemoryRepository::new());
    Fixture::new(decorated(Arc::clone(&store))).with_other(decorated(store))
}

async fn coalescing() -> Repo {
    Arc::new(Coalescing::new(Arc::new(MemoryRepository::new())))
}

async fn coalescing_one_by_one() -> Fixture {
    around_one(|store| Arc::new(Coalescing::new(store).max_in_flight(1).max_group_len(3)))
}

async fn retry() -> Fixture {
    around_one(|store| Arc::new(Retry::new(store, Duration::from_mins(10))))
}

async fn traced() -> Fixture {
    around_one(|store| Arc::new(Traced::new(store)))
}

async fn all() -> Fixture {
    let config = LayersConfig::default().deadline(Duration::from_mins(10));
    let config = config.coalescing(CoalescingConfig::default());
    around_one(|store| layered(store, &config))
}

fn main() -> ExitCode {
    // Somebody listens to the spans, and to all else.
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(std::io::sink).init();
    chatkeep_contract::main([
        Suite::new("coalescing", coalescing),
        Suite::new("coalescing_one_by_one", coalescing_one_by_one),
        Suite::new("retry", retry),
        Suite::new("traced", traced),
        Suite::new("layered", all),
    ])
}
