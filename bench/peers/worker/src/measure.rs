//! Calls for a while, and counts them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::serve::Opened;
use crate::{Rate, Store};

pub(crate) async fn append<S: Store>(opened: &Arc<Opened<S>>, callers: usize, seconds: f64) -> Result<Rate> {
    let start = Instant::now();
    let until = start + Duration::from_secs_f64(seconds);
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let opened = Arc::clone(opened);
        tasks.spawn(async move {
            let mut rate = Rate::default();
            // Each caller has every so-manieth conversation, so no two share one.
            for thread in opened.threads.iter().skip(caller).step_by(callers).cycle() {
                rate.count(opened.store.append(thread, opened.text()).await);
                if Instant::now() >= until {
                    break;
                }
            }
            rate
        });
    }
    let mut all = Rate::default();
    while let Some(rate) = tasks.join_next().await {
        let rate = rate?;
        all.done += rate.done;
        all.errors += rate.errors;
        all.first_error = all.first_error.or(rate.first_error);
    }
    all.seconds = start.elapsed().as_secs_f64();
    Ok(all)
}

pub(crate) async fn last<S: Store>(opened: &Arc<Opened<S>>, count: usize, seconds: f64) -> Result<Rate> {
    let opened = Arc::clone(opened);
    let reader = tokio::spawn(async move {
        let long = opened.long.as_ref().ok_or_else(|| anyhow::anyhow!("nothing is prepared"))?;
        let mut rate = Rate::default();
        let start = Instant::now();
        while start.elapsed().as_secs_f64() < seconds {
            let read = opened.store.last(long, count).await.and_then(|found| {
                anyhow::ensure!(found == count, "{found} messages came instead of {count}");
                Ok(())
            });
            rate.count(read);
        }
        rate.seconds = start.elapsed().as_secs_f64();
        Ok(rate)
    });
    reader.await?
}

pub(crate) async fn append_and_find<S: Store>(opened: &Arc<Opened<S>>, seconds: f64) -> Result<Rate> {
    let opened = Arc::clone(opened);
    let caller = tokio::spawn(async move {
        let (mut rate, start) = (Rate::default(), Instant::now());
        for thread in opened.threads.iter().cycle() {
            rate.count(append_until_found(&opened, thread).await);
            if start.elapsed().as_secs_f64() >= seconds {
                break;
            }
        }
        rate.seconds = start.elapsed().as_secs_f64();
        rate
    });
    Ok(caller.await?)
}

async fn append_until_found<S: Store>(opened: &Opened<S>, thread: &S::Thread) -> Result<()> {
    let (number, text) = opened.numbered();
    let word = own_word(number);
    opened.store.append(thread, &format!("{text} {word}")).await?;
    find_one(opened, &word).await
}

pub(crate) async fn first_search<S: Store>(opened: &Arc<Opened<S>>, pending: usize) -> Result<Rate> {
    let opened = Arc::clone(opened);
    let caller = tokio::spawn(async move {
        let thread = opened.store.create().await?;
        let word = own_word(opened.numbered().0);
        opened.store.append(&thread, &word).await?;
        opened.load(&thread, pending - 1, f64::INFINITY).await?;
        let (mut rate, start) = (Rate::default(), Instant::now());
        rate.count(find_one(&opened, &word).await);
        rate.seconds = start.elapsed().as_secs_f64();
        Ok(rate)
    });
    caller.await?
}

/// A word that no other message has.
fn own_word(number: usize) -> String {
    format!("zz{number}")
}

async fn find_one<S: Store>(opened: &Opened<S>, word: &str) -> Result<()> {
    let found = opened.store.find(word).await?;
    anyhow::ensure!(found == 1, "{found} messages were found instead of 1");
    Ok(())
}

impl Rate {
    fn count(&mut self, result: Result<()>) {
        match result {
            Ok(()) => self.done += 1,
            Err(error) => {
                self.errors += 1;
                self.first_error.get_or_insert_with(|| format!("{error:#}"));
            }
        }
    }
}
