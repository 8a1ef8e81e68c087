//! The calls and the results of one key.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::window::call::{CallNumber, Turn};

/// A result that waits for its call: the place of its message, and which of that message's results it is.
pub(super) type Waiting = (usize, usize);

/// The calls of one key, and the results that came before them.
#[derive(Debug, Default)]
pub(super) struct Alike {
    pub(super) calls: usize,
    pub(super) open: BTreeSet<Turn>,
    /// The calls that a result of another key answers.
    pub(super) taken: BTreeSet<Turn>,
    pub(super) waiting: BTreeSet<Waiting>,
}

/// Those of one stretch, the next to be answered first.
pub(super) fn of_stretch(turns: &BTreeSet<Turn>, stretch: usize) -> impl Iterator<Item = &Turn> {
    let least = Turn { stretch, run: 0, number: Reverse(CallNumber::MAX) };
    let greatest = Turn { stretch, run: usize::MAX, number: Reverse(0) };
    turns.range(least..=greatest).rev()
}
