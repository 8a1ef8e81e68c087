//! How write-behind works.

use std::time::Duration;

use chatkeep_domain::{InvalidArgument, MAX_BATCH_LEN};

/// How a [`WriteBehind`](crate::WriteBehind) queues, batches and repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteBehindConfig {
    pub(super) capacity: usize,
    pub(super) max_bytes: usize,
    pub(super) max_batch: usize,
    pub(super) retries: u32,
    pub(super) max_delay: Duration,
}

impl Default for WriteBehindConfig {
    fn default() -> Self {
        Self {
            capacity: 1_024,
            max_bytes: 64 * 1_024 * 1_024,
            max_batch: 100,
            retries: 5,
            max_delay: Duration::from_secs(5),
        }
    }
}

impl WriteBehindConfig {
    /// How many messages may wait; 1,024. A push of another one waits for room.
    #[must_use]
    pub fn capacity(mut self, messages: usize) -> Self {
        self.capacity = messages;
        self
    }

    /// How many bytes of JSON may wait; 64 MiB. A single message may have more.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The most messages of one append; 100, and at most [`MAX_BATCH_LEN`].
    #[must_use]
    pub fn max_batch(mut self, messages: usize) -> Self {
        self.max_batch = messages;
        self
    }

    /// How often the task tries again after a transient error before a caller gets the error; 5. The task goes on
    /// trying.
    #[must_use]
    pub fn retries(mut self, times: u32) -> Self {
        self.retries = times;
        self
    }

    /// The longest pause between two attempts; 5 s, and at least 1 ms. The first is of 50 ms, and each is twice the
    /// one before.
    #[must_use]
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    pub(super) fn validate(&self) -> Result<(), InvalidArgument> {
        for (field, value) in
            [("capacity", self.capacity), ("max_bytes", self.max_bytes), ("max_batch", self.max_batch)]
        {
            if value == 0 {
                return Err(InvalidArgument::new(field, "must be at least 1", "0"));
            }
        }
        if self.max_batch > MAX_BATCH_LEN {
            let rule = format!("must be at most {MAX_BATCH_LEN}, which is what one append takes");
            return Err(InvalidArgument::new("max_batch", rule, self.max_batch.to_string()));
        }
        // Without a pause, an outage would be a busy loop; a timer has steps of 1 ms.
        if self.max_delay < Duration::from_millis(1) {
            let actual = format!("{:?}", self.max_delay);
            return Err(InvalidArgument::new("max_delay", "must be at least 1 ms", actual));
        }
        Ok(())
    }
}
