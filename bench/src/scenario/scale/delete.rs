//! A very long thread is deleted while others append.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use super::append;
use super::figures::{Figure, Times};
use super::plan::Thread;
use super::{Scale, Store, disk, load, state};
use crate::corpus::Random;
use crate::floor::sqlite::connect;

const CALLERS: usize = 4;

/// Between two appends of a caller.
const PAUSE: Duration = Duration::from_millis(10);

/// How often it is looked whether the rows are gone.
const POLL: Duration = Duration::from_millis(10);

/// What is still there of deleted threads.
const REMAINS: &str = "SELECT EXISTS (SELECT 1 FROM chat_thread WHERE org = 0)";

/// Reports how long the call took, how long until its rows were gone, and how long the others waited.
pub(super) async fn measure(scale: &mut Scale<'_>, store: &Store) -> Result<()> {
    scale.begin("deleting the long thread");
    let (long, others) = (scale.threads[0], scale.threads[1..].into());
    let end = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(appends(Arc::clone(store), Arc::clone(&others), caller, Arc::clone(&end)));
    }
    let start = Instant::now();
    ensure!(state(store, long.scope()?).delete_thread(long.id()).await?, "there is no long thread");
    let call = start.elapsed();
    until_gone(scale).await?;
    let gone = start.elapsed();
    end.store(true, Ordering::Relaxed);
    let times: Result<Vec<_>> = callers.join_all().await.into_iter().collect();
    let times = Times::of(times?.into_iter().flatten());
    let disk = disk::times(scale, "deleted.db")?;
    scale.report([
        Figure::millis("delete_call", call),
        Figure::new("delete_gone", "s", gone.as_secs_f64()),
        Figure::millis("delete_append_p50", times.percentile(50)?),
        Figure::millis("delete_append_p99", times.percentile(99)?),
        Figure::millis("delete_append_worst", times.worst()?).at_most(200.0),
        Figure::millis("disk_worst_deleted", disk.worst()?),
    ])?;
    load::report_sizes(scale, "deleted")
}

async fn until_gone(scale: &Scale<'_>) -> Result<()> {
    let connection = connect(&scale.file())?;
    while connection.query_row(REMAINS, [], |row| row.get(0))? {
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

async fn appends(
    store: Store,
    threads: Arc<[Thread]>,
    caller: usize,
    end: Arc<AtomicBool>,
) -> Result<Vec<Duration>> {
    let (mut random, mut times) = (Random::new(caller, 5), Vec::new());
    loop {
        times.push(append::one(&store, &threads, &mut random, times.len()).await?);
        if end.load(Ordering::Relaxed) {
            return Ok(times);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
