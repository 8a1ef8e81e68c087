//! Random conversations and random queries: every store gives the same, and where a plain scan knows what is right, that.
//!
//! A case is one query; [`QUERIES`] of them share a corpus. `CHATKEEP_DIFFERENTIAL_CASES` says how many there are,
//! `CHATKEEP_DIFFERENTIAL_SEED` runs those of an earlier part again.

#[path = "../common/mod.rs"]
mod common;

mod compare;
mod corpus;
#[path = "../common/figures.rs"]
mod figures;
mod generate;
mod model;
mod query;
mod typed;
mod vocabulary;

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use chatkeep_contract::Repo;
use compare::{Tally, check};
use figures::figure;
use model::{Model, Place};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use tokio::runtime::Runtime;

/// How many queries a corpus is asked.
const QUERIES: usize = 20;

/// How many cases share the stores: an operator's searches see all that is in them.
const PART: u32 = 1_000;

fn run(runtime: &Runtime, stores: &[(&'static str, Repo)], cases: u32) {
    let seed = figure("CHATKEEP_DIFFERENTIAL_SEED").unwrap_or_else(|| RandomState::new().hash_one(cases));
    let config = Config {
        cases: cases.div_ceil(u32::try_from(QUERIES).expect("few")),
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 3_000,
        max_shrink_time: 30_000,
        ..Config::default()
    };
    let (next, tally, start) = (Cell::new(0), RefCell::new(Tally::default()), Instant::now());
    let queries = proptest::collection::vec(generate::query(), QUERIES);
    let result = TestRunner::new(config).run(&(corpus::corpus(), queries), |(corpus, queries)| {
        // Organizations of its own, also for what is smaller of a case that failed.
        let place = Place(next.replace(next.get() + 1));
        runtime.block_on(async {
            let model = Model::write(place, &corpus, stores).await;
            for query in &queries {
                let mut counted = tally.take();
                let checked = check(stores, &model, query, &mut counted).await;
                tally.replace(counted);
                checked.map_err(|difference| TestCaseError::fail(format!("{difference}\nin {query:#?}")))?;
            }
            Ok(())
        })
    });
    println!("seed {seed}, {:?}: {:?}", start.elapsed(), tally.borrow());
    match result {
        Ok(()) => tally.borrow().assert_that_it_says_something(),
        Err(TestError::Fail(reason, (corpus, _))) => {
            panic!("CHATKEEP_DIFFERENTIAL_SEED={seed}\n{reason}\namong {corpus:#?}")
        }
        Err(TestError::Abort(reason)) => panic!("CHATKEEP_DIFFERENTIAL_SEED={seed}\n{reason}"),
    }
}

/// How many cases there are: what the variable says, or the usual number.
fn cases(usual: u32) -> u32 {
    figure("CHATKEEP_DIFFERENTIAL_CASES").unwrap_or(usual)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// Runs the cases in parts of [`PART`], two at a time: most of the time a part waits for SQLite's one writer.
fn in_parts(cases: u32, part: impl Fn(u32) + Sync) {
    let begun = AtomicU32::new(0);
    let work = || {
        loop {
            let before = begun.fetch_add(PART, Ordering::Relaxed);
            match cases.checked_sub(before) {
                None | Some(0) => return,
                Some(left) => part(left.min(PART)),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(work);
        }
    });
}

#[test]
fn differential_of_memory_and_sqlite() {
    in_parts(cases(400), |cases| {
        let runtime = runtime();
        let stores = [("memory", common::memory()), ("SQLite", runtime.block_on(common::sqlite()))];
        run(&runtime, &stores, cases);
    });
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn differential_of_every_store() {
    in_parts(cases(2_000), |cases| {
        let runtime = runtime();
        let (sqlite, postgres) =
            runtime.block_on(async { (common::sqlite().await, common::postgres().await) });
        run(&runtime, &[("memory", common::memory()), ("SQLite", sqlite), ("PostgreSQL", postgres)], cases);
    });
}
