//! Random writes, with retries, calls that change nothing, and expectations that are right or wrong among them: every store gives the same answer to each, and
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
    Append, ExternalId, MessageEdit, MessageId, MessageQuery, NewMessage, NewThread, OrgId, Position,
    Removal, Role, Scope, StoreError, ThreadAppend, ThreadId, ThreadQuery, ThreadUpdate, UserId, Version,
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
    Create { thread: u8, at: i64, external: Option<u8> },
    Update { thread: u8, name: Option<u8>, at: i64, expect: Expect },
    Append(Batch),
    AppendEach(Vec<Batch>),
    Edit { thread: u8, id: u8, text: u8, at: i64, expect: Expect, revision: Option<u32> },
    Delete { thread: u8, id: u8, at: i64, expect: Expect },
    Clear { thread: u8, at: i64, expect: Expect },
    DeleteThread { thread: u8, expect: Expect },
}

/// The version that is expected, counted from the one that the thread has.
type Expect = Option<i64>;

fn expect() -> impl Strategy<Value = Expect> + Clone {
    prop_oneof![5 => Just(None), 2 => Just(Some(0)), 1 => (-1..=1_i64).prop_map(Some)].boxed()
}

#[derive(Debug, Clone)]
struct Batch {
    thread: u8,
    /// Their ids, texts and moments, and the ids that the caller has for them.
    messages: Vec<(u8, u8, i64, Option<u8>)>,
    expect_head: Option<i64>,
    expect: Expect,
}

const THREADS: u8 = 2;
const IDS: u8 = 6;

/// Mostly none, or always the same.
fn external() -> impl Strategy<Value = Option<u8>> + Clone {
    prop_oneof![6 => Just(None), 2 => Just(Some(0)), 1 => Just(Some(1))].boxed()
}

fn external_id(number: u8) -> ExternalId {
    ExternalId::new(format!("external-{number}")).unwrap()
}

fn batch() -> impl Strategy<Value = Batch> {
    let expect_head = prop_oneof![4 => Just(None), 1 => (0..8_i64).prop_map(Some)];
    (0..THREADS, vec((0..IDS, 0..3_u8, 0..60_i64, external()), 0..4), expect_head, expect())
        .prop_map(|(thread, messages, expect_head, expect)| Batch { thread, messages, expect_head, expect })
}

fn write() -> impl Strategy<Value = Write> {
    let (thread, id, text, moment) = (0..THREADS, 0..IDS, 0..3_u8, 0..60_i64);
    let name = prop_oneof![Just(None), (0..2_u8).prop_map(Some)];
    let revision = prop_oneof![3 => Just(None), 1 => (1..4_u32).prop_map(Some)];
    prop_oneof![
        2 => (thread.clone(), moment.clone(), external())
            .prop_map(|(thread, at, external)| Write::Create { thread, at, external }),
        1 => (thread.clone(), name, moment.clone(), expect())
            .prop_map(|(thread, name, at, expect)| Write::Update { thread, name, at, expect }),
        6 => batch().prop_map(Write::Append),
        2 => vec(batch(), 0..4).prop_map(Write::AppendEach),
        3 => (thread.clone(), id.clone(), text, moment.clone(), expect(), revision)
            .prop_map(|(thread, id, text, at, expect, revision)| {
                Write::Edit { thread, id, text, at, expect, revision }
            }),
        1 => (thread.clone(), id, moment.clone(), expect())
            .prop_map(|(thread, id, at, expect)| Write::Delete { thread, id, at, expect }),
        1 => (thread.clone(), moment, expect())
            .prop_map(|(thread, at, expect)| Write::Clear { thread, at, expect }),
        1 => (thread, expect()).prop_map(|(thread, expect)| Write::DeleteThread { thread, expect }),
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
            Write::Create { thread, at: seconds, external } => {
                let (org, user) = (self.org.clone(), self.user.clone());
                let mut new = NewThread::new(thread_id(*thread), org, user, "created", at(*seconds));
                new.external_id = external.map(external_id);
                told(store.create_thread(scope, new).await)
            }
            Write::Update { thread, name, at: seconds, expect } => {
                let mut update = ThreadUpdate::new(at(*seconds));
                update.name = name.map(|name| name.to_string());
                update.expect_version = self.expected(*thread, *expect).await;
                told(store.update_thread(scope, thread_id(*thread), update).await)
            }
            Write::Append(batch) => {
                let ThreadAppend { thread, append, .. } = self.appending(batch).await;
                told(store.append(scope, thread, append).await)
            }
            Write::AppendEach(batches) => {
                let mut appends = Vec::new();
                for batch in batches {
                    appends.push(self.appending(batch).await);
                }
                store.append_each(appends).await.into_iter().map(told).collect::<Vec<_>>().join("\n")
            }
            Write::Edit { thread, id, text, at: seconds, expect, revision } => {
                let mut edit = MessageEdit::new(text.to_string(), at(*seconds));
                edit.expect_version = self.expected(*thread, *expect).await;
                edit.expect_revision = *revision;
                told(store.edit_message(scope, thread_id(*thread), message_id(*id), edit).await)
            }
            Write::Delete { thread, id, at: seconds, expect } => {
                let removal = self.removal(*thread, *seconds, *expect).await;
                told(store.delete_message(scope, thread_id(*thread), message_id(*id), removal).await)
            }
            Write::Clear { thread, at: seconds, expect } => {
                let removal = self.removal(*thread, *seconds, *expect).await;
                told(store.clear_messages(scope, thread_id(*thread), removal).await)
            }
            Write::DeleteThread { thread, expect } => {
                let version = self.expected(*thread, *expect).await;
                told(store.delete_thread(scope, thread_id(*thread), version).await)
            }
        }
    }

    /// A version near the one that the thread has.
    async fn expected(&self, thread: u8, expect: Expect) -> Option<Version> {
        let offset = expect?;
        let thread = self.store.get_thread(&self.scope, thread_id(thread)).await;
        let version = thread.map_or(0, |thread| thread.version.get());
        Some(Version::new((version + offset).max(0)).unwrap())
    }

    async fn removal(&self, thread: u8, seconds: i64, expect: Expect) -> Removal {
        let mut removal = Removal::new(at(seconds));
        removal.expect_version = self.expected(thread, expect).await;
        removal
    }

    async fn appending(&self, batch: &Batch) -> ThreadAppend {
        let new = |(id, text, seconds, external): &(u8, u8, i64, Option<u8>)| {
            let mut new = NewMessage::new(message_id(*id), Role::User, text.to_string(), at(*seconds));
            new.external_id = external.map(external_id);
            new
        };
        let mut append = Append::new(batch.messages.iter().map(new));
        append.expect_head = batch.expect_head.map(|head| Position::new(head).unwrap());
        append.expect_version = self.expected(batch.thread, batch.expect).await;
        ThreadAppend::new(self.scope.clone(), thread_id(batch.thread), append)
    }

    /// All that the user has there.
    async fn state(&self) -> String {
        let mut state =
            vec![told(self.store.list_threads(&self.scope, &ThreadQuery::default().with_preview()).await)];
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
        let created = (0..THREADS).map(|thread| Write::Create { thread, at: 0, external: None });
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
