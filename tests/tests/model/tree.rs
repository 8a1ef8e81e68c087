//! A thread as the model has it: one map of messages by position, and where each branch starts.

use std::collections::BTreeMap;

use crate::step::{Batch, Expect, New, Place, name, text};
use crate::view::{Answer, BranchView, Failure, MessageView, RevisionView, ThreadView};

pub(crate) type Result<T> = std::result::Result<T, Failure>;

#[derive(Debug, Clone)]
pub(crate) struct Thread {
    pub(crate) view: ThreadView,
    /// The last position that was given on any branch.
    last: i64,
    branches: BTreeMap<u32, Branch>,
    messages: BTreeMap<i64, Message>,
}

#[derive(Debug, Clone)]
struct Branch {
    view: BranchView,
    /// Its own messages are behind this position.
    begins_behind: i64,
    /// Others may still show what it shares.
    is_deleted: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) view: MessageView,
    pub(crate) revisions: Vec<RevisionView>,
    /// When each edit was made, and to what.
    edits: Vec<(i64, String)>,
}

fn not_found(what: &str) -> Failure {
    Failure::NotFound(what.to_owned())
}

fn expect(of: &str, expected: Option<i64>, actual: i64) -> Result<()> {
    match expected {
        Some(expected) if expected != actual => {
            Err(Failure::Conflict { of: of.to_owned(), expected, actual })
        }
        _ => Ok(()),
    }
}

impl Thread {
    pub(crate) fn new(view: ThreadView) -> Self {
        let main = BranchView {
            id: 0,
            request: None,
            name: String::new(),
            from: None,
            head: view.head,
            created: view.created,
        };
        let main = Branch { view: main, begins_behind: 0, is_deleted: false };
        Self { last: view.head, view, branches: BTreeMap::from([(0, main)]), messages: BTreeMap::new() }
    }

    /// The branches that are there.
    pub(crate) fn branches(&self) -> impl Iterator<Item = &BranchView> {
        self.branches.values().filter(|branch| !branch.is_deleted).map(|branch| &branch.view)
    }

    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.values()
    }

    /// What a branch shows: its own, and what its parent shows up to where it starts.
    pub(crate) fn shows(&self, branch: u32, message: &MessageView) -> bool {
        let is_shared = |(parent, through)| message.position <= through && self.shows(parent, message);
        message.branch == branch || self.branches[&branch].view.from.is_some_and(is_shared)
    }

    pub(crate) fn shown(&self, branch: u32) -> impl DoubleEndedIterator<Item = &MessageView> {
        self.messages.values().map(|message| &message.view).filter(move |view| self.shows(branch, view))
    }

    pub(crate) fn version(&self, expect: Expect) -> Option<i64> {
        expect.map(|offset| (self.view.version + offset).max(0))
    }

    pub(crate) fn head(&self, branch: u32) -> i64 {
        self.branches.get(&branch).map_or(0, |branch| branch.view.head)
    }

    pub(crate) fn position(&self, place: Place) -> i64 {
        (self.head(place.branch) - place.ahead).max(0)
    }

    pub(crate) fn revision(&self, id: u32, offset: Option<i64>) -> Option<u32> {
        let revision = self.held(id).map_or(1, |message| message.view.revision);
        offset.map(|offset| u32::try_from(i64::from(revision) + offset).unwrap_or(0))
    }

    fn held(&self, id: u32) -> Option<&Message> {
        self.messages.values().find(|message| message.view.id == id)
    }

    pub(crate) fn branch(&self, branch: u32) -> Result<&BranchView> {
        self.branches().find(|view| view.id == branch).ok_or_else(|| not_found("branch"))
    }

    pub(crate) fn expect_version(&self, expected: Expect) -> Result<()> {
        expect("the thread's version", self.version(expected), self.view.version)
    }

    fn touch(&mut self, at: i64) {
        self.view.version += 1;
        self.view.updated = self.view.updated.max(at);
    }

    pub(crate) fn update(
        &mut self,
        new_name: Option<u8>,
        active: Option<u32>,
        at: i64,
        expect: Expect,
    ) -> Result<Answer> {
        active.map_or(Ok(()), |branch| self.branch(branch).map(drop))?;
        let mut view = self.view.clone();
        view.name = new_name.map_or(view.name, name);
        view.active = active.unwrap_or(view.active);
        view.updated = view.updated.max(at);
        if view != self.view {
            self.expect_version(expect)?;
            self.view = view;
            self.view.version += 1;
        }
        Ok(Answer::Thread(self.view.clone()))
    }

    /// `version` is what is expected, as a number: the batch may be one of several.
    pub(crate) fn append(
        &mut self,
        batch: &Batch,
        expect_head: Option<i64>,
        version: Option<i64>,
    ) -> Result<Answer> {
        self.branch(batch.branch)?;
        let mut is_new = false;
        for new in &batch.messages {
            match self.held(new.id) {
                None => is_new = true,
                Some(held) if !self.shows(batch.branch, &held.view) => return Err(Failure::InvalidArgument),
                Some(held) if new.external.is_some() && new.external != held.view.external => {
                    return Err(Failure::InvalidArgument);
                }
                Some(_) => {}
            }
        }
        if is_new {
            expect("the head", expect_head, self.head(batch.branch))?;
            expect("the thread's version", version, self.view.version)?;
            self.view.version += 1;
        }
        let messages = batch.messages.iter().map(|new| self.store(batch.branch, new)).collect();
        Ok(Answer::Appended { messages, head: self.head(batch.branch), version: self.view.version })
    }

    fn store(&mut self, branch: u32, new: &New) -> MessageView {
        if let Some(held) = self.held(new.id) {
            return held.view.clone();
        }
        self.last += 1;
        let view = MessageView {
            id: new.id,
            external: new.external,
            thread: self.view.id,
            branch,
            position: self.last,
            text: text(new.text),
            revision: 1,
            created: new.at,
            updated: new.at,
        };
        self.messages
            .insert(self.last, Message { view: view.clone(), revisions: Vec::new(), edits: Vec::new() });
        self.view.updated = self.view.updated.max(new.at);
        if branch == 0 {
            self.view.head = self.last;
        }
        self.branches.entry(branch).and_modify(|branch| branch.view.head = self.last);
        view
    }

    pub(crate) fn edit(
        &mut self,
        id: u32,
        content: u8,
        at: i64,
        revision: Option<i64>,
        expect_version: Expect,
    ) -> Result<Answer> {
        let (content, revision) = (text(content), self.revision(id, revision));
        let held = self.held(id).ok_or_else(|| not_found("message"))?;
        let mut message = held.clone();
        let edit = (at, content.clone());
        if message.view.text == content || message.edits.contains(&edit) {
            return Ok(Answer::Message(message.view));
        }
        expect("the message's revision", revision.map(Into::into), message.view.revision.into())?;
        self.expect_version(expect_version)?;
        message.edits.push(edit);
        message.revisions.push(RevisionView {
            revision: message.view.revision,
            text: message.view.text,
            written: message.view.updated,
        });
        message.view.text = content;
        message.view.revision += 1;
        message.view.updated = message.view.updated.max(at);
        let view = message.view.clone();
        self.messages.insert(view.position, message);
        self.touch(at);
        Ok(Answer::Message(view))
    }

    pub(crate) fn delete_message(&mut self, id: u32, at: i64, expect: Expect) -> Result<Answer> {
        let position = self.held(id).ok_or_else(|| not_found("message"))?.view.position;
        self.expect_version(expect)?;
        self.messages.remove(&position);
        self.touch(at);
        Ok(Answer::Done)
    }

    pub(crate) fn clear(&mut self, at: i64, expect: Expect) -> Result<Answer> {
        self.remove(|_| true, at, expect)
    }

    /// Removes messages where there are any.
    fn remove(&mut self, is_gone: impl Fn(&MessageView) -> bool, at: i64, expect: Expect) -> Result<Answer> {
        let count = self.messages().filter(|message| is_gone(&message.view)).count();
        if count > 0 {
            self.expect_version(expect)?;
            self.messages.retain(|_, message| !is_gone(&message.view));
            self.touch(at);
        }
        Ok(Answer::Count(count as u64))
    }

    pub(crate) fn create_branch(
        &mut self,
        request: u8,
        from: Place,
        new_name: u8,
        at: i64,
        expect: Expect,
    ) -> Result<Answer> {
        if let Some(known) = self.branches().find(|branch| branch.request == Some(request)) {
            return Ok(Answer::Branch(known.clone()));
        }
        let through = self.position(from);
        let parent_head = self.branch(from.branch)?.head;
        self.expect_version(expect)?;
        if through > parent_head {
            return Err(Failure::InvalidArgument);
        }
        let id = u32::try_from(self.branches.len()).expect("few");
        let view = BranchView {
            id,
            request: Some(request),
            name: name(new_name),
            from: Some((from.branch, through)),
            head: through,
            created: at,
        };
        let branch = Branch { view: view.clone(), begins_behind: self.last, is_deleted: false };
        self.branches.insert(id, branch);
        self.touch(at);
        Ok(Answer::Branch(view))
    }

    /// A branch that has a name and can be deleted.
    fn other(&mut self, id: u32) -> Result<&mut Branch> {
        if id == 0 {
            return Err(Failure::InvalidArgument);
        }
        let branch = self.branches.get_mut(&id).filter(|branch| !branch.is_deleted);
        branch.ok_or_else(|| not_found("branch"))
    }

    pub(crate) fn rename_branch(&mut self, id: u32, new_name: u8, at: i64, expect: Expect) -> Result<Answer> {
        if self.other(id)?.view.name != name(new_name) {
            self.expect_version(expect)?;
            self.other(id)?.view.name = name(new_name);
            self.touch(at);
        }
        Ok(Answer::Branch(self.other(id)?.view.clone()))
    }

    pub(crate) fn delete_branch(&mut self, id: u32, at: i64, expect: Expect) -> Result<Answer> {
        self.other(id)?;
        self.check_unused(id, 0)?;
        self.expect_version(expect)?;
        let count = self.messages().filter(|message| message.view.branch == id).count();
        self.messages.retain(|_, message| message.view.branch != id);
        let branch = self.other(id)?;
        branch.is_deleted = true;
        let parent = branch.view.from.map_or(0, |(parent, _)| parent);
        if self.view.active == id {
            self.view.active = if self.branch(parent).is_ok() { parent } else { 0 };
        }
        self.touch(at);
        Ok(Answer::Count(count as u64))
    }

    pub(crate) fn truncate(&mut self, after: Place, at: i64, expect: Expect) -> Result<Answer> {
        let (id, after) = (after.branch, self.position(after));
        let starts_at = self.branch(id)?.from.map_or(0, |(_, through)| through);
        if after < starts_at {
            return Err(Failure::InvalidArgument);
        }
        let is_gone = |message: &MessageView| message.branch == id && message.position > after;
        if self.messages().any(|message| is_gone(&message.view)) {
            self.check_unused(id, after)?;
        }
        self.remove(is_gone, at, expect)
    }

    /// Whether another branch shows what this one has of its own behind a position.
    fn check_unused(&self, id: u32, behind: i64) -> Result<()> {
        let behind = behind.max(self.branches[&id].begins_behind);
        let uses = |other: &BranchView| self.shares(other.id, id).is_some_and(|through| through > behind);
        if self.branches().any(uses) { Err(Failure::InUse) } else { Ok(()) }
    }

    /// Up to where a branch shows what another one has.
    fn shares(&self, branch: u32, of: u32) -> Option<i64> {
        let (parent, through) = self.branches[&branch].view.from?;
        if parent == of { Some(through) } else { Some(through.min(self.shares(parent, of)?)) }
    }

    /// A copy of what a branch shows up to a position, as a thread of its own.
    pub(crate) fn fork(&self, view: ThreadView, branch: u32, through: i64) -> Self {
        let mut fork = Self::new(view);
        for shown in self.shown(branch).filter(|shown| shown.position <= through) {
            let mut message = self.messages[&shown.position].clone();
            (message.view.thread, message.view.branch) = (fork.view.id, 0);
            fork.messages.insert(shown.position, message);
        }
        fork
    }
}
