//! A thread with all that is in it.

use std::collections::{BTreeMap, HashMap};
use std::mem::{replace, take};
use std::ops::Bound::{Excluded, Unbounded};

use chatkeep_domain::{
    Append, ChatMessage, ChatThread, Content, MessageId, MessageRevision, NewMessage, OrgId, Position, Scope,
    StoreError, ThreadId, Timestamp,
};

use crate::index::Index;

pub(crate) type Result<T> = std::result::Result<T, StoreError>;

/// An id is unique within its organization: both together are the key.
pub(crate) type Key = (OrgId, ThreadId);

pub(crate) struct Record {
    pub(crate) thread: ChatThread,
    pub(crate) messages: BTreeMap<Position, Stored>,
    positions: HashMap<MessageId, Position>,
}

pub(crate) struct Stored {
    pub(crate) message: ChatMessage,
    /// When each edit was made, as it was given, and what the message said before it.
    pub(crate) edits: Vec<(Timestamp, MessageRevision)>,
}

impl Record {
    pub(crate) fn new(thread: ChatThread) -> Self {
        Self { thread, messages: BTreeMap::new(), positions: HashMap::new() }
    }

    /// The one place where it is decided who sees a thread.
    pub(crate) fn is_in(&self, scope: &Scope) -> bool {
        scope.contains(&self.thread.org_id, &self.thread.user_id)
    }

    pub(crate) fn get(&self, id: MessageId) -> Result<&Stored> {
        let stored = self.positions.get(&id).and_then(|position| self.messages.get(position));
        stored.ok_or_else(|| StoreError::message_not_found(id))
    }

    /// The messages between two positions.
    pub(crate) fn range(
        &self,
        after: Position,
        before: Option<Position>,
    ) -> impl DoubleEndedIterator<Item = &ChatMessage> {
        let is_empty = before.is_some_and(|before| before <= after);
        let range = (!is_empty).then(|| (Excluded(after), before.map_or(Unbounded, Excluded)));
        let stored = range.into_iter().flat_map(|range| self.messages.range(range));
        stored.map(|(_, stored)| &stored.message)
    }

    /// Stores the messages that are not held yet; gives all of them as they are stored.
    pub(crate) fn append(&mut self, append: Append, index: &mut Option<Index>) -> Result<Vec<ChatMessage>> {
        let head = self.thread.head;
        let is_held = |new: &NewMessage| self.positions.contains_key(&new.id);
        if let Some(expected) = append.expect_head.filter(|expected| *expected != head)
            && !append.messages.iter().all(is_held)
        {
            return Err(StoreError::conflict(expected, head));
        }
        // Nothing may fail below: what is written first would stay.
        head.advance(append.messages.len())?;
        let mut stored = Vec::with_capacity(append.messages.len());
        for new in append.messages {
            if let Ok(held) = self.get(new.id) {
                stored.push(held.message.clone());
                continue;
            }
            let position = self.thread.head.advance(1)?;
            self.thread.head = position;
            self.touch(new.created_at);
            let message = new.into_message(self.thread.id, position);
            stored.push(message.clone());
            self.positions.insert(message.id, position);
            self.messages.insert(position, Stored { message, edits: Vec::new() });
            if let Some(index) = index {
                index.note((self.thread.id, position));
            }
        }
        Ok(stored)
    }

    /// Gives a message another content, unless it has that one or was given it by the same edit before. `is_new` tells
    /// whether a kept content is the new one.
    pub(crate) fn edit(
        &mut self,
        id: MessageId,
        (at, content): (Timestamp, Content),
        is_new: impl Fn(&Content) -> bool,
        index: &mut Option<Index>,
    ) -> Result<ChatMessage> {
        let position = self.get(id)?.message.position;
        let Some(Stored { message, edits }) = self.messages.get_mut(&position) else {
            return Err(StoreError::message_not_found(id));
        };
        let later = edits.iter().skip(1).map(|(_, before)| &before.content).chain([&message.content]);
        let is_retry = edits.iter().zip(later).any(|((made_at, _), made)| *made_at == at && is_new(made));
        if !is_retry && !is_new(&message.content) {
            let number = u32::try_from(edits.len() + 1).unwrap_or(u32::MAX);
            let before = replace(&mut message.content, content);
            edits.push((at, MessageRevision::new(number, before, message.updated_at)));
            message.updated_at = message.updated_at.max(at);
            self.thread.updated_at = self.thread.updated_at.max(at);
            if let Some(index) = index {
                index.note((self.thread.id, position));
            }
        }
        Ok(message.clone())
    }

    pub(crate) fn delete(
        &mut self,
        id: MessageId,
        at: Timestamp,
        index: &mut Option<Index>,
    ) -> Result<Option<Stored>> {
        let position = self.get(id)?.message.position;
        self.positions.remove(&id);
        if let Some(index) = index {
            index.forget((self.thread.id, position));
        }
        self.touch(at);
        Ok(self.messages.remove(&position))
    }

    /// Takes out all messages, to be dropped when the lock is free.
    pub(crate) fn clear(&mut self, at: Timestamp, index: &mut Option<Index>) -> BTreeMap<Position, Stored> {
        if let Some(index) = index {
            self.messages.keys().for_each(|position| index.forget((self.thread.id, *position)));
        }
        if !self.messages.is_empty() {
            self.touch(at);
        }
        self.positions = HashMap::new();
        take(&mut self.messages)
    }

    fn touch(&mut self, at: Timestamp) {
        self.thread.updated_at = self.thread.updated_at.max(at);
    }
}
