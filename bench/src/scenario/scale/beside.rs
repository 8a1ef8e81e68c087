//! Many readers, alone and beside searches that take long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use chatkeep::{SearchOrder, StateManager};
use tokio::task::JoinSet;

use super::figures::{Figure, Times, millis};
use super::plan::{LARGE, Thread, scope_of};
use super::search::{PREFIX, query};
use super::text::{COMMON, MIDDLING};
use super::{ROUNDS, Scale, Store, state};
use crate::corpus::{Random, word};
use crate::measure::{median, rate};

/// The messages that a reader reads at a time.
const LAST: usize = 50;

/// What a round of readers did.
struct Round {
    rate: f64,
    times: Times,
}

/// Reports the readers' rates, and what the searches leave of it.
pub(super) async fn measure(scale: &mut Scale<'_>, store: &Store) -> Result<()> {
    scale.begin("readers beside searches");
    let (mut alone, mut beside, mut done) = (Vec::new(), Vec::new(), Searched::default());
    for _ in 0..ROUNDS {
        alone.push(readers(scale, store).await?);
        let searches = Searches::start(store)?;
        beside.push(readers(scale, store).await?);
        done.add(&searches.stop().await);
    }
    let ratios: Vec<_> = alone.iter().zip(&beside).map(|(alone, beside)| beside.rate / alone.rate).collect();
    let rate_of = |rounds: &[Round]| median(&rounds.iter().map(|round| round.rate).collect::<Vec<_>>());
    scale.report([
        Figure::new("last50_alone", "reads/s", rate_of(&alone)?),
        Figure::new("last50_beside", "reads/s", rate_of(&beside)?),
        Figure::new("last50_ratio", "beside / alone", median(&ratios)?).at_least(0.4),
        Figure::new("last50_p99_alone", "ms", p99(&alone)?),
        Figure::new("last50_p99_beside", "ms", p99(&beside)?),
        Figure::new("searches_beside", "searches", done.answered),
        Figure::new("searches_failed", "searches", done.failed).at_most(0.0),
    ])
}

fn p99(rounds: &[Round]) -> Result<f64> {
    let p99 = |round: &Round| round.times.percentile(99).map(millis);
    median(&rounds.iter().map(p99).collect::<Result<Vec<_>>>()?)
}

/// All readers, for a round.
async fn readers(scale: &Scale<'_>, store: &Store) -> Result<Round> {
    let (start, mut readers) = (Instant::now(), JoinSet::new());
    let end = start + scale.size.round;
    for reader in 0..scale.size.readers {
        readers.spawn(read(Arc::clone(store), Arc::clone(&scale.threads), reader, end));
    }
    let times: Result<Vec<_>> = readers.join_all().await.into_iter().collect();
    let elapsed = start.elapsed();
    let times = Times::of(times?.into_iter().flatten());
    Ok(Round { rate: rate(times.len(), elapsed), times })
}

/// Reads the ends of random threads.
async fn read(store: Store, threads: Arc<[Thread]>, reader: usize, end: Instant) -> Result<Vec<Duration>> {
    let (mut random, mut times) = (Random::new(reader, 4), Vec::new());
    loop {
        let thread = &threads[usize::try_from(random.below(threads.len() as u64))?];
        let chat = state(&store, thread.scope()?).conversation(thread.id());
        let start = Instant::now();
        ensure!(!chat.get_messages().last(LAST).await?.is_empty(), "a thread is empty");
        times.push(start.elapsed());
        if Instant::now() >= end {
            return Ok(times);
        }
    }
}

/// How many searches were answered, and how many took too long.
#[derive(Debug, Default)]
struct Searched {
    answered: f64,
    failed: f64,
}

impl Searched {
    fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.failed += other.failed;
    }
}

/// Searches of the large organization, over and over.
struct Searches {
    end: Arc<AtomicBool>,
    tasks: JoinSet<Searched>,
}

impl Searches {
    fn start(store: &Store) -> Result<Self> {
        let (end, mut tasks) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        let relevance = SearchOrder::Relevance;
        for (text, order) in [
            (word(COMMON), relevance),
            (word(COMMON + 1), relevance),
            (word(MIDDLING), relevance),
            (PREFIX.to_owned(), SearchOrder::Newest),
            (PREFIX.to_owned(), relevance),
        ] {
            tasks.spawn(search(state(store, scope_of(LARGE)?), text, order, Arc::clone(&end)));
        }
        Ok(Self { end, tasks })
    }

    /// Waits for those under way.
    async fn stop(self) -> Searched {
        self.end.store(true, Ordering::Relaxed);
        let mut all = Searched::default();
        for of_task in self.tasks.join_all().await {
            all.add(&of_task);
        }
        all
    }
}

async fn search(state: StateManager, text: String, order: SearchOrder, end: Arc<AtomicBool>) -> Searched {
    let mut searched = Searched::default();
    while !end.load(Ordering::Relaxed) {
        match state.search(query(&text, order)).await {
            Ok(_) => searched.answered += 1.0,
            Err(_) => searched.failed += 1.0,
        }
    }
    searched
}
