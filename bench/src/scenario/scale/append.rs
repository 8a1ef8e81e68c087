//! Single appends into random threads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use super::figures::{Figure, Times, millis};
use super::place::{Log, groups, per};
use super::plan::{TINY, Thread};
use super::{Scale, Store, state};
use crate::corpus::Random;
use crate::measure::rate;

pub(super) const CALLERS: u32 = 16;

/// Reports what the disk does before and after, and the appends between.
pub(super) async fn measure(scale: &mut Scale<'_>, store: &Store) -> Result<()> {
    let groups = groups(scale.size.appends);
    scale.begin("what the disk does by itself");
    let before = scale.place.disk("before", groups)?;
    scale.begin("single appends");
    let (log, start) = (scale.place.log()?, Instant::now());
    let done = all(scale, store).await;
    let returned = start.elapsed();
    scale.place.indexed().await?;
    let elapsed = start.elapsed();
    report_log(scale, log, done.times.len())?;
    scale.begin("what the disk does by itself");
    let after = scale.place.disk("after", groups)?;

    let worst_of_disk = before.worst()?.max(after.worst()?);
    let worst = millis(worst_of_disk) + scale.place.worst_append();
    let (errors, appends) = (scale.count_errors("append", &done.errors), Times::of(done.times));
    scale.report([
        Figure::millis("disk_p99_before", before.percentile(99)?),
        Figure::millis("disk_worst_before", before.worst()?),
        Figure::millis("disk_p99_after", after.percentile(99)?),
        Figure::millis("disk_worst_after", after.worst()?),
        Figure::millis("append_p50", appends.percentile(50)?),
        Figure::millis("append_p99", appends.percentile(99)?),
        Figure::millis("append_worst", appends.worst()?).at_most(worst),
        errors,
        Figure::new("append", "appends/s", rate(appends.len(), elapsed)),
        Figure::new("append_returned", "appends/s", rate(appends.len(), returned)),
    ])?;
    scale.report(scale.place.sizes()?.figures("appended"))
}

/// Reports what the appends have written to the log since.
fn report_log(scale: &mut Scale<'_>, since: Option<Log>, appends: usize) -> Result<()> {
    let (Some(since), Some(now)) = (since, scale.place.log()?) else { return Ok(()) };
    scale.report([
        Figure::new("append_log", "B/message", per(now.bytes - since.bytes, appends)),
        Figure::new("append_log_pages", "pages/message", per(now.pages - since.pages, appends)),
    ])
}

/// What came of appends. One that fails does not end the others.
#[derive(Default)]
pub(super) struct Appended {
    pub(super) times: Vec<Duration>,
    pub(super) errors: Vec<anyhow::Error>,
}

impl Appended {
    pub(super) fn add(&mut self, answer: Result<Duration>) {
        match answer {
            Ok(time) => self.times.push(time),
            Err(error) => self.errors.push(error),
        }
    }

    /// Waits for the callers.
    pub(super) async fn of(callers: JoinSet<Self>) -> Self {
        let mut all = Self::default();
        for of_caller in callers.join_all().await {
            all.times.extend(of_caller.times);
            all.errors.extend(of_caller.errors);
        }
        all
    }
}

async fn all(scale: &Scale<'_>, store: &Store) -> Appended {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS as usize {
        let (store, threads) = (Arc::clone(store), Arc::clone(&scale.threads));
        let count = scale.size.appends.div_ceil(CALLERS as usize);
        callers.spawn(async move {
            let (mut random, mut done) = (Random::new(caller, 3), Appended::default());
            for number in 0..count {
                done.add(one(&store, &threads, &mut random, number).await);
            }
            done
        });
    }
    Appended::of(callers).await
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
