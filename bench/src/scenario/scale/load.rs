//! Loading, through ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::Result;
use tokio::task::JoinSet;

use super::figures::Figure;
use super::plan::Thread;
use super::{Scale, Store, state};
use crate::measure::rate;

/// Threads that are filled at the same time.
const WRITERS: usize = 8;

/// The messages of a call at most.
const BATCH: usize = 1_000;

/// Fills the store; reports how fast, and how large it is then.
pub(super) async fn all(scale: &mut Scale<'_>, store: &Store) -> Result<()> {
    scale.begin("loading");
    let (start, next) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let (store, threads, next) = (Arc::clone(store), Arc::clone(&scale.threads), Arc::clone(&next));
        writers.spawn(async move {
            while let Some(thread) = threads.get(next.fetch_add(1, Ordering::Relaxed)) {
                fill(&store, thread).await?;
            }
            anyhow::Ok(())
        });
    }
    writers.join_all().await.into_iter().collect::<Result<()>>()?;
    scale.indexed()?.wait().await?;
    let count = scale.threads.iter().map(|thread| thread.messages).sum();
    scale.report([Figure::new("load", "messages/s", rate(count, start.elapsed()))])?;
    report_sizes(scale, "loaded")
}

async fn fill(store: &Store, thread: &Thread) -> Result<()> {
    let state = state(store, thread.scope()?);
    let chat = state.conversation(state.create_thread(thread.name()).id(thread.id()).await?.id);
    for first in (1..=thread.messages).step_by(BATCH) {
        let last = thread.messages.min(first + BATCH - 1);
        chat.add_messages((first..=last).map(|position| thread.message(position))).await?;
    }
    Ok(())
}

/// The sizes of the file and of its log. They are not opened: that would cost the store its locks.
pub(super) fn report_sizes(scale: &mut Scale<'_>, when: &str) -> Result<()> {
    let file = scale.file();
    let size = |of: &std::path::Path| -> Result<f64> {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        Ok(std::fs::metadata(of)?.len() as f64 / 1e6)
    };
    let sizes = [("file", size(&file)?), ("log", size(&file.with_extension("db-wal"))?)];
    scale.report(sizes.map(|(of, size)| Figure::new(format!("{of}_{when}"), "MB", size)))
}
