//! The test of the tests: a right store passes every case, and each faulty one fails the case that is there for it.

use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use chatkeep_contract::faulty::{Corrupting, Fault};
use chatkeep_contract::{Capability, Case, Fixture, cases};
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

/// A right store, whose rows can be damaged where the case needs that.
fn right(case: &Case) -> Fixture {
    let store = Arc::new(MemoryRepository::new());
    match case.needs.contains(&Capability::CorruptRows) {
        true => Corrupting::fixture(store),
        false => Fixture::new(store),
    }
}

#[test]
fn a_right_store_passes_every_case() {
    for case in cases() {
        assert_eq!(failure(case, right(case)), None, "{case}");
    }
}

#[test]
fn each_faulty_store_fails_the_case_that_is_there_for_it() {
    silence_this_thread();
    let mut missed = Vec::new();
    for fault in Fault::ALL {
        let case = cases().find(|case| case.name == fault.caught_by()).expect("caught_by names a case");
        let told = failure(case, fault.put_on(right(case)));
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
