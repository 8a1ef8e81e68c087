//! Loading, through ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::Result;
use tokio::task::JoinSet;

use super::figures::Figure;
use super::place::per;
use super::plan::Thread;
use super::{Scale, Store, state};
use crate::measure::rate;

/// Threads that are filled at the same time.
const WRITERS: usize = 8;

/// The messages of a call at most.
const BATCH: usize = 1_000;

/// The bytes on the disk for each byte of a content.
const GOAL: f64 = 4.0;

/// What has less of the whole has no row.
const LEAST_SHARE: f64 = 0.001;

/// Fills the store; reports how fast, and how large it is then.
pub(super) async fn all(scale: &mut Scale<'_>, store: &Store) -> Result<()> {
    scale.begin("loading");
    let (start, next) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let (store, threads, next) = (Arc::clone(store), Arc::clone(&scale.threads), Arc::clone(&next));
        writers.spawn(async move {
            let mut bytes = 0;
            while let Some(thread) = threads.get(next.fetch_add(1, Ordering::Relaxed)) {
                bytes += fill(&store, thread).await?;
            }
            anyhow::Ok(bytes)
        });
    }
    let bytes: Result<Vec<u64>> = writers.join_all().await.into_iter().collect();
    scale.place.indexed().await?;
    let count = scale.threads.iter().map(|thread| thread.messages).sum();
    scale.report([Figure::new("load", "messages/s", rate(count, start.elapsed()))])?;
    scale.place.loaded().await?;
    report_bytes(scale, bytes?.iter().sum(), count)
}

/// Gives how many bytes of contents there are.
async fn fill(store: &Store, thread: &Thread) -> Result<u64> {
    let (state, mut bytes) = (state(store, thread.scope()?), 0);
    let chat = state.conversation(state.create_thread(thread.name()).id(thread.id()).await?.id);
    for first in (1..=thread.messages).step_by(BATCH) {
        let last = thread.messages.min(first + BATCH - 1);
        let stored = chat.add_messages((first..=last).map(|position| thread.message(position))).await?;
        for message in stored.messages {
            bytes += message.content.encode()?.len() as u64;
        }
    }
    Ok(bytes)
}

/// What is on the disk, beside its floor: the contents alone, as JSON.
fn report_bytes(scale: &mut Scale<'_>, contents: u64, count: usize) -> Result<()> {
    let sizes = scale.place.sizes()?;
    scale.report(sizes.figures("loaded"))?;
    let (content, bytes) = (per(contents, count), per(sizes.total(), count));
    scale.report([
        Figure::new("bytes_content", "B/message", content),
        Figure::new("bytes", "B/message", bytes),
        Figure::new("bytes_ratio", "bytes / content", bytes / content).at_most(GOAL),
    ])?;
    let shares = sizes.shares.iter().map(|(name, bytes)| (name, per(*bytes, count)));
    let shares = shares.filter(|(_, share)| share / bytes >= LEAST_SHARE);
    scale.report(shares.map(|(name, bytes)| Figure::new(format!("bytes_{name}"), "B/message", bytes)))
}
