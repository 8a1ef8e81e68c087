//! Random steps. Most of them are about what is there, so that they change something or meet what an earlier one left; some are
//! about what is not there, or expect what is not so.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

use crate::model::Model;
use crate::step::{Action, Batch, Expect, New, Place, Step, Turn, User};
use crate::tree::Thread;

pub(crate) const THREADS: u8 = 4;

/// So few that some come again.
const REQUESTS: u8 = 12;

pub(crate) fn step(model: &Model) -> BoxedStrategy<Step> {
    let there = (0..THREADS).filter_map(|id| Some((id, model.thread(User::Ada, id)?)));
    let mut steps: Vec<_> = there.map(|(id, thread)| (10, about(id, Some(thread)))).collect();
    // One of them grows tall.
    if let Some((weight, _)) = steps.first_mut() {
        *weight = 40;
    }
    steps.push((if steps.is_empty() { 20 } else { 1 }, create()));
    steps.push((1, (0..THREADS).prop_flat_map(|id| about(id, None)).boxed()));
    let by = prop_oneof![30 => Just(User::Ada), 1 => Just(User::Bob)];
    (by, Union::new_weighted(steps)).prop_map(|(by, (thread, action))| Step { by, thread, action }).boxed()
}

type Actions = BoxedStrategy<(u8, Action)>;

fn create() -> Actions {
    (0..THREADS, external(), at())
        .prop_map(|(id, external, at)| (id, Action::Create { external, at }))
        .boxed()
}

/// What is done to a thread, where there is one.
fn about(id: u8, thread: Option<&Thread>) -> Actions {
    let message = message(thread);
    let append = batch(thread).prop_map(Action::Append);
    let others = vec((prop_oneof![2 => Just(id), 1 => 0..THREADS], batch(thread)), 0..4);
    let turn = (branch(thread), any::<bool>(), 1..4_usize)
        .prop_map(|(branch, is_newest_first, limit)| Turn { branch, is_newest_first, limit });
    let revision = prop_oneof![3 => Just(None), 1 => (-1..=1_i64).prop_map(Some)];
    let edit = (message.clone(), text(), at(), revision, expect())
        .prop_map(|(id, text, at, revision, expect)| Action::Edit { id, text, at, revision, expect });
    let delete_message =
        (message, at(), expect()).prop_map(|(id, at, expect)| Action::DeleteMessage { id, at, expect });
    let update = (option(name()), option(branch(thread)), at(), expect())
        .prop_map(|(name, active, at, expect)| Action::Update { name, active, at, expect });
    let actions = prop_oneof![
        24 => append,
        3 => others.prop_map(Action::AppendEach),
        6 => edit,
        4 => delete_message,
        1 => (at(), expect()).prop_map(|(at, expect)| Action::Clear { at, expect }),
        4 => update,
        1 => expect().prop_map(|expect| Action::DeleteThread { expect }),
        30 => about_branches(thread),
        6 => turn.prop_map(Action::Turn),
    ];
    actions.prop_map(move |action| (id, action)).boxed()
}

fn about_branches(thread: Option<&Thread>) -> BoxedStrategy<Action> {
    let create =
        (0..REQUESTS, place(thread), name(), at(), expect()).prop_map(|(request, from, name, at, expect)| {
            Action::CreateBranch { request, from, name, at, expect }
        });
    let rename = (other_branch(thread), name(), at(), expect())
        .prop_map(|(branch, name, at, expect)| Action::RenameBranch { branch, name, at, expect });
    let delete = (other_branch(thread), at(), expect())
        .prop_map(|(branch, at, expect)| Action::DeleteBranch { branch, at, expect });
    let truncate = (place(thread), at(), expect()).prop_map(|(after, at, expect)| Action::Truncate {
        after,
        at,
        expect,
    });
    let fork = (0..THREADS, place(thread), external(), at())
        .prop_map(|(new, from, external, at)| Action::Fork { new, from, external, at });
    prop_oneof![8 => create, 1 => rename, 4 => delete, 4 => truncate, 3 => fork].boxed()
}

fn batch(thread: Option<&Thread>) -> BoxedStrategy<Batch> {
    let new = (message_or_new(thread), text(), at(), external()).prop_map(|(id, text, at, external)| New {
        id,
        text,
        at,
        external,
    });
    let near = prop_oneof![4 => Just(None), 1 => Just(Some(0)), 1 => (-1..=1_i64).prop_map(Some)];
    (branch(thread), vec(new, 0..6), near, expect())
        .prop_map(|(branch, messages, expect_head, expect)| {
            let mut messages: Vec<New> = messages;
            messages.dedup_by_key(|new| new.id);
            Batch { branch, messages, expect_head, expect }
        })
        .boxed()
}

/// One of the branches that are there, or a number near theirs.
fn branch(thread: Option<&Thread>) -> BoxedStrategy<u32> {
    let there: Vec<_> = thread.map_or(vec![0], |thread| thread.branches().map(|branch| branch.id).collect());
    let last = there.iter().max().copied().unwrap_or(0);
    prop_oneof![10 => select(there), 1 => 0..=last + 1].boxed()
}

/// Mostly another one than the main branch.
fn other_branch(thread: Option<&Thread>) -> BoxedStrategy<u32> {
    let others = thread.into_iter().flat_map(Thread::branches).map(|branch| branch.id).filter(|id| *id > 0);
    let others: Vec<_> = others.collect();
    if others.is_empty() {
        return branch(thread);
    }
    prop_oneof![8 => select(others), 1 => branch(thread)].boxed()
}

fn place(thread: Option<&Thread>) -> BoxedStrategy<Place> {
    let ahead = prop_oneof![3 => Just(0), 6 => 0..6_i64, 1 => Just(-1)];
    (branch(thread), ahead).prop_map(|(branch, ahead)| Place { branch, ahead }).boxed()
}

/// One of the messages that are there, on whichever branch.
fn message(thread: Option<&Thread>) -> BoxedStrategy<u32> {
    let there: Vec<_> = thread.map_or(vec![], |thread| thread.messages().map(|one| one.view.id).collect());
    if there.is_empty() {
        any_message()
    } else {
        prop_oneof![10 => select(there), 1 => any_message()].boxed()
    }
}

fn message_or_new(thread: Option<&Thread>) -> BoxedStrategy<u32> {
    let next =
        thread.and_then(|thread| thread.messages().map(|one| one.view.id).max()).map_or(0, |max| max + 1);
    // Growing ids, as UUIDv7 comes, and any other ones.
    prop_oneof![6 => next..next + 8, 2 => any_message(), 1 => message(thread)].boxed()
}

fn any_message() -> BoxedStrategy<u32> {
    (0..40_u32).boxed()
}

fn text() -> BoxedStrategy<u8> {
    (0..4_u8).boxed()
}

fn name() -> BoxedStrategy<u8> {
    (0..3_u8).boxed()
}

fn at() -> BoxedStrategy<i64> {
    (0..60_i64).boxed()
}

fn option<T: std::fmt::Debug + Clone + 'static>(some: BoxedStrategy<T>) -> BoxedStrategy<Option<T>> {
    prop_oneof![1 => Just(None), 1 => some.prop_map(Some)].boxed()
}

/// Mostly none, or always the same.
fn external() -> BoxedStrategy<Option<u8>> {
    prop_oneof![8 => Just(None), 2 => Just(Some(0)), 1 => Just(Some(1))].boxed()
}

fn expect() -> BoxedStrategy<Expect> {
    prop_oneof![6 => Just(None), 2 => Just(Some(0)), 1 => (-1..=1_i64).prop_map(Some)].boxed()
}
