//! The test of the tests: a right store passes every case, and each faulty one fails the case that is there for it.

use std::collections::HashSet;
use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use async_trait::async_trait;
use chatkeep_contract::faulty::{Corrupting, Fault, SwappedRoles};
use chatkeep_contract::{Capability, Case, Fixture, Repo, cases};
use chatkeep_domain::{
    Append, Appended, ConversationRepository, Decorator, Scope, StoreError, ThreadAppend, ThreadId,
};
use chatkeep_memory::MemoryRepository;

/// The first line of a case's failure; `None` when it passes.
fn failure(case: &Case, fixture: Fixture) -> Option<String> {
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| case.check(|| async { fixture })));
    let panic = outcome.err()?;
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let line = text.unwrap_or("a panic without a text").lines().next();
    Some(line.unwrap_or_default().chars().take(70).collect())
}

/// A right store, with two handles, and with damage where the case is about that.
fn right(case: &Case) -> Fixture {
    let store = MemoryRepository::new();
    if case.needs.contains(&Capability::CorruptRows) {
        Corrupting::fixture(Arc::new(store))
    } else {
        Fixture::new(Arc::new(store.clone())).with_other(Arc::new(store))
    }
}

/// A decorator that overrides nothing.
#[derive(Debug)]
struct Bare(Repo);

#[async_trait]
impl Decorator for Bare {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.0
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Result<Appended, StoreError> {
        self.0.append(scope, thread, append).await
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>> {
        self.0.append_each(appends).await
    }
}

#[test]
fn a_right_store_passes_every_case() {
    for case in cases() {
        assert_eq!(failure(case, right(case)), None, "{case}");
    }
}

#[test]
fn a_decorator_that_overrides_nothing_passes_every_case() {
    for case in cases() {
        let fixture = right(case).decorated(|store| Arc::new(Bare(store)));
        assert_eq!(failure(case, fixture), None, "{case}");
    }
}

#[test]
fn a_decorator_that_changes_data_both_ways_passes_every_case() {
    for case in cases() {
        let fixture = right(case).decorated(|store| Arc::new(SwappedRoles::new(store)));
        assert_eq!(failure(case, fixture), None, "{case}");
    }
}

#[test]
fn each_faulty_store_fails_the_case_that_is_there_for_it() {
    silence_this_thread();
    // Each fault is to be caught every time: `cargo xtask soak` tries it often.
    let rounds = env::var("CHATKEEP_FAULTY_ROUNDS").map_or(1, |text| text.parse().expect("a number"));
    let mut missed = Vec::new();
    for fault in Fault::ALL {
        let case = cases().find(|case| case.name == fault.caught_by()).expect("caught_by names a case");
        let mut told = failure(case, fault.put_on(right(case)));
        for _ in 1..rounds {
            told = told.and(failure(case, fault.put_on(right(case))));
        }
        let shown = told.as_deref().unwrap_or("MISSED");
        println!("{:<28} {:<72} {shown}", format!("{fault:?}"), case.to_string());
        if told.is_none() {
            missed.push(fault);
        }
    }
    if !missed.is_empty() {
        drop(panic::take_hook());
        panic!("faults that passed: {missed:?}");
    }
}

#[test]
fn no_fault_is_listed_twice() {
    let faults: HashSet<_> = Fault::ALL.iter().collect();
    assert_eq!(faults.len(), Fault::ALL.len());
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
