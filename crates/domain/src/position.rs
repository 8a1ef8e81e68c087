//! Where a message stands in its thread.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::invalid::InvalidArgument;

/// A message's place in its thread, from 1 on. Allotted by the store in the append itself, unique in the thread,
/// strictly increasing, never reused. Order is by position, never by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Position(i64);

impl Position {
    /// Before the first message: the head of a thread that never had one.
    pub const ZERO: Self = Self(0);

    /// A position from its number.
    ///
    /// # Errors
    /// [`InvalidArgument`] when it is negative.
    pub fn new(number: i64) -> Result<Self, InvalidArgument> {
        if number < 0 {
            return Err(InvalidArgument::new("position", "must not be negative", number.to_string()));
        }
        Ok(Self(number))
    }

    /// Its number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The position `count` places further on.
    ///
    /// # Errors
    /// [`InvalidArgument`] past the last position, 2⁶³ − 1.
    pub fn advance(self, count: usize) -> Result<Self, InvalidArgument> {
        i64::try_from(count).ok().and_then(|count| self.0.checked_add(count)).map(Self).ok_or_else(|| {
            InvalidArgument::new("position", "must be below 2^63", format!("{self} + {count}"))
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<i64> for Position {
    type Error = InvalidArgument;

    fn try_from(number: i64) -> Result<Self, InvalidArgument> {
        Self::new(number)
    }
}

impl From<Position> for i64 {
    fn from(position: Position) -> Self {
        position.0
    }
}
