//! Single appends into random threads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use super::figures::{Figure, Times, millis};
use super::plan::{TINY, Thread};
use super::{Scale, Store, disk, load, state};
use crate::corpus::Random;
use crate::measure::rate;

pub(super) const CALLERS: usize = 16;

/// The longest wait beyond what the disk is slow by itself, in milliseconds.
const WORST: f64 = 50.0;

/// Reports what the disk does before and after, and the appends between.
pub(super) async fn measure(scale: &mut Scale<'_>, store: &Store) -> Result<()> {
    scale.begin("what the disk does by itself");
    let before = disk::times(scale, "before.db")?;
    scale.begin("single appends");
    let start = Instant::now();
    let appends = all(scale, store).await?;
    let returned = start.elapsed();
    scale.indexed()?.wait().await?;
    let elapsed = start.elapsed();
    scale.begin("what the disk does by itself");
    let after = disk::times(scale, "after.db")?;

    let worst_of_disk = before.worst()?.max(after.worst()?);
    scale.report([
        Figure::millis("disk_p99_before", before.percentile(99)?),
        Figure::millis("disk_worst_before", before.worst()?),
        Figure::millis("disk_p99_after", after.percentile(99)?),
        Figure::millis("disk_worst_after", after.worst()?),
        Figure::millis("append_p50", appends.percentile(50)?),
        Figure::millis("append_p99", appends.percentile(99)?),
        Figure::millis("append_worst", appends.worst()?).at_most(millis(worst_of_disk) + WORST),
        Figure::new("append", "appends/s", rate(appends.len(), elapsed)),
        Figure::new("append_returned", "appends/s", rate(appends.len(), returned)),
    ])?;
    load::report_sizes(scale, "appended")
}

async fn all(scale: &Scale<'_>, store: &Store) -> Result<Times> {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (store, threads) = (Arc::clone(store), Arc::clone(&scale.threads));
        let count = scale.size.appends.div_ceil(CALLERS);
        callers.spawn(async move {
            let mut random = Random::new(caller, 3);
            let mut times = Vec::with_capacity(count);
            for number in 0..count {
                times.push(one(&store, &threads, &mut random, number).await?);
            }
            anyhow::Ok(times)
        });
    }
    let times: Result<Vec<_>> = callers.join_all().await.into_iter().collect();
    Ok(Times::of(times?.into_iter().flatten()))
}

/// Appends a message to any thread but those of the tiny organization; gives how long that took.
pub(super) async fn one(
    store: &Store,
    threads: &[Thread],
    random: &mut Random,
    number: usize,
) -> Result<Duration> {
    let thread = loop {
        let thread = &threads[usize::try_from(random.below(threads.len() as u64))?];
        if !thread.is_in(TINY) {
            break thread;
        }
    };
    let message = thread.message(thread.messages + 1 + number);
    let chat = state(store, thread.scope()?).conversation(thread.id());
    let start = Instant::now();
    chat.add_messages([message]).await?;
    Ok(start.elapsed())
}
