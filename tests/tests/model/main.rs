//! Random sequences of calls against a plain model: the store answers each as the model does, and holds the same after it, on
//! each of two handles on one storage. `CHATKEEP_MODEL_CASES` says how many sequences there are.

mod check;
#[path = "../common/figures.rs"]
mod figures;
mod generate;
mod model;
#[path = "../common/postgres.rs"]
mod postgres;
mod step;
mod store;
mod tally;
mod tree;
mod view;

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use chatkeep_contract::Repo;
use chatkeep_memory::MemoryRepository;
use chatkeep_postgres::PostgresRepository;
use chatkeep_sqlite::{SqliteConfig, SqliteRepository};
use check::same;
use figures::figure;
use model::Model;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use proptest_state_machine::ReferenceStateMachine as _;
use step::Step;
use store::Store;
use tally::Tally;
use tokio::runtime::Runtime;

const CASES: u32 = 200;

/// Makes a step, and looks at what it is about.
async fn take(store: &Store<'_>, model: &mut Model, step: &Step, tally: &mut Tally) -> check::Checked {
    let answer = store.take(step, model).await;
    tally.count(step, &answer);
    same(|| "the answer".to_owned(), &answer, &model.take(step))?;
    // The handle that did not write reads.
    store.check(model, Some(step)).await
}

fn run(runtime: &Runtime, handles: &[Repo; 2]) {
    let cases = figure("CHATKEEP_MODEL_CASES").unwrap_or(CASES);
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 5_000,
        max_shrink_time: 60_000,
        ..Config::default()
    };
    let (next, tally, start) = (Cell::new(0), RefCell::new(Tally::default()), Instant::now());
    let steps = Model::sequential_strategy(1..60);
    let result = TestRunner::new(config).run(&steps, |(mut model, steps, seen)| {
        // An organization of its own, also for what is smaller of a case that failed.
        let store = Store::new(handles, next.replace(next.get() + 1));
        for step in &steps {
            // Shrinking begins by leaving out what was not reached.
            if let Some(seen) = &seen {
                seen.fetch_add(1, Ordering::SeqCst);
            }
            let mut tally = tally.borrow_mut();
            runtime.block_on(take(&store, &mut model, step, &mut tally)).map_err(TestCaseError::fail)?;
        }
        runtime.block_on(store.check(&model, None)).map_err(TestCaseError::fail)
    });
    match result {
        Ok(()) => {
            let tally = tally.borrow();
            println!("{cases} sequences, {} steps, {:?}: {tally:#?}", tally.steps(), start.elapsed());
            tally.assert_that_it_says_something();
        }
        Err(TestError::Fail(difference, (_, steps, _))) => panic!("{}{difference}", told(&steps)),
        Err(abort) => panic!("{abort}"),
    }
}

/// The steps of a sequence that failed, and what the model answers to each.
fn told(steps: &[Step]) -> String {
    let (mut model, mut told) = (Model::default(), String::from("\n"));
    for (number, step) in (1..).zip(steps) {
        let Step { by, thread, action } = step;
        let answer = model.take(step);
        writeln!(told, "{number}. {by:?}, thread {thread}: {action:?}\n   {answer:?}").expect("a text");
    }
    told + "After the last step: "
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

#[test]
fn memory_does_what_the_model_does() {
    let memory = MemoryRepository::new();
    run(&runtime(), &[Arc::new(memory.clone()), Arc::new(memory)]);
}

#[test]
fn sqlite_does_what_the_model_does() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().expect("a folder"));
    let config = SqliteConfig::file(folder.path().join("model.db"));
    let open = || runtime.block_on(SqliteRepository::open(config.clone())).expect("the file opens");
    run(&runtime, &[Arc::new(open()), Arc::new(open())]);
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn postgres_does_what_the_model_does() {
    let runtime = runtime();
    let config = runtime.block_on(postgres::config());
    let open = || runtime.block_on(PostgresRepository::open(config.clone())).expect("the database opens");
    run(&runtime, &[Arc::new(open()), Arc::new(open())]);
}
