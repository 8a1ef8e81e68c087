//! An append as the statements take it.

use std::collections::HashMap;

use chatkeep_domain::{Append, ChatMessage, MessageId, NewMessage, Position, StoreError, Timestamp, UserId};
use sea_orm::{DbErr, QueryResult};

use crate::search::entry::Entry;
use crate::threads::Target;

/// An append with what is made of it once for all attempts.
pub(super) struct Prepared {
    pub(super) target: Target,
    pub(super) append: Append,
    pub(super) contents: Vec<String>,
    /// `None` where no index is kept.
    pub(super) entries: Vec<Option<Entry>>,
}

impl Prepared {
    pub(super) fn batch(&self) -> Batch<'_> {
        let made = self.contents.iter().zip(&self.entries);
        let items = self.append.messages.iter().zip(made);
        Batch {
            target: &self.target,
            expect_head: self.append.expect_head,
            items: items
                .map(|(message, (content, entry))| Item { message, content, entry: entry.as_ref() })
                .collect(),
        }
    }

    /// Bytes of its contents' JSON.
    pub(super) fn size(&self) -> usize {
        self.contents.iter().map(String::len).sum()
    }

    /// The messages as they now are in the table.
    pub(super) fn stored(self, first: i64) -> Result<Vec<ChatMessage>, StoreError> {
        super::stored(self.target.id, self.append.messages, first)
    }
}

/// Messages for one thread.
pub(super) struct Batch<'a> {
    pub(super) target: &'a Target,
    pub(super) expect_head: Option<Position>,
    pub(super) items: Vec<Item<'a>>,
}

#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) message: &'a NewMessage,
    pub(super) content: &'a str,
    pub(super) entry: Option<&'a Entry>,
}

impl Batch<'_> {
    /// What the thread's `updated_at` rises to.
    pub(super) fn latest(&self) -> Timestamp {
        self.items.iter().map(|item| item.message.created_at).max().unwrap_or_default()
    }

    /// What the thread's `next_position` has to be, where the caller expects something.
    pub(super) fn expected_next(&self) -> Option<i64> {
        self.expect_head.map(|head| head.get().saturating_add(1))
    }

    /// What is not known yet, wherever the head is: the thread is held.
    pub(super) fn without(&self, known: &HashMap<MessageId, ChatMessage>) -> Self {
        let is_missing = |item: &Item<'_>| !known.contains_key(&item.message.id);
        let items = self.items.iter().copied().filter(is_missing).collect();
        Self { target: self.target, expect_head: None, items }
    }
}

impl Item<'_> {
    /// No sender is an empty one, which a user id cannot be.
    pub(super) fn sender(&self) -> &str {
        self.message.sender_id.as_ref().map_or("", UserId::as_str)
    }
}

/// Where the messages of each batch begin. A batch that was not written has no row.
pub(super) fn firsts(batches: usize, rows: &[QueryResult]) -> Result<Vec<Option<i64>>, DbErr> {
    let mut firsts: Vec<Option<i64>> = vec![None; batches];
    for row in rows {
        let (place, position): (i64, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        if let Some(first) = usize::try_from(place).ok().and_then(|place| firsts.get_mut(place)) {
            *first = Some(position);
        }
    }
    Ok(firsts)
}
