//! A store that is asked what the model is.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use chatkeep_contract::Repo;
use chatkeep_domain::{
    Append, BranchId, BranchPoint, BranchRename, BranchRepository, Cursor, ExternalId, Fork, MessageEdit,
    MessageId, MessageQuery, NewBranch, NewMessage, NewThread, Order, OrgId, Position, Removal, RequestId,
    Role, Scope, ThreadAppend, ThreadId, ThreadUpdate, UserId, Version,
};
use uuid::Uuid;

use crate::model::{Model, beginning};
use crate::step::{Action, Batch, Place, Step, Turn, User, name, text};
use crate::view::{Answer, at};

/// Two handles on one storage, used in turn, and what has to be remembered between the steps.
pub(crate) struct Store<'a> {
    handles: &'a [Repo; 2],
    org: OrgId,
    steps: Cell<usize>,
    cursors: RefCell<HashMap<(u8, u32, bool), Cursor>>,
}

pub(crate) fn thread_id(number: u8) -> ThreadId {
    Uuid::from_u128(number.into()).into()
}

pub(crate) fn message_id(number: u32) -> MessageId {
    Uuid::from_u128(number.into()).into()
}

pub(crate) fn branch_id(number: u32) -> BranchId {
    BranchId::new(number)
}

fn external_id(number: u8) -> ExternalId {
    ExternalId::new(number.to_string()).expect("an id")
}

fn position(number: i64) -> Position {
    Position::new(number).expect("a position")
}

fn version(number: i64) -> Version {
    Version::new(number).expect("a version")
}

impl<'a> Store<'a> {
    pub(crate) fn new(handles: &'a [Repo; 2], case: u32) -> Self {
        let org = OrgId::new(format!("model-{case}")).expect("an id");
        Self { handles, org, steps: Cell::new(0), cursors: RefCell::default() }
    }

    /// The handle that has the turn.
    pub(crate) fn repo(&self) -> &'a Repo {
        &self.handles[self.steps.get() % 2]
    }

    /// The other one has the turn.
    fn pass(&self) {
        self.steps.set(self.steps.get() + 1);
    }

    pub(crate) fn branches(&self) -> &'a dyn BranchRepository {
        self.repo().branches().expect("a store with branches")
    }

    pub(crate) fn scope(&self, user: User) -> Scope {
        Scope::user(self.org.clone(), user_id(user))
    }

    fn new_thread(&self, by: User, id: u8, external: Option<u8>, moment: i64) -> NewThread {
        let new = NewThread::new(thread_id(id), self.org.clone(), user_id(by), name(0), at(moment));
        let mut new = new.with_version(version(beginning(moment)));
        new.external_id = external.map(external_id);
        new
    }

    /// Makes a step. The model is as it was before.
    pub(crate) async fn take(&self, step: &Step, model: &Model) -> Answer {
        let answer = self.answer(step, model).await;
        self.pass();
        answer
    }

    async fn answer(&self, step: &Step, model: &Model) -> Answer {
        let (repo, scope, id) = (self.repo(), &self.scope(step.by), thread_id(step.thread));
        let version = |expect| model.version(step, expect).map(version);
        let removal = |moment, expect| {
            let mut removal = Removal::new(at(moment));
            removal.expect_version = version(expect);
            removal
        };
        match &step.action {
            Action::Create { external, at } => {
                let new = self.new_thread(step.by, step.thread, *external, *at);
                repo.create_thread(scope, new).await.into()
            }
            Action::Update { name: new_name, active, at: moment, expect } => {
                let mut update = ThreadUpdate::new(at(*moment));
                (update.name, update.active_branch) = (new_name.map(name), active.map(branch_id));
                update.expect_version = version(*expect);
                repo.update_thread(scope, id, update).await.into()
            }
            Action::DeleteThread { expect } => repo.delete_thread(scope, id, version(*expect)).await.into(),
            Action::Append(batch) => {
                repo.append(scope, id, appending(step.thread, batch, model)).await.into()
            }
            Action::AppendEach(batches) => {
                let appends = batches.iter().map(|(thread, batch)| {
                    let append = appending(*thread, batch, model);
                    ThreadAppend::new(scope.clone(), thread_id(*thread), append)
                });
                let answers = repo.append_each(appends.collect()).await;
                Answer::Each(answers.into_iter().map(Into::into).collect())
            }
            Action::Edit { id: message, text: new_text, at: moment, revision, expect } => {
                let mut edit = MessageEdit::new(text(*new_text), at(*moment));
                edit.expect_revision = model.revision(step, *message, *revision);
                edit.expect_version = version(*expect);
                repo.edit_message(scope, id, message_id(*message), edit).await.into()
            }
            Action::DeleteMessage { id: message, at, expect } => {
                repo.delete_message(scope, id, message_id(*message), removal(*at, *expect)).await.into()
            }
            Action::Clear { at, expect } => {
                repo.clear_messages(scope, id, removal(*at, *expect)).await.into()
            }
            Action::Turn(turn) => self.turn(scope, step.thread, turn).await,
            _ => self.answer_of_branches(step, model, removal).await,
        }
    }

    async fn answer_of_branches(
        &self,
        step: &Step,
        model: &Model,
        removal: impl Fn(i64, Option<i64>) -> Removal,
    ) -> Answer {
        let (branches, scope, id) = (self.branches(), &self.scope(step.by), thread_id(step.thread));
        let point =
            |place: &Place| BranchPoint::new(branch_id(place.branch), position(model.position(step, *place)));
        match &step.action {
            Action::CreateBranch { request, from, name: new_name, at, expect } => {
                let Removal { at, expect_version, .. } = removal(*at, *expect);
                let request = RequestId::from(Uuid::from_u128((*request).into()));
                let mut new = NewBranch::new(request, point(from), at).name(name(*new_name));
                new.expect_version = expect_version;
                branches.create_branch(scope, id, new).await.into()
            }
            Action::RenameBranch { branch, name: new_name, at, expect } => {
                let Removal { at, expect_version, .. } = removal(*at, *expect);
                let mut rename = BranchRename::new(name(*new_name), at);
                rename.expect_version = expect_version;
                branches.rename_branch(scope, id, branch_id(*branch), rename).await.into()
            }
            Action::DeleteBranch { branch, at, expect } => {
                let removal = removal(*at, *expect);
                branches.delete_branch(scope, id, branch_id(*branch), removal).await.into()
            }
            Action::Truncate { after, at, expect } => {
                let BranchPoint { branch, through, .. } = point(after);
                let removal = removal(*at, *expect);
                branches.truncate_branch(scope, id, branch, through, removal).await.into()
            }
            Action::Fork { new, from, external, at } => {
                let new = self.new_thread(step.by, *new, *external, *at);
                branches.fork_thread(scope, id, Fork::new(new, point(from))).await.into()
            }
            other => unreachable!("{other:?} has nothing to do with branches"),
        }
    }

    async fn turn(&self, scope: &Scope, thread: u8, turn: &Turn) -> Answer {
        let list = (thread, turn.branch, turn.is_newest_first);
        let mut query = MessageQuery::first(turn.limit).branch(branch_id(turn.branch));
        if turn.is_newest_first {
            query = query.order(Order::NewestFirst);
        }
        query.cursor = self.cursors.borrow().get(&list).cloned();
        let page = self.repo().list_messages(scope, thread_id(thread), &query).await;
        if let Ok(page) = &page {
            let mut cursors = self.cursors.borrow_mut();
            match page.next.clone() {
                Some(next) => cursors.insert(list, next),
                None => cursors.remove(&list),
            };
        }
        page.into()
    }
}

fn user_id(user: User) -> UserId {
    UserId::new(if user == User::Ada { "ada" } else { "bob" }).expect("an id")
}

fn appending(thread: u8, batch: &Batch, model: &Model) -> Append {
    let messages = batch.messages.iter().map(|new| {
        let mut message = NewMessage::new(message_id(new.id), Role::User, text(new.text), at(new.at));
        message.external_id = new.external.map(external_id);
        message
    });
    let (head, expected) = model.expected(thread, batch);
    let mut append = Append::new(messages).branch(branch_id(batch.branch));
    (append.expect_head, append.expect_version) = (head.map(position), expected.map(version));
    append
}
