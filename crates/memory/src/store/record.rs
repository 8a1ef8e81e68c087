//! A thread with all that is in it.

use std::collections::HashMap;
use std::sync::Arc;

use chatkeep_domain::{
    ChatMessage, ChatThread, Content, MessageId, MessageRevision, Position, StoreError, Timestamp,
};

use crate::index::{Index, Place};
use crate::listing::{LISTS, Places};

/// A thread with all that is in it.
pub(crate) struct Record {
    /// As it is; the lists show the same one until it changes: see [`Record::change`].
    pub(crate) thread: Arc<ChatThread>,
    /// The lists are not told yet.
    pub(super) is_changed: bool,
    /// By position.
    pub(crate) messages: Vec<ChatMessage>,
    ids: Ids,
    /// Of the messages that were edited.
    pub(crate) revisions: HashMap<MessageId, Vec<MessageRevision>>,
    pub(crate) places: Places,
    index: Option<Arc<Index>>,
    /// Set for those who found the thread just before it was deleted.
    pub(crate) deleted: bool,
}

impl Record {
    pub(super) fn new(thread: ChatThread, index: Option<Arc<Index>>) -> Self {
        Self {
            thread: Arc::new(thread),
            is_changed: false,
            messages: Vec::new(),
            ids: Ids::default(),
            revisions: HashMap::new(),
            places: [None; LISTS],
            index,
            deleted: false,
        }
    }

    /// The thread, to be changed. The first change after a list copies what that list shows.
    pub(crate) fn change(&mut self) -> &mut ChatThread {
        self.is_changed = true;
        Arc::make_mut(&mut self.thread)
    }

    pub(crate) fn touch(&mut self, at: Timestamp) {
        let thread = self.change();
        thread.updated_at = thread.updated_at.max(at);
    }

    /// Makes messages that were stored findable.
    pub(crate) fn index<'a>(&self, contents: impl Iterator<Item = (Position, &'a Content)>) {
        if let Some(index) = &self.index {
            index.add(contents.map(|(position, content)| (self.place(position), content)));
        }
    }

    /// Makes a message findable by what it says now, and not by what it said before.
    pub(crate) fn reindex(&self, position: Position, before: &Content, after: &Content) {
        if let Some(index) = &self.index {
            index.replace(self.place(position), before, after);
        }
    }

    /// Makes messages that go not findable any more.
    pub(crate) fn unindex<'a>(&self, contents: impl Iterator<Item = (Position, &'a Content)>) {
        if let Some(index) = &self.index {
            index.remove(contents.map(|(position, content)| (self.place(position), content)));
        }
    }

    fn place(&self, position: Position) -> Place {
        (self.thread.id, position)
    }

    /// Removes all messages; gives their number.
    pub(crate) fn clear(&mut self) -> usize {
        let gone = std::mem::take(&mut self.messages);
        (self.ids, self.revisions) = (Ids::default(), HashMap::new());
        self.unindex(gone.iter().map(|message| (message.position, &message.content)));
        gone.len()
    }

    /// The message at a position.
    pub(crate) fn at(&self, position: Position) -> Option<&ChatMessage> {
        self.messages.get(self.messages.binary_search_by_key(&position, |message| message.position).ok()?)
    }

    /// Where a message is among the messages.
    pub(crate) fn known(&mut self, id: MessageId) -> Option<usize> {
        let position = self.ids.position(id, &self.messages)?;
        self.messages.binary_search_by_key(&position, |message| message.position).ok()
    }

    pub(crate) fn find(&mut self, id: MessageId) -> Result<usize, StoreError> {
        self.known(id).ok_or_else(|| StoreError::message_not_found(id))
    }

    /// Puts a message behind the others. Its id must be new.
    pub(crate) fn push(&mut self, message: ChatMessage) {
        self.ids.greatest = self.ids.greatest.max(Some(message.id));
        self.messages.push(message);
    }

    pub(crate) fn remove(&mut self, id: MessageId) -> Result<ChatMessage, StoreError> {
        let found = self.find(id)?;
        self.ids.positions.remove(&id);
        self.revisions.remove(&id);
        Ok(self.messages.remove(found))
    }
}

/// The positions of messages, by id. Most ids are UUIDv7, each greater than those before, and so known to be new without
/// a look: they are only taken in when somebody asks for one.
#[derive(Default)]
struct Ids {
    positions: HashMap<MessageId, Position>,
    /// Up to here they are taken in.
    read: Option<Position>,
    greatest: Option<MessageId>,
}

impl Ids {
    fn position(&mut self, id: MessageId, messages: &[ChatMessage]) -> Option<Position> {
        if Some(id) > self.greatest {
            return None;
        }
        let unread = messages.partition_point(|message| Some(message.position) <= self.read);
        self.positions.extend(messages[unread..].iter().map(|message| (message.id, message.position)));
        self.read = messages.last().map(|message| message.position);
        self.positions.get(&id).copied()
    }
}
