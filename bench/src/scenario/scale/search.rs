//! Searches, by one caller.

use anyhow::{Result, ensure};
use chatkeep::{MessageFilter, MetadataFilter, Scope, SearchOrder, SearchQuery, UserId};

use super::plan::{LARGE, TINY, scope_of};
use super::read::report;
use super::text::{ABSENT, COMMON, GUEST, MIDDLING, RARE, URGENT, phrase};
use super::{Scale, Store, state};
use crate::corpus::{PAGE, word};

/// Words that all begin with one letter are a twelfth of all.
pub(super) const PREFIX: &str = "b*";

/// What is looked for; a goal is in milliseconds.
struct Search {
    name: &'static str,
    scope: Scope,
    query: SearchQuery,
    goal: Option<f64>,
}

pub(super) fn query(text: &str, order: SearchOrder) -> SearchQuery {
    SearchQuery::new(text).order(order).limit(PAGE)
}

/// Reports each search.
pub(super) async fn all(scale: &mut Scale<'_>, store: &Store) -> Result<()> {
    let searches = by_words()?.into_iter().chain(of_operator()).chain(by_filters(scale)?);
    for Search { name, scope, query, goal } in searches {
        let (state, is_found) = (state(store, scope), query.text != ABSENT);
        let search = async || {
            let page = state.search(query.clone()).await?;
            ensure!(page.items.is_empty() != is_found, "{name} finds {} messages", page.items.len());
            Ok(())
        };
        report(scale, name, goal, search).await?;
    }
    Ok(())
}

fn by_words() -> Result<Vec<Search>> {
    let (newest, relevance) = (SearchOrder::Newest, SearchOrder::Relevance);
    let searches = [
        ("newest", LARGE, word(COMMON), newest, Some(50.0)),
        ("newest_middling", LARGE, word(MIDDLING), newest, Some(50.0)),
        ("relevance", LARGE, word(COMMON), relevance, Some(300.0)),
        ("relevance_middling", LARGE, word(MIDDLING), relevance, Some(300.0)),
        ("relevance_phrase", LARGE, format!("\"{}\"", phrase()), relevance, Some(100.0)),
        ("prefix_large", LARGE, PREFIX.to_owned(), newest, None),
        ("prefix_tiny", TINY, PREFIX.to_owned(), newest, Some(5.0)),
    ];
    let search = |(name, org, text, order, goal): (_, _, String, _, _)| {
        Ok(Search { name, scope: scope_of(org)?, query: query(&text, order), goal })
    };
    searches.into_iter().map(search).collect()
}

/// Across all organizations.
fn of_operator() -> Vec<Search> {
    let searches = [
        ("operator_rare", RARE.to_owned(), Some(20.0)),
        ("operator_absent", ABSENT.to_owned(), Some(20.0)),
        ("operator_newest", word(COMMON), None),
        ("operator_all", String::new(), None),
    ];
    let search = |(name, text, goal): (_, String, _)| Search {
        name,
        scope: Scope::operator(),
        query: query(&text, SearchOrder::Newest),
        goal,
    };
    searches.into_iter().map(search).collect()
}

/// What is rare by its metadata in the large organization, or by its sender in the long thread.
fn by_filters(scale: &Scale<'_>) -> Result<Vec<Search>> {
    let urgent = MessageFilter::new().metadata(MetadataFilter::new("/priority", URGENT)?);
    let of_guest = MessageFilter::new().sender_id(UserId::new(GUEST)?);
    let (thread, newest) = (scale.threads[0].id(), SearchOrder::Newest);
    let in_thread = |text: &str| query(text, newest).thread(thread).filter(of_guest.clone());
    let searches = [
        ("metadata_rare", query("", newest).filter(urgent), Some(10.0)),
        ("sender_search", in_thread(""), None),
        ("sender_search_common", in_thread(&word(COMMON)), None),
    ];
    let search = |(name, query, goal)| Ok(Search { name, scope: scope_of(LARGE)?, query, goal });
    searches.into_iter().map(search).collect()
}
