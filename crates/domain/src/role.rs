//! Who said it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::invalid::InvalidArgument;

/// The role of a message's sender, as language models know it.
///
/// ```
/// use chatkeep_domain::Role;
/// assert_eq!("tool".parse::<Role>()?, Role::Tool);
/// let error = "robot".parse::<Role>().unwrap_err();
/// assert_eq!(error.to_string(), r#"role must be user, assistant, system, tool or developer (got "robot")"#);
/// # Ok::<(), chatkeep_domain::InvalidArgument>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// A person.
    User,
    /// The model.
    Assistant,
    /// Instructions to the model; they stay in the window.
    System,
    /// A tool's answer to the model.
    Tool,
    /// Instructions of the application's developer, as newer models name them. The window treats it like
    /// [`System`](Self::System).
    Developer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::User, Self::Assistant, Self::System, Self::Tool, Self::Developer];

    /// Whether it instructs the model: [`System`](Self::System) and [`Developer`](Self::Developer).
    pub const fn is_instruction(self) -> bool {
        matches!(self, Self::System | Self::Developer)
    }

    /// The role in lower case: `user`, `assistant`, `system`, `tool` or `developer`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
            Self::Tool => "tool",
            Self::Developer => "developer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = InvalidArgument;

    /// Exactly as [`Role::as_str`] writes it: a different case is another word.
    fn from_str(text: &str) -> Result<Self, InvalidArgument> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| {
            let shown: String = text.chars().take(32).collect();
            InvalidArgument::new(
                "role",
                "must be user, assistant, system, tool or developer",
                format!("{shown:?}"),
            )
        })
    }
}
