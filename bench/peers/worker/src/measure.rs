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
