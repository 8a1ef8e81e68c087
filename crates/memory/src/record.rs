//! A thread with all that is in it.

use std::collections::HashMap;
use std::mem::{replace, take};

use chatkeep_domain::{
    Append, Appended, ChatMessage, ChatThread, Content, Expected, MessageEdit, MessageId, MessageRevision,
    NewMessage, Position, Removal, Scope, StoreError, ThreadPreview, Timestamp,
};

use crate::index::Index;

pub(crate) type Result<T> = std::result::Result<T, StoreError>;

pub(crate) struct Record {
    pub(crate) thread: ChatThread,
    /// The thread's `updated_at` when it was last put into the lists.
    pub(crate) listed_at: Timestamp,
    /// By position.
    pub(crate) messages: Vec<Stored>,
    /// `None` as long as each id is greater than those before, as UUIDv7 comes: then they are sorted as the messages are.
    positions: Option<HashMap<MessageId, Position>>,
}

pub(crate) struct Stored {
    pub(crate) message: ChatMessage,
    /// When each edit was made, as it was given, and what the message said before it.
    pub(crate) edits: Vec<(Timestamp, MessageRevision)>,
    /// Its number in the index.
    pub(crate) number: u64,
}

impl Record {
    pub(crate) fn new(thread: ChatThread) -> Self {
        Self { listed_at: thread.updated_at, thread, messages: Vec::new(), positions: None }
    }

    /// The one place where it is decided who sees a thread.
    pub(crate) fn is_in(&self, scope: &Scope) -> bool {
        scope.contains(&self.thread.org_id, &self.thread.user_id)
    }

    /// The messages behind a position, and ahead of another.
    pub(crate) fn between(&self, after: Position, before: Option<Position>) -> &[Stored] {
        let from = self.messages.partition_point(|stored| stored.message.position <= after);
        let until = before.map_or(self.messages.len(), |before| self.count_ahead(before));
        self.messages.get(from..until).unwrap_or_default()
    }

    /// How many messages are ahead of a position.
    fn count_ahead(&self, position: Position) -> usize {
        self.messages.partition_point(|stored| stored.message.position < position)
    }

    pub(crate) fn at(&self, position: Position) -> Option<&Stored> {
        let stored = self.messages.get(self.count_ahead(position));
        stored.filter(|stored| stored.message.position == position)
    }

    pub(crate) fn find(&self, id: MessageId) -> Result<usize> {
        self.held(id).ok_or_else(|| StoreError::message_not_found(id))
    }

    /// Where a message is among the messages.
    fn held(&self, id: MessageId) -> Option<usize> {
        match &self.positions {
            Some(positions) => Some(self.count_ahead(*positions.get(&id)?)),
            None if self.messages.last().is_none_or(|last| last.message.id < id) => None,
            None => self.messages.binary_search_by_key(&id, |stored| stored.message.id).ok(),
        }
    }

    /// Stores the messages that are not held yet; gives all of them as they are stored.
    pub(crate) fn append(&mut self, append: Append, index: &mut Option<Index>) -> Result<Appended> {
        let mut is_retry = true;
        for new in &append.messages {
            match self.held(new.id) {
                Some(place) => new.check_held(&self.messages[place].message)?,
                None => is_retry = false,
            }
        }
        if !is_retry {
            append.check_expected(self.thread.head, self.thread.version)?;
            // Nothing may fail below: what is written first would stay.
            self.thread.head.advance(append.messages.len())?;
            self.thread.version = self.thread.version.next();
        }
        let store = |new: NewMessage| match self.held(new.id) {
            Some(place) => Ok(self.messages[place].message.clone()),
            None => self.push(new, index),
        };
        let messages = append.messages.into_iter().map(store).collect::<Result<_>>()?;
        Ok(Appended::new(messages, self.thread.head, self.thread.version))
    }

    fn push(&mut self, new: NewMessage, index: &mut Option<Index>) -> Result<ChatMessage> {
        let position = self.thread.head.advance(1)?;
        self.thread.head = position;
        self.raise(new.created_at);
        let message = new.into_message(self.thread.id, position);
        if self.positions.is_none() && self.messages.last().is_some_and(|last| last.message.id > message.id) {
            let messages = self.messages.iter().map(|stored| &stored.message);
            self.positions = Some(messages.map(|message| (message.id, message.position)).collect());
        }
        if let Some(positions) = &mut self.positions {
            positions.insert(message.id, position);
        }
        let number = index.as_mut().map_or(0, |index| index.add(self.thread.id, position));
        self.messages.push(Stored { message: message.clone(), edits: Vec::new(), number });
        Ok(message)
    }

    /// Gives a message another content, unless it has that one or was given it by the same edit before. `is_new` tells
    /// whether a kept content is the new one.
    pub(crate) fn edit(
        &mut self,
        id: MessageId,
        (edit, content): (&MessageEdit, Content),
        is_new: impl Fn(&Content) -> bool,
        index: &mut Option<Index>,
    ) -> Result<ChatMessage> {
        let (found, at, version) = (self.find(id)?, edit.at, self.thread.version);
        let Stored { message, edits, number } = &mut self.messages[found];
        let later = edits.iter().skip(1).map(|(_, before)| &before.content).chain([&message.content]);
        let is_retry = edits.iter().zip(later).any(|((made_at, _), made)| *made_at == at && is_new(made));
        if !is_retry && !is_new(&message.content) {
            edit.check_expected(message.revision, version)?;
            if let Some(index) = index {
                index.forget(1);
                *number = index.add(message.chat_thread_id, message.position);
            }
            let before = replace(&mut message.content, content);
            edits.push((at, MessageRevision::new(message.revision, before, message.updated_at)));
            message.revision += 1;
            message.updated_at = message.updated_at.max(at);
            self.touch(at);
        }
        Ok(self.messages[found].message.clone())
    }

    /// Takes out a message, or all.
    pub(crate) fn delete(
        &mut self,
        id: Option<MessageId>,
        removal: Removal,
        index: &mut Option<Index>,
    ) -> Result<Vec<Stored>> {
        let place = id.map(|id| self.find(id)).transpose()?;
        if self.messages.is_empty() {
            return Ok(Vec::new());
        }
        StoreError::unless_expected(Expected::Version, removal.expect_version, self.thread.version)?;
        let gone = match place {
            Some(place) => vec![self.messages.remove(place)],
            None => take(&mut self.messages),
        };
        for Stored { message, .. } in &gone {
            self.positions.as_mut().map(|positions| positions.remove(&message.id));
        }
        if let Some(index) = index {
            index.forget(gone.len());
        }
        self.touch(removal.at);
        Ok(gone)
    }

    /// The thread was changed at this time.
    fn touch(&mut self, at: Timestamp) {
        self.thread.version = self.thread.version.next();
        self.raise(at);
    }

    fn raise(&mut self, at: Timestamp) {
        self.thread.updated_at = self.thread.updated_at.max(at);
    }

    /// What a list shows of the thread.
    pub(crate) fn preview(&self) -> ThreadPreview {
        let last = self.messages.last().map(|stored| stored.message.clone());
        ThreadPreview::new(last, self.messages.len() as u64)
    }
}
