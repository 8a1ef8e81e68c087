//! The model: what each step answers, and what is there after it. It is written to be read, not to be fast, and shares no code
//! with a store.

use std::collections::{BTreeMap, HashSet};

use proptest::strategy::{BoxedStrategy, Just, Strategy as _};
use proptest_state_machine::ReferenceStateMachine;

use crate::generate;
use crate::step::{Action, Batch, Expect, Place, Step, Turn, User, name};
use crate::tree::{Result, Thread};
use crate::view::{Answer, Failure, ThreadView};

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    threads: BTreeMap<u8, Thread>,
    /// Where the pages of each list are, by thread, branch and order.
    turned: BTreeMap<(u8, u32, bool), i64>,
}

fn no_thread() -> Failure {
    Failure::NotFound("thread".to_owned())
}

/// Where the version of a thread begins that is created then.
pub(crate) fn beginning(at: i64) -> i64 {
    1_000 * at
}

impl Model {
    /// The thread, where the user sees it.
    pub(crate) fn thread(&self, by: User, id: u8) -> Option<&Thread> {
        self.threads.get(&id).filter(|thread| thread.view.owner == by)
    }

    /// What is asked for by a number that a step counts: the version, the place, the head, the revision.
    pub(crate) fn version(&self, step: &Step, expect: Expect) -> Option<i64> {
        self.threads.get(&step.thread).map_or(expect, |thread| thread.version(expect)).map(|it| it.max(0))
    }

    pub(crate) fn position(&self, step: &Step, place: Place) -> i64 {
        self.threads.get(&step.thread).map_or(0, |thread| thread.position(place))
    }

    pub(crate) fn revision(&self, step: &Step, id: u32, offset: Option<i64>) -> Option<u32> {
        self.threads.get(&step.thread).map_or(offset.map(|_| 0), |thread| thread.revision(id, offset))
    }

    /// The head and the version that an append expects.
    pub(crate) fn expected(&self, thread: u8, batch: &Batch) -> (Option<i64>, Option<i64>) {
        let thread = self.threads.get(&thread);
        let head = thread.map_or(0, |thread| thread.head(batch.branch));
        let version = thread.map_or(0, |thread| thread.view.version);
        let near = |number: i64, offset: Option<i64>| offset.map(|offset| (number + offset).max(0));
        (near(head, batch.expect_head), near(version, batch.expect))
    }

    /// Makes a step.
    pub(crate) fn take(&mut self, step: &Step) -> Answer {
        self.answer(step).unwrap_or_else(Answer::Failed)
    }

    fn answer(&mut self, step: &Step) -> Result<Answer> {
        let (by, id) = (step.by, step.thread);
        match &step.action {
            Action::Create { external, at } => self.create(by, id, *external, *at),
            Action::Fork { new, from, external, at } => self.fork(step, (*new, *from, *external, *at)),
            Action::AppendEach(batches) => {
                let expected: Vec<_> =
                    batches.iter().map(|(thread, batch)| self.expected(*thread, batch)).collect();
                let each = batches.iter().zip(expected).map(|((thread, batch), expected)| {
                    self.append(by, *thread, batch, expected).unwrap_or_else(Answer::Failed)
                });
                Ok(Answer::Each(each.collect()))
            }
            Action::Append(batch) => self.append(by, id, batch, self.expected(id, batch)),
            Action::DeleteThread { expect } => {
                let thread = self.mine(by, id)?;
                thread.expect_version(*expect)?;
                let count = thread.messages().count() as u64;
                self.threads.remove(&id);
                Ok(Answer::Count(count))
            }
            Action::Turn(turn) => self.turn(by, id, turn),
            Action::Update { name, active, at, expect } => {
                self.mine(by, id)?.update(*name, *active, *at, *expect)
            }
            Action::Edit { id: message, text, at, revision, expect } => {
                self.mine(by, id)?.edit(*message, *text, *at, *revision, *expect)
            }
            Action::DeleteMessage { id: message, at, expect } => {
                self.mine(by, id)?.delete_message(*message, *at, *expect)
            }
            Action::Clear { at, expect } => self.mine(by, id)?.clear(*at, *expect),
            Action::CreateBranch { request, from, name, at, expect } => {
                self.mine(by, id)?.create_branch(*request, *from, *name, *at, *expect)
            }
            Action::RenameBranch { branch, name, at, expect } => {
                self.mine(by, id)?.rename_branch(*branch, *name, *at, *expect)
            }
            Action::DeleteBranch { branch, at, expect } => {
                self.mine(by, id)?.delete_branch(*branch, *at, *expect)
            }
            Action::Truncate { after, at, expect } => self.mine(by, id)?.truncate(*after, *at, *expect),
        }
    }

    fn mine(&mut self, by: User, id: u8) -> Result<&mut Thread> {
        self.threads.get_mut(&id).filter(|thread| thread.view.owner == by).ok_or_else(no_thread)
    }

    fn create(&mut self, by: User, id: u8, external: Option<u8>, at: i64) -> Result<Answer> {
        if let Some(held) = self.held(by, id, external)? {
            return Ok(held);
        }
        let view = new_thread(by, id, external, at);
        self.threads.insert(id, Thread::new(view.clone()));
        Ok(Answer::Thread(view))
    }

    /// The answer where a thread of the id is there already.
    fn held(&self, by: User, id: u8, external: Option<u8>) -> Result<Option<Answer>> {
        let Some(Thread { view, .. }) = self.threads.get(&id) else { return Ok(None) };
        if view.owner != by {
            return Err(Failure::AlreadyExists);
        }
        if external.is_some() && external != view.external {
            return Err(Failure::InvalidArgument);
        }
        Ok(Some(Answer::Thread(view.clone())))
    }

    fn fork(
        &mut self,
        step: &Step,
        (new, from, external, at): (u8, Place, Option<u8>, i64),
    ) -> Result<Answer> {
        let through = self.position(step, from);
        let point = Some((step.thread, from.branch, through));
        if self.threads.get(&new).is_some_and(|thread| thread.view.forked_from != point) {
            return Err(Failure::AlreadyExists);
        }
        if let Some(held) = self.held(step.by, new, external)? {
            return Ok(held);
        }
        let origin = self.mine(step.by, step.thread)?;
        if through > origin.branch(from.branch)?.head {
            return Err(Failure::InvalidArgument);
        }
        let mut view = new_thread(step.by, new, external, at);
        (view.head, view.forked_from) = (through, point);
        let fork = origin.fork(view.clone(), from.branch, through);
        self.threads.insert(new, fork);
        Ok(Answer::Thread(view))
    }

    fn append(
        &mut self,
        by: User,
        id: u8,
        batch: &Batch,
        (head, version): (Option<i64>, Option<i64>),
    ) -> Result<Answer> {
        let ids: HashSet<_> = batch.messages.iter().map(|new| new.id).collect();
        if ids.len() < batch.messages.len() {
            return Err(Failure::InvalidArgument);
        }
        self.mine(by, id)?.append(batch, head, version)
    }

    fn turn(&mut self, by: User, id: u8, turn: &Turn) -> Result<Answer> {
        let key = (id, turn.branch, turn.is_newest_first);
        let behind = self.turned.get(&key).copied();
        let thread = self.mine(by, id)?;
        thread.branch(turn.branch)?;
        let shown = thread.shown(turn.branch).cloned();
        let mut rest: Vec<_> = if turn.is_newest_first {
            shown.rev().filter(|message| behind.is_none_or(|behind| message.position < behind)).collect()
        } else {
            shown.filter(|message| behind.is_none_or(|behind| message.position > behind)).collect()
        };
        let (has_next, version) = (rest.len() > turn.limit, Some(thread.view.version));
        rest.truncate(turn.limit);
        match rest.last() {
            Some(last) if has_next => self.turned.insert(key, last.position),
            _ => self.turned.remove(&key),
        };
        Ok(Answer::Page { messages: rest, has_next, version })
    }
}

fn new_thread(owner: User, id: u8, external: Option<u8>, at: i64) -> ThreadView {
    ThreadView {
        id,
        external,
        owner,
        name: name(0),
        head: 0,
        active: 0,
        forked_from: None,
        version: beginning(at),
        created: at,
        updated: at,
    }
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        generate::step(state)
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        state.take(step);
        state
    }
}
