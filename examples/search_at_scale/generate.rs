//! Fills a database through chatkeep itself.

use std::sync::Arc;

use anyhow::Result;
use chatkeep::domain::{Append, MessageRepository, NewThread, ThreadRepository};
use chatkeep::{
    Clock, IdGenerator, NewMessage, OrgId, PostgresRepository, Role, Scope, SystemClock, ThreadId, UserId,
    UuidV7Generator,
};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinSet;

use crate::corpus::{MESSAGES, THREAD_LEN, text};

/// Messages that arrive together.
const TURN: usize = 10;

/// Organizations that write at the same time.
const WRITERS: usize = 8;

pub(crate) fn org(number: usize) -> OrgId {
    OrgId::new(format!("org-{number}")).expect("a short id")
}

/// Half of an organization's threads are of each of two users.
pub(crate) fn user(number: usize) -> UserId {
    UserId::new(["ada", "bob"][number % 2]).expect("a short id")
}

/// As many organizations with 1,000 messages each, which arrive in turns, as they do.
pub(crate) async fn fill(store: &PostgresRepository, orgs: usize) -> Result<()> {
    let threads = Arc::new(create_threads(store, orgs).await?);
    let texts: Arc<Vec<String>> = Arc::new((0..MESSAGES).map(text).collect());
    let style =
        ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} messages, {per_sec}, {eta} left")?;
    let progress = ProgressBar::new((orgs * MESSAGES) as u64).with_style(style);
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let (store, threads, texts, progress) =
            (store.clone(), Arc::clone(&threads), Arc::clone(&texts), progress.clone());
        tasks.spawn(async move {
            for first in (0..MESSAGES).step_by(TURN) {
                for number in (writer..orgs).step_by(WRITERS) {
                    let now = SystemClock.now();
                    let messages = (first..first + TURN).map(|message| {
                        let role = [Role::User, Role::Assistant][message % 2];
                        NewMessage::new(UuidV7Generator.message_id(), role, texts[message].as_str(), now)
                    });
                    let thread = threads[number][first / THREAD_LEN];
                    store.append(&Scope::org(org(number)), thread, Append::new(messages)).await?;
                    progress.inc(TURN as u64);
                }
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    progress.finish();
    Ok(())
}

async fn create_threads(store: &PostgresRepository, orgs: usize) -> Result<Vec<Vec<ThreadId>>> {
    let mut threads = Vec::with_capacity(orgs);
    for number in 0..orgs {
        let mut ids = Vec::new();
        for thread in 0..MESSAGES / THREAD_LEN {
            let id = UuidV7Generator.thread_id();
            let new =
                NewThread::new(id, org(number), user(thread), format!("thread {thread}"), SystemClock.now());
            store.create_thread(&Scope::org(org(number)), new).await?;
            ids.push(id);
        }
        threads.push(ids);
    }
    Ok(threads)
}
