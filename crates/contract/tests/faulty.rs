//! The test of the tests: a right store passes every case, and each faulty one fails the case that is there for it.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use chatkeep_contract::faulty::{Fault, Faulty};
use chatkeep_contract::{CASES, Case, Repo, run};
use chatkeep_domain::ConversationRepository;
use chatkeep_memory::MemoryRepository;

/// The first line of a case's failure; `None` when it passes.
fn failure(case: Case, store: impl ConversationRepository + 'static) -> Option<String> {
    let store: Repo = Arc::new(store);
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| run(case.run, || async { store })));
    let panic = outcome.err()?;
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let line = text.unwrap_or("a panic without a text").lines().next();
    Some(line.unwrap_or_default().chars().take(70).collect())
}

#[test]
fn a_right_store_passes_every_case() {
    for case in CASES {
        assert_eq!(failure(*case, MemoryRepository::new()), None, "{case:?}");
    }
}

#[test]
fn each_faulty_store_fails_the_case_that_is_there_for_it() {
    silence_this_thread();
    let mut missed = Vec::new();
    for fault in Fault::ALL {
        let case = Case::find(fault.caught_by()).expect("caught_by names a case");
        let told = failure(case, Faulty::new(MemoryRepository::new(), *fault));
        let (fault_name, case_name) = (format!("{fault:?}"), format!("{case:?}"));
        let shown = told.as_deref().unwrap_or("MISSED");
        println!("{fault_name:<26} {case_name:<58} {shown}");
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
