//! Searches and lists, by one caller.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use chatkeep::{
    MessageFilter, MessageQuery, MetadataFilter, SearchOrder, SearchQuery, StateManager, ThreadQuery,
};

use super::figures::{Figure, Times};
use super::plan::{COMMON, LARGE, MIDDLING, TINY, TOPIC, scope_of};
use super::{ROUNDS, Scale, Store, state};
use crate::corpus::{PAGE, word};
use crate::measure::median;

/// The items of a page of a list.
const LISTED: usize = 50;

/// Words that all begin with one letter are a twelfth of all.
pub(super) const PREFIX: &str = "b*";

/// What is looked for; a goal is in milliseconds.
struct Search {
    name: &'static str,
    org: usize,
    text: String,
    order: SearchOrder,
    goal: Option<f64>,
}

fn all_searches() -> Vec<Search> {
    let search =
        |name, org, text: &str, order, goal| Search { name, org, text: text.to_owned(), order, goal };
    let (newest, relevance) = (SearchOrder::Newest, SearchOrder::Relevance);
    vec![
        search("newest", LARGE, &word(COMMON), newest, Some(50.0)),
        search("newest_middling", LARGE, &word(MIDDLING), newest, Some(50.0)),
        search("relevance", LARGE, &word(COMMON), relevance, Some(300.0)),
        search("relevance_middling", LARGE, &word(MIDDLING), relevance, Some(300.0)),
        search("prefix_large", LARGE, PREFIX, newest, None),
        search("prefix_tiny", TINY, PREFIX, newest, Some(5.0)),
    ]
}

pub(super) fn query(text: &str, order: SearchOrder) -> SearchQuery {
    SearchQuery::new(text).order(order).limit(PAGE)
}

/// Reports each search; the names end with `suffix`. One that fails, because it takes too long, has another row instead, with the
/// time until it did.
pub(super) async fn searches(scale: &mut Scale<'_>, store: &Store, suffix: &str) -> Result<()> {
    for Search { name, org, text, order, goal } in all_searches() {
        scale.begin(name);
        let (state, query) = (state(store, scope_of(org)?), query(&text, order));
        let begun = Instant::now();
        let time = median_of_rounds(scale, async || {
            let page = state.search(query.clone()).await?;
            ensure!(!page.items.is_empty(), "{name} finds nothing");
            Ok(())
        });
        let figure = match time.await {
            Ok(time) => {
                let figure = Figure::millis(format!("{name}{suffix}"), time);
                match goal {
                    Some(goal) => figure.at_most(goal),
                    None => figure,
                }
            }
            Err(error) => {
                scale.progress.println(format!("{name}{suffix}: {error:#}"));
                Figure::millis(format!("{name}{suffix}_failed"), begun.elapsed()).at_most(0.0)
            }
        };
        scale.report([figure])?;
    }
    Ok(())
}

/// Reports lists that begin far behind.
pub(super) async fn lists(scale: &mut Scale<'_>, store: &Store) -> Result<()> {
    scale.begin("lists");
    let large = state(store, scope_of(LARGE)?);
    let count = scale.threads.iter().filter(|thread| thread.is_in(LARGE)).count();
    let first = ThreadQuery::first(LISTED);
    let far = page_behind(&large, first.clone(), count / 2).await?;
    for (name, query) in [("list_threads", first), ("list_threads_far", far)] {
        let time = median_of_rounds(scale, async || {
            ensure!(!large.list_threads(&query).await?.items.is_empty(), "{name} is empty");
            Ok(())
        });
        scale.report([Figure::millis(name, time.await?)])?;
    }
    let far = scale.threads[0].messages / 10;
    for offset in [0, far] {
        let time = by_metadata(scale, store, offset).await?;
        scale.report([Figure::millis(format!("list_metadata_{offset}"), time)])?;
    }
    Ok(())
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

/// Messages of the long thread whose metadata has a value.
async fn by_metadata(scale: &Scale<'_>, store: &Store, offset: usize) -> Result<Duration> {
    let thread = &scale.threads[0];
    let filter = MessageFilter::new().metadata(MetadataFilter::new("/topic", TOPIC)?);
    let query = MessageQuery::first(LISTED).filter(filter).offset(offset as u64);
    let scope = thread.scope()?;
    median_of_rounds(scale, async || {
        let page = store.list_messages(&scope, thread.id(), &query).await?;
        ensure!(!page.items.is_empty(), "nothing has the metadata behind {offset}");
        Ok(())
    })
    .await
}

/// Calls over and over for a while, at least once; the median of the rounds' medians.
async fn median_of_rounds(scale: &Scale<'_>, call: impl AsyncFn() -> Result<()>) -> Result<Duration> {
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
