//! How much fits a window.

use crate::invalid::InvalidArgument;

/// The limits of a window; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct WindowLimits {
    max_messages: Option<usize>,
    max_tokens: Option<usize>,
}

impl WindowLimits {
    /// No limits: nothing but orphans ever leaves.
    pub const UNLIMITED: Self = Self { max_messages: None, max_tokens: None };

    /// Limits in messages and in tokens, as the caller's [`TokenCounter`](crate::TokenCounter) counts them.
    ///
    /// # Errors
    /// [`InvalidArgument`] for 0: nothing would ever fit.
    pub fn new(
        max_messages: impl Into<Option<usize>>,
        max_tokens: impl Into<Option<usize>>,
    ) -> Result<Self, InvalidArgument> {
        let limits = Self { max_messages: max_messages.into(), max_tokens: max_tokens.into() };
        for (field, limit) in [("max_messages", limits.max_messages), ("max_tokens", limits.max_tokens)] {
            if limit == Some(0) {
                return Err(InvalidArgument::new(
                    field,
                    "must be at least 1; leave it out for no limit",
                    "0",
                ));
            }
        }
        Ok(limits)
    }

    /// The most messages.
    pub const fn max_messages(&self) -> Option<usize> {
        self.max_messages
    }

    /// The most tokens.
    pub const fn max_tokens(&self) -> Option<usize> {
        self.max_tokens
    }

    pub(super) fn hold(&self, messages: usize, tokens: u128) -> bool {
        self.max_messages.is_none_or(|limit| messages <= limit)
            && self.max_tokens.is_none_or(|limit| tokens <= limit as u128)
    }
}
