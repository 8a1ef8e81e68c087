//! How many tokens a message takes in a model's context window.

use std::fmt::Debug;

use crate::message::Message;

/// Counts tokens.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait TokenCounter: Send + Sync + Debug {
    /// The tokens that this message takes in a prompt.
    fn count(&self, message: &Message) -> usize;
}

/// Counts one token for every four characters, rounded up: the common rule of thumb for English. It needs no
/// vocabulary of a model.
///
/// ```
/// use chatkeep_domain::{CharEstimate, Message, Role, TokenCounter};
/// assert_eq!(CharEstimate.count(&Message::new(Role::User, "123456789")), 3);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct CharEstimate;

impl TokenCounter for CharEstimate {
    fn count(&self, message: &Message) -> usize {
        message.content.plain_text().chars().count().div_ceil(4)
    }
}
