//! A very long thread is deleted while others append.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use super::append::{self, Appended};
use super::figures::{Figure, Times};
use super::place::groups;
use super::plan::Thread;
use super::{Scale, Store, state};
use crate::corpus::Random;

const CALLERS: usize = 4;

/// Between two appends of a caller.
const PAUSE: Duration = Duration::from_millis(10);

/// How often it is looked whether the rows are gone.
const POLL: Duration = Duration::from_millis(10);

/// Reports how long the call took, how long until its rows were gone, and how long the others waited.
pub(super) async fn measure(scale: &mut Scale<'_>, store: &Store) -> Result<()> {
    scale.begin("deleting the long thread");
    let (long, others) = (scale.threads[0], scale.threads[1..].into());
    let end = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(appends(Arc::clone(store), Arc::clone(&others), caller, Arc::clone(&end)));
    }
    let deleted = delete(scale, store, &long).await;
    end.store(true, Ordering::Relaxed);
    let done = Appended::of(callers).await;
    let disk = scale.place.disk("deleted", groups(scale.size.appends))?;
    scale.report(deleted?)?;
    let (errors, times) = (scale.count_errors("delete_append", &done.errors), Times::of(done.times));
    scale.report([
        Figure::millis("delete_append_p50", times.percentile(50)?),
        Figure::millis("delete_append_p99", times.percentile(99)?),
        Figure::millis("delete_append_worst", times.worst()?).at_most(200.0),
        errors,
        Figure::millis("disk_worst_deleted", disk.worst()?),
    ])?;
    scale.report(scale.place.sizes()?.figures("deleted"))
}

/// A deletion that fails, because it takes too long, has a row too, with the time until it did.
async fn delete(scale: &Scale<'_>, store: &Store, long: &Thread) -> Result<Vec<Figure>> {
    let start = Instant::now();
    match state(store, long.scope()?).delete_thread(long.id()).await {
        Ok(was_there) => ensure!(was_there, "there is no long thread"),
        Err(error) => return Ok(vec![scale.failed("delete_call", start.elapsed(), &error.into())]),
    }
    let call = start.elapsed();
    while !scale.place.is_gone(long)? {
        tokio::time::sleep(POLL).await;
    }
    let gone = start.elapsed();
    Ok(vec![Figure::millis("delete_call", call), Figure::new("delete_gone", "s", gone.as_secs_f64())])
}

async fn appends(store: Store, threads: Arc<[Thread]>, caller: usize, end: Arc<AtomicBool>) -> Appended {
    let (mut random, mut done) = (Random::new(caller, 5), Appended::default());
    for number in 0.. {
        done.add(append::one(&store, &threads, &mut random, number).await);
        if end.load(Ordering::Relaxed) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    done
}
