//! Ours and the floor in turn, and what comes of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::runtime::Handle;
use tokio::task::{JoinSet, block_in_place, consume_budget};

/// How long it is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// The pairs of rounds, after one that does not count.
    pub(crate) pairs: usize,
    pub(crate) round: Duration,
}

/// Medians of rates, and of the ratios of the pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measured {
    pub(crate) ours: f64,
    pub(crate) floor: f64,
    pub(crate) ratio: f64,
    pub(crate) ratio_min: f64,
    pub(crate) ratio_max: f64,
}

impl Measured {
    /// Of pairs of (ours, floor).
    pub(crate) fn of(pairs: &[(f64, f64)]) -> Result<Self> {
        let (ours, floor): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        ensure!(
            pairs.iter().all(|(ours, floor)| *ours > 0.0 && *floor > 0.0),
            "a round without an operation"
        );
        let ratios: Vec<f64> = pairs.iter().map(|(ours, floor)| ours / floor).collect();
        Ok(Self {
            ours: median(&ours)?,
            floor: median(&floor)?,
            ratio: median(&ratios)?,
            ratio_min: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            ratio_max: ratios.iter().copied().fold(0.0, f64::max),
        })
    }
}

pub(crate) fn median(values: &[f64]) -> Result<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2).context("nothing was measured")?;
    Ok(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[values.len() / 2 - 1], upper) })
}

/// One of the two that are compared: gives a rate.
pub(crate) trait Side {
    fn round(&mut self, round: Duration) -> impl Future<Output = Result<f64>>;
}

/// The rounds of both in turn.
pub(crate) async fn compare(plan: Plan, mut ours: impl Side, mut floor: impl Side) -> Result<Measured> {
    let mut pairs = Vec::with_capacity(plan.pairs);
    for number in 0..=plan.pairs {
        let pair = (ours.round(plan.round).await?, floor.round(plan.round).await?);
        if number > 0 {
            pairs.push(pair);
        }
    }
    Measured::of(&pairs)
}

/// Something that callers do over and over.
pub(crate) trait Work: Send + Sync + 'static {
    /// One operation, the caller's `turn`-th; gives how much it did, in the row's unit.
    fn step(&self, caller: usize, turn: usize) -> impl Future<Output = Result<usize>> + Send;

    /// What is still to be done of the round when its last operation has ended. It belongs to the round's time.
    fn settle(&self) -> impl Future<Output = Result<()>> {
        std::future::ready(Ok(()))
    }
}

/// What the callers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// Tasks of the runtime.
    Tasks,
    /// Threads of their own, for work that blocks.
    Threads,
}

/// Callers that do the same at the same time.
pub(crate) struct Callers<W> {
    work: Arc<W>,
    count: usize,
    on: On,
    /// Rounds go on where the last one ended.
    turn: usize,
}

impl<W: Work> Callers<W> {
    pub(crate) fn new(work: W, count: usize, on: On) -> Self {
        Self { work: Arc::new(work), count, on, turn: 0 }
    }

    async fn tasks(&self, end: Instant) -> Result<Vec<Done>> {
        let mut tasks = JoinSet::new();
        for number in 0..self.count {
            tasks.spawn(caller(Arc::clone(&self.work), number, self.turn, end));
        }
        tasks.join_all().await.into_iter().collect()
    }

    fn threads(&self, end: Instant) -> Result<Vec<Done>> {
        let runtime = Handle::current();
        let run = |number| runtime.block_on(caller(Arc::clone(&self.work), number, self.turn, end));
        block_in_place(|| {
            std::thread::scope(|scope| {
                let run = &run;
                let threads: Vec<_> =
                    (0..self.count).map(|number| scope.spawn(move || run(number))).collect();
                let ended = |_| anyhow::anyhow!("a caller panicked");
                threads.into_iter().map(|thread| thread.join().map_err(ended)?).collect()
            })
        })
    }
}

impl<W: Work> Side for Callers<W> {
    async fn round(&mut self, round: Duration) -> Result<f64> {
        let start = Instant::now();
        let done = match self.on {
            On::Tasks => self.tasks(start + round).await?,
            On::Threads => self.threads(start + round)?,
        };
        self.work.settle().await?;
        let elapsed = start.elapsed();
        self.turn = done.iter().map(|done| done.turn).max().unwrap_or_default();
        Ok(rate(done.iter().map(|done| done.units).sum(), elapsed))
    }
}

struct Done {
    units: usize,
    turn: usize,
}

async fn caller<W: Work>(work: Arc<W>, number: usize, first: usize, end: Instant) -> Result<Done> {
    let mut done = Done { units: 0, turn: first };
    loop {
        done.units += work.step(number, done.turn).await?;
        done.turn += 1;
        if Instant::now() >= end {
            return Ok(done);
        }
        // Callers of a store that never waits would keep the others from running.
        consume_budget().await;
    }
}

/// How many a second.
pub(crate) fn rate(units: usize, elapsed: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let units = units as f64;
    units / elapsed.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_the_median_of_the_pairs_not_of_the_sides() {
        let measured = Measured::of(&[(10.0, 10.0), (30.0, 20.0), (20.0, 40.0)]).unwrap();
        let wanted = Measured { ours: 20.0, floor: 20.0, ratio: 1.0, ratio_min: 0.5, ratio_max: 1.5 };
        assert_eq!(measured, wanted);
    }

    #[test]
    fn of_an_even_number_the_median_is_between_the_two_in_the_middle() {
        assert!((median(&[4.0, 1.0, 2.0, 8.0]).unwrap() - 3.0).abs() < f64::EPSILON);
        assert!(median(&[]).is_err());
    }

    #[test]
    fn a_round_without_an_operation_is_an_error() {
        assert!(Measured::of(&[(1.0, 0.0)]).is_err());
        assert!(Measured::of(&[]).is_err());
    }

    struct Count(std::sync::Mutex<Vec<(usize, usize)>>);

    impl Work for Count {
        async fn step(&self, caller: usize, turn: usize) -> Result<usize> {
            self.0.lock().unwrap().push((caller, turn));
            Ok(1)
        }
    }

    struct Late;

    impl Work for Late {
        async fn step(&self, _: usize, _: usize) -> Result<usize> {
            Ok(1)
        }

        async fn settle(&self) -> Result<()> {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(())
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_round_ends_when_its_work_has_settled() {
        let rate = Callers::new(Late, 1, On::Tasks).round(Duration::ZERO).await.unwrap();
        assert!(rate <= 50.0, "{rate}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_caller_goes_on_where_the_last_round_ended() {
        for on in [On::Tasks, On::Threads] {
            let mut side = Callers::new(Count(std::sync::Mutex::default()), 3, on);
            for _ in 0..2 {
                assert!(side.round(Duration::ZERO).await.unwrap() > 0.0);
            }
            let mut steps = side.work.0.lock().unwrap().clone();
            steps.sort_unstable();
            assert_eq!(steps, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]);
        }
    }
}
