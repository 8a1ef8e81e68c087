//! Random writes, with retries and calls that change nothing among them: every store gives the same answer to each, and
//! holds the same after it. `CHATKEEP_WRITES_CASES` says how many sequences of writes there are.

mod common;
#[path = "common/figures.rs"]
mod figures;

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use chatkeep::Coalescing;
use chatkeep_contract::Repo;
use chatkeep_domain::{
    Append, MessageEdit, MessageId, MessageQuery, NewMessage, NewThread, OrgId, Position, Role, Scope,
    StoreError, ThreadAppend, ThreadId, ThreadQuery, ThreadUpdate, UserId,
};
use common::at;
use figures::figure;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::json;
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Few ids, texts and moments, so that they meet again.
#[derive(Debug, Clone)]
enum Write {
    Create { thread: u8, at: i64 },
    Update { thread: u8, name: Option<u8>, at: i64 },
    Append(Batch),
    AppendEach(Vec<Batch>),
    Edit { thread: u8, id: u8, text: u8, at: i64 },
    Delete { thread: u8, id: u8, at: i64 },
    Clear { thread: u8, at: i64 },
    DeleteThread { thread: u8 },
}

#[derive(Debug, Clone)]
struct Batch {
    thread: u8,
    /// Their ids, texts and moments.
    messages: Vec<(u8, u8, i64)>,
    expect_head: Option<i64>,
}

const THREADS: u8 = 2;
const IDS: u8 = 6;

fn batch() -> impl Strategy<Value = Batch> {
    let expect_head = prop_oneof![4 => Just(None), 1 => (0..8_i64).prop_map(Some)];
    (0..THREADS, vec((0..IDS, 0..3_u8, 0..60_i64), 0..4), expect_head)
        .prop_map(|(thread, messages, expect_head)| Batch { thread, messages, expect_head })
}

fn write() -> impl Strategy<Value = Write> {
    let (thread, id, text, moment) = (0..THREADS, 0..IDS, 0..3_u8, 0..60_i64);
    let name = prop_oneof![Just(None), (0..2_u8).prop_map(Some)];
    prop_oneof![
        2 => (thread.clone(), moment.clone()).prop_map(|(thread, at)| Write::Create { thread, at }),
        1 => (thread.clone(), name, moment.clone())
            .prop_map(|(thread, name, at)| Write::Update { thread, name, at }),
        6 => batch().prop_map(Write::Append),
        2 => vec(batch(), 0..4).prop_map(Write::AppendEach),
        3 => (thread.clone(), id.clone(), text, moment.clone())
            .prop_map(|(thread, id, text, at)| Write::Edit { thread, id, text, at }),
        1 => (thread.clone(), id, moment.clone()).prop_map(|(thread, id, at)| Write::Delete { thread, id, at }),
        1 => (thread.clone(), moment).prop_map(|(thread, at)| Write::Clear { thread, at }),
        1 => thread.prop_map(|thread| Write::DeleteThread { thread }),
    ]
}

fn thread_id(number: u8) -> ThreadId {
    Uuid::from_u128(0x7000 + u128::from(number)).into()
}

fn message_id(number: u8) -> MessageId {
    Uuid::from_u128(u128::from(number)).into()
}

/// What a store was asked, as it answered.
fn told<T: serde::Serialize>(answer: Result<T, StoreError>) -> String {
    match answer {
        Ok(value) => json!(value).to_string(),
        Err(error) => format!("error: {error}"),
    }
}

/// A user of one store.
struct Asker<'a> {
    store: &'a Repo,
    org: OrgId,
    user: UserId,
    scope: Scope,
}

impl<'a> Asker<'a> {
    fn new(store: &'a Repo, case: u32) -> Self {
        let (org, user) = (OrgId::new(format!("writes-{case}")).unwrap(), UserId::new("ada").unwrap());
        let scope = Scope::user(org.clone(), user.clone());
        Self { store, org, user, scope }
    }

    async fn write(&self, write: &Write) -> String {
        let (store, scope) = (self.store, &self.scope);
        match write {
            Write::Create { thread, at: seconds } => {
                let (org, user) = (self.org.clone(), self.user.clone());
                let new = NewThread::new(thread_id(*thread), org, user, "created", at(*seconds));
                told(store.create_thread(scope, new).await)
            }
            Write::Update { thread, name, at: seconds } => {
                let mut update = ThreadUpdate::new(at(*seconds));
                update.name = name.map(|name| name.to_string());
                told(store.update_thread(scope, thread_id(*thread), update).await)
            }
            Write::Append(batch) => {
                let ThreadAppend { thread, append, .. } = self.appending(batch);
                told(store.append(scope, thread, append).await)
            }
            Write::AppendEach(batches) => {
                let appends = batches.iter().map(|batch| self.appending(batch)).collect();
                store.append_each(appends).await.into_iter().map(told).collect::<Vec<_>>().join("\n")
            }
            Write::Edit { thread, id, text, at: seconds } => {
                let edit = MessageEdit::new(text.to_string(), at(*seconds));
                told(store.edit_message(scope, thread_id(*thread), message_id(*id), edit).await)
            }
            Write::Delete { thread, id, at: seconds } => told(
                store.delete_message(scope, thread_id(*thread), message_id(*id), at(*seconds).into()).await,
            ),
            Write::Clear { thread, at: seconds } => {
                told(store.clear_messages(scope, thread_id(*thread), at(*seconds).into()).await)
            }
            Write::DeleteThread { thread } => {
                told(store.delete_thread(scope, thread_id(*thread), None).await)
            }
        }
    }

    fn appending(&self, batch: &Batch) -> ThreadAppend {
        let new = |(id, text, seconds): &(u8, u8, i64)| {
            NewMessage::new(message_id(*id), Role::User, text.to_string(), at(*seconds))
        };
        let mut append = Append::new(batch.messages.iter().map(new));
        append.expect_head = batch.expect_head.map(|head| Position::new(head).unwrap());
        ThreadAppend::new(self.scope.clone(), thread_id(batch.thread), append)
    }

    /// All that the user has there.
    async fn state(&self) -> String {
        let mut state = vec![told(self.store.list_threads(&self.scope, &ThreadQuery::default()).await)];
        for thread in (0..THREADS).map(thread_id) {
            state.push(told(self.store.get_thread(&self.scope, thread).await));
            let all = MessageQuery::first(1_000);
            state.push(told(self.store.list_messages(&self.scope, thread, &all).await));
            for id in (0..IDS).map(message_id) {
                state.push(told(self.store.list_revisions(&self.scope, thread, id).await));
            }
        }
        state.join("\n")
    }
}

fn compare(what: impl fmt::Debug, answers: &[(&str, String)]) -> Result<(), TestCaseError> {
    let (first, expected) = &answers[0];
    for (name, answer) in &answers[1..] {
        prop_assert_eq!(answer, expected, "{} and {} differ: {:?}", name, first, what);
    }
    Ok(())
}

async fn check(stores: &[(&'static str, Repo)], case: u32, writes: &[Write]) -> Result<(), TestCaseError> {
    let askers: Vec<_> = stores.iter().map(|(name, store)| (*name, Asker::new(store, case))).collect();
    for write in writes {
        let (mut answers, mut states) = (Vec::new(), Vec::new());
        for (name, asker) in &askers {
            answers.push((*name, asker.write(write).await));
            states.push((*name, asker.state().await));
        }
        compare(("the answer", write), &answers)?;
        compare(("what is held", write), &states)?;
    }
    Ok(())
}

fn run(runtime: &Runtime, stores: &[(&'static str, Repo)], cases: u32) {
    let cases = figure("CHATKEEP_WRITES_CASES").unwrap_or(cases);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let next = Cell::new(0);
    // Both threads are there at first.
    let writes = vec(write(), 1..20).prop_map(|writes| {
        let created = (0..THREADS).map(|thread| Write::Create { thread, at: 0 });
        created.chain(writes).collect::<Vec<_>>()
    });
    let result = TestRunner::new(config).run(&writes, |writes| {
        // An organization of its own, also for what is smaller of a case that failed.
        runtime.block_on(check(stores, next.replace(next.get() + 1), &writes))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn coalescing() -> Repo {
    Arc::new(Coalescing::new(common::memory()))
}

#[test]
fn writes_to_memory_and_sqlite_do_the_same() {
    let runtime = runtime();
    let sqlite = runtime.block_on(common::sqlite());
    run(&runtime, &[("memory", common::memory()), ("coalescing", coalescing()), ("SQLite", sqlite)], 60);
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn writes_to_every_store_do_the_same() {
    let runtime = runtime();
    let postgres = runtime.block_on(common::postgres());
    run(&runtime, &[("memory", common::memory()), ("PostgreSQL", postgres)], 60);
}
