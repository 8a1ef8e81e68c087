//! A thread with all that is in it.

use std::collections::{BTreeMap, HashMap};
use std::mem::{replace, take};
use std::sync::Arc;

use chatkeep_domain::{
    Append, Appended, Branch, BranchId, ChatMessage, ChatThread, Content, Expected, MessageEdit, MessageId,
    MessageRevision, NewMessage, Path, Position, Removal, Scope, StoreError, ThreadPreview, ThreadUpdate,
    Timestamp,
};

use crate::index::Index;

pub(crate) type Result<T> = std::result::Result<T, StoreError>;

pub(crate) struct Record {
    pub(crate) thread: ChatThread,
    /// The thread's `updated_at` when it was last put into the lists.
    pub(crate) listed_at: Timestamp,
    /// The position that was allotted last, on whichever branch.
    pub(crate) allotted: Position,
    pub(crate) next_branch: BranchId,
    /// By their numbers. The main one is always there.
    pub(crate) lines: BTreeMap<BranchId, Line>,
    /// `None` as long as there is the main branch alone and each id is greater than those before, as UUIDv7 comes: then
    /// they are sorted as the messages are.
    places: Option<HashMap<MessageId, Place>>,
    /// One of its own for each thread that was ever made, also with an id that was there before.
    pub(crate) life: Arc<()>,
}

/// A branch with the messages of its own, by position.
pub(crate) struct Line {
    pub(crate) branch: Branch,
    pub(crate) messages: Vec<Stored>,
}

/// Where a message is.
type Place = (BranchId, Position);

pub(crate) struct Stored {
    pub(crate) message: ChatMessage,
    /// When each edit was made, as it was given, and what the message said before it.
    pub(crate) edits: Vec<(Timestamp, MessageRevision)>,
    /// Its number in the index.
    pub(crate) number: u64,
}

impl Line {
    pub(crate) fn new(branch: Branch) -> Self {
        Self { branch, messages: Vec::new() }
    }

    /// How many messages are ahead of a position.
    fn count_ahead(&self, position: Position) -> usize {
        self.messages.partition_point(|stored| stored.message.position < position)
    }

    /// The messages behind a position, up to another one.
    fn between(&self, after: Position, through: Option<Position>) -> &[Stored] {
        let up_to = |end| self.messages.partition_point(|stored| stored.message.position <= end);
        let until = through.map_or(self.messages.len(), up_to);
        self.messages.get(up_to(after)..until).unwrap_or_default()
    }

    fn at(&self, position: Position) -> Option<&Stored> {
        let stored = self.messages.get(self.count_ahead(position));
        stored.filter(|stored| stored.message.position == position)
    }
}

impl Record {
    pub(crate) fn new(thread: ChatThread) -> Self {
        let main = Line::new(Branch::main(&thread));
        Self {
            listed_at: thread.updated_at,
            allotted: thread.head,
            thread,
            next_branch: BranchId::MAIN.next(),
            lines: BTreeMap::from([(BranchId::MAIN, main)]),
            places: None,
            life: Arc::default(),
        }
    }

    /// The one place where it is decided who sees a thread.
    pub(crate) fn is_in(&self, scope: &Scope) -> bool {
        scope.contains(&self.thread.org_id, &self.thread.user_id)
    }

    pub(crate) fn line(&self, branch: BranchId) -> Result<&Line> {
        self.lines.get(&branch).ok_or_else(|| StoreError::branch_not_found(branch))
    }

    /// What a path shows behind a position and ahead of another, in order.
    pub(crate) fn between<'a>(
        &'a self,
        path: &'a Path,
        after: Position,
        before: Option<Position>,
    ) -> impl DoubleEndedIterator<Item = &'a Stored> {
        let parts = path.segments().iter().map(move |segment| {
            let line = self.lines.get(&segment.branch);
            let shown = line.map(|line| line.between(segment.after.max(after), segment.through));
            let shown = shown.unwrap_or_default();
            let ahead = |before| shown.partition_point(|stored| stored.message.position < before);
            &shown[..before.map_or(shown.len(), ahead)]
        });
        parts.flatten()
    }

    /// The messages of all branches.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Stored> {
        self.lines.values().flat_map(|line| &line.messages)
    }

    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut Stored> {
        self.lines.values_mut().flat_map(|line| &mut line.messages)
    }

    pub(crate) fn at(&self, position: Position) -> Option<&Stored> {
        self.lines.values().find_map(|line| line.at(position))
    }

    pub(crate) fn find(&self, id: MessageId) -> Result<&Stored> {
        self.held(id).and_then(|place| self.stored(place)).ok_or_else(|| StoreError::message_not_found(id))
    }

    fn stored(&self, (branch, position): Place) -> Option<&Stored> {
        self.lines.get(&branch)?.at(position)
    }

    fn held(&self, id: MessageId) -> Option<Place> {
        if let Some(places) = &self.places {
            return places.get(&id).copied();
        }
        let main = &self.lines.get(&BranchId::MAIN)?.messages;
        if main.last().is_none_or(|last| last.message.id < id) {
            return None;
        }
        let place = main.binary_search_by_key(&id, |stored| stored.message.id).ok()?;
        Some((BranchId::MAIN, main[place].message.position))
    }

    /// From now on ids are looked up, not searched for.
    pub(crate) fn keep_places(&mut self) {
        if self.places.is_none() {
            let messages = self.all().map(|stored| &stored.message);
            self.places =
                Some(messages.map(|message| (message.id, (message.branch, message.position))).collect());
        }
    }

    /// Stores the messages that are not held yet; gives all of them as they are stored.
    pub(crate) fn append(&mut self, append: Append, index: &mut Option<Index>) -> Result<Appended> {
        let line = self.line(append.branch)?;
        let mut known = 0;
        for new in &append.messages {
            let Some(place) = self.held(new.id) else { continue };
            known += 1;
            let check = |stored: &Stored| append.check_held(new, &stored.message, &line.branch.path);
            self.stored(place).map_or(Ok(()), check)?;
        }
        let (branch, mut head) = (append.branch, line.branch.head);
        if known < append.messages.len() {
            append.check_expected(head, self.thread.version)?;
            // Nothing may fail below: what is written first would stay.
            head = self.allotted.advance(append.messages.len() - known)?;
            self.thread.version = self.thread.version.next();
        }
        let store = |new: NewMessage| {
            let place = if known > 0 { self.held(new.id) } else { None };
            match place.and_then(|place| self.stored(place)) {
                Some(stored) => Ok(stored.message.clone()),
                None => self.push(branch, new, index),
            }
        };
        let messages = append.messages.into_iter().map(store).collect::<Result<_>>()?;
        Ok(Appended::new(messages, head, self.thread.version))
    }

    fn push(&mut self, branch: BranchId, new: NewMessage, index: &mut Option<Index>) -> Result<ChatMessage> {
        let position = self.allotted.advance(1)?;
        self.allotted = position;
        self.raise(new.created_at);
        let mut message = new.into_message(self.thread.id, position);
        message.branch = branch;
        let line = self.lines.get_mut(&branch).ok_or_else(|| StoreError::branch_not_found(branch))?;
        line.branch.head = position;
        if branch.is_main() {
            self.thread.head = position;
        }
        let is_sorted = line.messages.last().is_none_or(|last| last.message.id < message.id);
        let number = index.as_mut().map_or(0, |index| index.add(self.thread.id, position));
        line.messages.push(Stored { message: message.clone(), edits: Vec::new(), number });
        if let Some(places) = &mut self.places {
            places.insert(message.id, (branch, position));
        } else if !is_sorted {
            self.keep_places();
        }
        Ok(message)
    }

    pub(crate) fn update(&mut self, update: ThreadUpdate) -> Result<()> {
        update.active_branch.map_or(Ok(()), |branch| self.line(branch).map(drop))?;
        update.apply(&mut self.thread)
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
        let absent = || StoreError::message_not_found(id);
        let ((branch, position), at) = (self.held(id).ok_or_else(absent)?, edit.at);
        let line = self.lines.get_mut(&branch).ok_or_else(absent)?;
        let found = line.count_ahead(position);
        let Stored { message, edits, number } = line.messages.get_mut(found).ok_or_else(absent)?;
        let later = edits.iter().skip(1).map(|(_, before)| &before.content).chain([&message.content]);
        let is_retry = edits.iter().zip(later).any(|((made_at, _), made)| *made_at == at && is_new(made));
        if is_retry || is_new(&message.content) {
            return Ok(message.clone());
        }
        edit.check_expected(message.revision, self.thread.version)?;
        if let Some(index) = index {
            index.forget(1);
            *number = index.add(message.chat_thread_id, message.position);
        }
        let before = replace(&mut message.content, content);
        edits.push((at, MessageRevision::new(message.revision, before, message.updated_at)));
        message.revision += 1;
        message.updated_at = message.updated_at.max(at);
        let edited = message.clone();
        self.touch(at);
        Ok(edited)
    }

    /// Takes out a message.
    pub(crate) fn delete(
        &mut self,
        id: MessageId,
        removal: Removal,
        index: &mut Option<Index>,
    ) -> Result<Vec<Stored>> {
        let absent = || StoreError::message_not_found(id);
        let (branch, position) = self.held(id).ok_or_else(absent)?;
        self.check_version(removal)?;
        let line = self.lines.get_mut(&branch).ok_or_else(absent)?;
        let gone = vec![line.messages.remove(line.count_ahead(position))];
        Ok(self.removed(gone, removal, index))
    }

    /// Takes out the messages of all branches.
    pub(crate) fn clear(&mut self, removal: Removal, index: &mut Option<Index>) -> Result<Vec<Stored>> {
        if self.all().next().is_none() {
            return Ok(Vec::new());
        }
        self.check_version(removal)?;
        // The first and mostly the only part is not moved message by message.
        let mut parts = self.lines.values_mut().map(|line| take(&mut line.messages));
        let mut gone = parts.next().unwrap_or_default();
        gone.extend(parts.flatten());
        self.places = self.places.take().map(|_| HashMap::new());
        Ok(self.removed(gone, removal, index))
    }

    pub(crate) fn check_version(&self, removal: Removal) -> Result<()> {
        StoreError::unless_expected(Expected::Version, removal.expect_version, self.thread.version)
    }

    /// Notes that messages were taken out.
    pub(crate) fn removed(
        &mut self,
        gone: Vec<Stored>,
        removal: Removal,
        index: &mut Option<Index>,
    ) -> Vec<Stored> {
        for Stored { message, .. } in &gone {
            self.places.as_mut().map(|places| places.remove(&message.id));
        }
        if let Some(index) = index {
            index.forget(gone.len());
        }
        self.touch(removal.at);
        gone
    }

    /// The thread was changed at this time.
    pub(crate) fn touch(&mut self, at: Timestamp) {
        self.thread.version = self.thread.version.next();
        self.raise(at);
    }

    fn raise(&mut self, at: Timestamp) {
        self.thread.updated_at = self.thread.updated_at.max(at);
    }

    /// What a list shows of the thread.
    pub(crate) fn preview(&self) -> ThreadPreview {
        let line = self.lines.get(&self.thread.active_branch);
        let last = line.and_then(|line| self.between(&line.branch.path, Position::ZERO, None).next_back());
        let count = self.lines.values().map(|line| line.messages.len() as u64).sum();
        ThreadPreview::new(last.map(|stored| stored.message.clone()), count)
    }
}
