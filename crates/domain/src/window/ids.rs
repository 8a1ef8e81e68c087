//! The ids that passed through a window.

use std::collections::{HashMap, VecDeque};

use crate::id::MessageId;

/// How many ids are remembered after their messages left.
const REMEMBERED: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Ids {
    places: HashMap<MessageId, usize>,
    /// Of the messages that are held.
    by_place: HashMap<usize, MessageId>,
    left: VecDeque<MessageId>,
}

impl Ids {
    pub(super) fn knows(&self, id: MessageId) -> bool {
        self.places.contains_key(&id)
    }

    /// Where the message is, or was.
    pub(super) fn place(&self, id: MessageId) -> Option<usize> {
        self.places.get(&id).copied()
    }

    pub(super) fn enter(&mut self, id: MessageId, at: usize) {
        self.places.insert(id, at);
        self.by_place.insert(at, id);
    }

    /// The message at this place left.
    pub(super) fn leave(&mut self, at: usize) {
        self.left.extend(self.by_place.remove(&at));
        while self.left.len() > REMEMBERED {
            if let Some(oldest) = self.left.pop_front() {
                self.places.remove(&oldest);
            }
        }
    }
}
