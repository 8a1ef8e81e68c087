//! Lists, by one caller; and how the time of a read is taken.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use chatkeep::{MessageFilter, MessageQuery, MetadataFilter, StateManager, ThreadQuery, UserId};

use super::figures::{Figure, Times};
use super::plan::{LARGE, scope_of};
use super::text::{GUEST, HIGH, TOPIC, URGENT};
use super::{ROUNDS, Scale, Store, state};
use crate::measure::median;

/// The items of a page of a list.
const LISTED: usize = 50;

/// The calls that do not count. PostgreSQL plans a statement for each call's own values up to the fifth.
const WARM_UP: usize = 6;

/// Reports lists that begin far behind, and lists of what is rare.
pub(super) async fn lists(scale: &mut Scale<'_>, store: &Store) -> Result<()> {
    let large = state(store, scope_of(LARGE)?);
    let count = scale.threads.iter().filter(|thread| thread.is_in(LARGE)).count();
    let first = ThreadQuery::first(LISTED);
    let far = page_behind(&large, first.clone(), count / 2).await?;
    for (name, query) in [("list_threads", first), ("list_threads_far", far)] {
        let list = async || {
            ensure!(!large.list_threads(&query).await?.items.is_empty(), "{name} is empty");
            Ok(())
        };
        report(scale, name, None, list).await?;
    }
    of_long_thread(scale, store).await
}

/// The query of the page behind so many threads: lists of threads go on by cursors alone.
async fn page_behind(state: &StateManager, query: ThreadQuery, threads: usize) -> Result<ThreadQuery> {
    let (mut query, mut passed) = (query, 0);
    while passed < threads {
        let page = state.list_threads(&query).await?;
        passed += page.items.len();
        let Some(next) = page.next else { break };
        query.cursor = Some(next);
    }
    Ok(query)
}

/// Messages of the long thread whose metadata has one value or two, or that one sender has sent.
async fn of_long_thread(scale: &mut Scale<'_>, store: &Store) -> Result<()> {
    let thread = scale.threads[0];
    let topic = MessageFilter::new().metadata(MetadataFilter::new("/topic", TOPIC)?);
    let two = topic.clone().metadata(MetadataFilter::new("/priority", HIGH)?);
    let rare = MessageFilter::new().metadata(MetadataFilter::new("/priority", URGENT)?);
    let of_guest = MessageFilter::new().sender_id(UserId::new(GUEST)?);
    let (scope, far) = (thread.scope()?, thread.messages / 10);
    for (name, filter, offset) in [
        ("list_metadata_0".to_owned(), topic.clone(), 0),
        (format!("list_metadata_{far}"), topic, far),
        ("list_metadata_two".to_owned(), two, 0),
        ("list_metadata_rare".to_owned(), rare, 0),
        ("sender_list".to_owned(), of_guest, 0),
    ] {
        let query = MessageQuery::first(LISTED).filter(filter).offset(offset as u64);
        let list = async || {
            let page = store.list_messages(&scope, thread.id(), &query).await?;
            ensure!(!page.items.is_empty(), "{name} is empty");
            Ok(())
        };
        report(scale, &name, None, list).await?;
    }
    Ok(())
}

/// Reports how long a read takes; a goal is in milliseconds. One that fails, because it takes too long, has another row instead,
/// with the time until it did.
pub(super) async fn report(
    scale: &mut Scale<'_>,
    name: &str,
    goal: Option<f64>,
    call: impl AsyncFn() -> Result<()>,
) -> Result<()> {
    let name = format!("{name}{}", scale.suffix);
    scale.begin(&name);
    let begun = Instant::now();
    let figure = match median_of_rounds(scale, call).await {
        Ok(time) => match goal {
            Some(goal) => Figure::millis(name, time).at_most(goal),
            None => Figure::millis(name, time),
        },
        Err(error) => scale.failed(&name, begun.elapsed(), &error),
    };
    scale.report([figure])
}

/// Calls over and over for a while, at least once; the median of the rounds' medians.
async fn median_of_rounds(scale: &Scale<'_>, call: impl AsyncFn() -> Result<()>) -> Result<Duration> {
    for _ in 0..WARM_UP {
        call().await?;
    }
    let mut medians = Vec::new();
    for _ in 0..ROUNDS {
        let (begun, mut times) = (Instant::now(), Vec::new());
        while times.is_empty() || begun.elapsed() < scale.size.round / 5 {
            let start = Instant::now();
            call().await?;
            times.push(start.elapsed());
        }
        medians.push(Times::of(times).percentile(50)?.as_secs_f64());
    }
    Ok(Duration::from_secs_f64(median(&medians)?))
}
