//! What is there, as every call tells it, is what the model says.

use std::fmt::Debug;

use chatkeep_domain::{Branch, MessageQuery, Order, Position, Scope, SearchQuery, StoreError, ThreadQuery};

use crate::generate::THREADS;
use crate::model::Model;
use crate::step::{RARE, Step, User};
use crate::store::{Store, branch_id, message_id, thread_id};
use crate::tree::{Message, Thread};
use crate::view::{Answer, BranchView, Failure, MessageView, RevisionView, ThreadView, messages};

/// What differs.
pub(crate) type Checked = Result<(), String>;

pub(crate) fn same<T: Debug + PartialEq>(what: impl FnOnce() -> String, store: &T, model: &T) -> Checked {
    if store == model {
        return Ok(());
    }
    Err(format!("{}\n  the store: {store:?}\n  the model: {model:?}", what()))
}

/// An answer that has to be there.
fn told<T>(what: impl FnOnce() -> String, answer: Result<T, StoreError>) -> Result<T, String> {
    answer.map_err(|error| format!("{}\n  the store: {error}", what()))
}

impl Store<'_> {
    /// Looks at the threads that a step is about, and at the list of all; without a step, at all that is in them.
    pub(crate) async fn check(&self, model: &Model, step: Option<&Step>) -> Checked {
        let scope = self.scope(User::Ada);
        self.check_list(&scope, model).await?;
        for id in (0..THREADS).filter(|id| step.is_none_or(|step| step.is_about(*id))) {
            match model.thread(User::Ada, id) {
                Some(thread) => {
                    self.check_thread(&scope, thread).await?;
                    // After each step, those that say something else by now.
                    let messages = thread.messages().filter(|one| step.is_none() || one.view.revision > 1);
                    self.check_messages(&scope, id, messages).await?;
                }
                None => self.check_absent(&scope, id).await?,
            }
        }
        let all = (0..THREADS).filter_map(|id| model.thread(User::Ada, id));
        let rare = all.flat_map(|thread| thread.messages().map(|message| &message.view));
        self.check_search(&scope, SearchQuery::new(RARE), rare).await
    }

    async fn check_absent(&self, scope: &Scope, id: u8) -> Checked {
        let found = self.repo().get_thread(scope, thread_id(id)).await;
        let absent = Answer::Failed(Failure::NotFound("thread".to_owned()));
        same(|| format!("thread {id}"), &found.into(), &absent)
    }

    /// The list of threads with their previews.
    async fn check_list(&self, scope: &Scope, model: &Model) -> Checked {
        let page = self.repo().list_threads(scope, &ThreadQuery::default().with_preview()).await;
        let listed = told(|| "the list of threads".to_owned(), page)?.items.into_iter().map(|mut thread| {
            let preview = thread
                .preview
                .take()
                .map(|preview| (preview.last_message.map(MessageView::from), preview.message_count));
            (ThreadView::from(thread), preview)
        });
        let there = (0..THREADS).filter_map(|id| model.thread(User::Ada, id));
        let mut expected: Vec<_> = there
            .map(|thread| {
                let last = thread.shown(thread.view.active).next_back().cloned();
                (thread.view.clone(), Some((last, thread.messages().count() as u64)))
            })
            .collect();
        expected.sort_by_key(|(thread, _)| (thread.updated, thread.id));
        expected.reverse();
        same(|| "the list of threads, with previews".to_owned(), &listed.collect(), &expected)
    }

    async fn check_thread(&self, scope: &Scope, thread: &Thread) -> Checked {
        let id = thread.view.id;
        let stored = told(|| format!("thread {id}"), self.repo().get_thread(scope, thread_id(id)).await)?;
        same(|| format!("thread {id}"), &ThreadView::from(stored), &thread.view)?;
        let branches = self.branches().list_branches(scope, thread_id(id)).await;
        let branches = told(|| format!("the branches of thread {id}"), branches)?;
        for branch in &branches {
            check_path(branch, thread)?;
        }
        let branches: Vec<BranchView> = branches.into_iter().map(Into::into).collect();
        same(|| format!("the branches of thread {id}"), &branches, &thread.branches().cloned().collect())?;
        for branch in thread.branches() {
            self.check_branch(scope, thread, branch.id).await?;
        }
        let found = SearchQuery::new(RARE).thread(thread_id(id));
        self.check_search(scope, found, thread.messages().map(|message| &message.view)).await
    }

    /// What a branch shows: forwards by short pages, back in one, and to a search.
    async fn check_branch(&self, scope: &Scope, thread: &Thread, branch: u32) -> Checked {
        let id = thread.view.id;
        let what = || format!("branch {branch} of thread {id}");
        let shown: Vec<_> = thread.shown(branch).cloned().collect();
        let mut query = MessageQuery::first(3).branch(branch_id(branch));
        let mut forwards = Vec::new();
        loop {
            let page = told(what, self.repo().list_messages(scope, thread_id(id), &query).await)?;
            same(what, &page.version.map(Into::into), &Some(thread.view.version))?;
            forwards.extend(messages(page.items));
            match page.next {
                Some(next) => query = query.behind(next),
                None => break,
            }
        }
        same(what, &forwards, &shown)?;
        let query = MessageQuery::first(100).order(Order::NewestFirst).branch(branch_id(branch));
        let back = told(what, self.repo().list_messages(scope, thread_id(id), &query).await)?;
        same(
            || format!("{}, from the newest back", what()),
            &messages(back.items),
            &shown.iter().rev().cloned().collect(),
        )?;
        let query = SearchQuery::new(RARE).thread(thread_id(id)).branch(branch_id(branch));
        self.check_search(scope, query, shown.iter()).await
    }

    /// Each message by itself, and what it said before.
    async fn check_messages(
        &self,
        scope: &Scope,
        thread: u8,
        messages: impl Iterator<Item = &Message>,
    ) -> Checked {
        for message in messages {
            let (id, number) = (thread_id(thread), message.view.id);
            let what = || format!("message {number} of thread {thread}");
            let stored = told(what, self.repo().get_message(scope, id, message_id(number)).await)?;
            same(what, &MessageView::from(stored), &message.view)?;
            let revisions = told(what, self.repo().list_revisions(scope, id, message_id(number)).await)?;
            let revisions: Vec<RevisionView> = revisions.into_iter().map(Into::into).collect();
            same(|| format!("the revisions of {}", what()), &revisions, &message.revisions)?;
        }
        Ok(())
    }

    /// A search finds each message that has the rare word, once.
    async fn check_search(
        &self,
        scope: &Scope,
        query: SearchQuery,
        among: impl Iterator<Item = &MessageView>,
    ) -> Checked {
        let what = || format!("what {query:?} finds");
        let search = self.repo().search().expect("a store that searches");
        let found = told(what, search.search_messages(scope, &query).await)?;
        let mut found: Vec<_> = found.items.into_iter().map(|hit| MessageView::from(hit.message)).collect();
        let mut expected: Vec<_> = among.filter(|message| message.text.contains(RARE)).cloned().collect();
        for messages in [&mut found, &mut expected] {
            messages.sort_by_key(|message| (message.thread, message.position));
        }
        same(what, &found, &expected)
    }
}

/// A path shows what the model shows.
fn check_path(branch: &Branch, thread: &Thread) -> Checked {
    for message in thread.messages().map(|message| &message.view) {
        let position = Position::new(message.position).map_err(|error| error.to_string())?;
        let is_shown = branch.path.contains(branch_id(message.branch), position);
        let what = || format!("whether the path {:?} of branch {} has {message:?}", branch.path, branch.id);
        same(what, &is_shown, &thread.shows(branch.id.get(), message))?;
    }
    Ok(())
}
