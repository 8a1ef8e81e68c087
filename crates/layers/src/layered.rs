//! The layers in their order.

use std::sync::Arc;
use std::time::Duration;

use chatkeep_domain::ConversationRepository;

use crate::coalescing::{Coalescing, DEFAULT_MAX_GROUP_LEN, DEFAULT_MAX_IN_FLIGHT};
use crate::retry::Retry;
use crate::traced::Traced;

/// How long a call takes at the most, unless told otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

/// Which layers [`layered`] puts around a store.
///
/// ```
/// use std::time::Duration;
///
/// use chatkeep_layers::{CoalescingConfig, LayersConfig};
///
/// // For a store with one writer.
/// let one_writer = CoalescingConfig::default().max_in_flight(1);
/// let config = LayersConfig::default().deadline(Duration::from_secs(5)).coalescing(one_writer);
/// # let _ = config;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayersConfig {
    /// How long a call takes at the most, repetitions after transient errors included; [`DEFAULT_DEADLINE`]. `None` is no
    /// [`Retry`]: for a store that never fails for a moment, such as one in memory.
    pub deadline: Option<Duration>,
    /// How appends that wait go together. `None` is no [`Coalescing`]; the default.
    pub coalescing: Option<CoalescingConfig>,
    /// Whether each call is in a span: [`Traced`]. On by default.
    pub tracing: bool,
}

impl Default for LayersConfig {
    fn default() -> Self {
        Self { deadline: Some(DEFAULT_DEADLINE), coalescing: None, tracing: true }
    }
}

impl LayersConfig {
    /// Sets [`deadline`](Self::deadline).
    #[must_use]
    pub fn deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// Sets [`coalescing`](Self::coalescing).
    #[must_use]
    pub fn coalescing(mut self, coalescing: impl Into<Option<CoalescingConfig>>) -> Self {
        self.coalescing = coalescing.into();
        self
    }

    /// Sets [`tracing`](Self::tracing).
    #[must_use]
    pub fn tracing(mut self, on: bool) -> Self {
        self.tracing = on;
        self
    }
}

/// How appends that wait go together: see [`Coalescing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CoalescingConfig {
    /// See [`Coalescing::max_in_flight`]; [`DEFAULT_MAX_IN_FLIGHT`].
    pub max_in_flight: usize,
    /// See [`Coalescing::max_group_len`]; [`DEFAULT_MAX_GROUP_LEN`].
    pub max_group_len: usize,
}

impl Default for CoalescingConfig {
    fn default() -> Self {
        Self { max_in_flight: DEFAULT_MAX_IN_FLIGHT, max_group_len: DEFAULT_MAX_GROUP_LEN }
    }
}

impl CoalescingConfig {
    /// Sets [`max_in_flight`](Self::max_in_flight).
    #[must_use]
    pub fn max_in_flight(mut self, count: usize) -> Self {
        self.max_in_flight = count;
        self
    }

    /// Sets [`max_group_len`](Self::max_group_len).
    #[must_use]
    pub fn max_group_len(mut self, count: usize) -> Self {
        self.max_group_len = count;
        self
    }
}

/// Puts the layers around a store: from the caller inwards [`Traced`], [`Retry`], [`Coalescing`], as far as the
/// configuration has them. The [crate's page](crate) has a picture.
///
/// The order is this one because
/// - a span is about a call of the caller, with all its attempts;
/// - each caller has a deadline of its own, and one that gives up leaves the queue of the appends that wait;
/// - appends that failed together are repeated each by its own caller, and meet again in the queue.
pub fn layered(
    store: Arc<dyn ConversationRepository>,
    config: &LayersConfig,
) -> Arc<dyn ConversationRepository> {
    let mut store = store;
    if let Some(coalescing) = config.coalescing {
        let CoalescingConfig { max_in_flight, max_group_len } = coalescing;
        store = Arc::new(Coalescing::new(store).max_in_flight(max_in_flight).max_group_len(max_group_len));
    }
    if let Some(deadline) = config.deadline {
        store = Arc::new(Retry::new(store, deadline));
    }
    if config.tracing {
        store = Arc::new(Traced::new(store));
    }
    store
}
