//! The test of the tests: a right store passes every case, and each faulty one fails the case that is there for it.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use async_trait::async_trait;
use chatkeep_contract::damage::{Damage, Damageable, Row};
use chatkeep_contract::faulty::{Corrupting, Fault, Faulty};
use chatkeep_contract::{CASES, CORRUPT_ROW_CASES, Case, Repo, run};
use chatkeep_domain::ConversationRepository;
use chatkeep_memory::MemoryRepository;

/// The first line of a case's failure; `None` when it passes.
fn failure<S>(case: Case<S>, subject: S) -> Option<String> {
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| run(case.run, || async { subject })));
    let panic = outcome.err()?;
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let line = text.unwrap_or("a panic without a text").lines().next();
    Some(line.unwrap_or_default().chars().take(70).collect())
}

fn store(store: impl ConversationRepository + 'static) -> Repo {
    Arc::new(store)
}

/// One store in two roles.
struct Reach<R>(Arc<R>);

#[async_trait]
impl<R: Damage> Damage for Reach<R> {
    async fn overwrite(&self, row: &Row, json: &str) {
        self.0.overwrite(row, json).await;
    }
}

fn damageable(store: impl ConversationRepository + Damage + 'static) -> Damageable {
    let store = Arc::new(store);
    Damageable::new(Arc::clone(&store) as Repo, Reach(store))
}

#[test]
fn a_right_store_passes_every_case() {
    for case in CASES {
        assert_eq!(failure(*case, store(MemoryRepository::new())), None, "{case:?}");
    }
    for case in CORRUPT_ROW_CASES {
        let store = damageable(Corrupting::new(MemoryRepository::new()));
        assert_eq!(failure(*case, store), None, "{case:?}");
    }
}

#[test]
fn each_faulty_store_fails_the_case_that_is_there_for_it() {
    silence_this_thread();
    let mut missed = Vec::new();
    for fault in Fault::ALL {
        let name = fault.caught_by();
        let (case_name, told) = if let Some(case) = Case::find(name) {
            let faulty = Faulty::new(MemoryRepository::new(), *fault);
            (format!("{case:?}"), failure(case, store(faulty)))
        } else {
            let case = CORRUPT_ROW_CASES.iter().find(|case| case.name == name);
            let case = case.expect("caught_by names a case");
            let faulty = Faulty::new(Corrupting::new(MemoryRepository::new()), *fault);
            (format!("{case:?}"), failure(*case, damageable(faulty)))
        };
        let shown = told.as_deref().unwrap_or("MISSED");
        println!("{:<28} {case_name:<58} {shown}", format!("{fault:?}"));
        if told.is_none() {
            missed.push(fault);
        }
    }
    if !missed.is_empty() {
        drop(panic::take_hook());
        panic!("faults that passed: {missed:?}");
    }
}

/// The panics of faulty stores are meant; those of other tests still report.
fn silence_this_thread() {
    let (report, this) = (panic::take_hook(), thread::current().id());
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() != this {
            report(info);
        }
    }));
}
