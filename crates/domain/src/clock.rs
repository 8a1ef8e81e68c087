//! Where time and ids come from: both are passed in, so that tests can choose them.

use std::fmt::Debug;

use uuid::Uuid;

use crate::id::{MessageId, RequestId, ThreadId};
use crate::time::{Timestamp, to_micros};
use crate::version::Version;

/// The time, in UTC.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Clock: Send + Sync + Debug {
    /// Now, in whole microseconds. It may jump back: order never depends on it.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the ambient clock enters")]
    fn now(&self) -> Timestamp {
        to_micros(chrono::Utc::now())
    }
}

/// New ids, and where new threads begin.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait IdGenerator: Send + Sync + Debug {
    /// An id that no thread has.
    fn thread_id(&self) -> ThreadId;

    /// An id that no message has.
    fn message_id(&self) -> MessageId;

    /// An id that no request has.
    fn request_id(&self) -> RequestId;

    /// A version for a new thread to begin at: a random number below 2⁵².
    fn version(&self) -> Version;
}

/// UUIDv7: 48 bits of milliseconds, then a counter and random bits, so that indexes grow at one end.
#[derive(Debug, Clone, Copy, Default)]
pub struct UuidV7Generator;

impl UuidV7Generator {
    #[expect(clippy::disallowed_methods, reason = "this is where random ids enter")]
    fn uuid() -> Uuid {
        Uuid::now_v7()
    }
}

impl IdGenerator for UuidV7Generator {
    fn thread_id(&self) -> ThreadId {
        Self::uuid().into()
    }

    fn message_id(&self) -> MessageId {
        Self::uuid().into()
    }

    fn request_id(&self) -> RequestId {
        Self::uuid().into()
    }

    #[expect(clippy::disallowed_methods, reason = "this is where random versions enter")]
    fn version(&self) -> Version {
        Version::beginning(Uuid::new_v4().as_u64_pair().1)
    }
}
