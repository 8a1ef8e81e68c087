//! A search without an index: over candidates that are all there.

use chatkeep_domain::search::{CorruptCandidate, SearchCandidate, SearchPlan};
use chatkeep_domain::{
    ChatThread, DEFAULT_PAGE_LEN, MessageQuery, Scope, SearchPage, StoreError, ThreadId, ThreadQuery,
};

use crate::fixture::Repo;

/// Asks a plan about candidates, of which `read` may turn out to be corrupt.
pub(super) fn search_among(
    mut plan: SearchPlan<'_>,
    mut candidates: Vec<SearchCandidate>,
    read: impl Fn(&SearchPlan<'_>, &SearchCandidate) -> Option<Result<SearchCandidate, StoreError>>,
) -> Result<SearchPage, StoreError> {
    candidates.sort_by_cached_key(|candidate| plan.key(candidate));
    while let Some(asked) = plan.next_read() {
        let mut page: Vec<_> =
            candidates.iter().filter(|candidate| asked.contains(&plan.key(candidate))).collect();
        if asked.newest_first {
            page.reverse();
        }
        let rows = page.into_iter().filter_map(|candidate| {
            let row = read(&plan, candidate)?;
            Some(row.map_err(|error| Box::new(CorruptCandidate::new(plan.key(candidate), error))))
        });
        let rows: Vec<_> = rows.take(asked.limit).collect();
        plan.add(rows);
    }
    plan.finish()
}

/// All messages of the scope.
pub(super) async fn candidates(store: &Repo, scope: &Scope) -> Result<Vec<SearchCandidate>, StoreError> {
    let (mut query, mut found) = (ThreadQuery::first(DEFAULT_PAGE_LEN), Vec::new());
    loop {
        let page = store.list_threads(scope, &query).await?;
        for thread in &page.items {
            found.extend(messages(store, scope, thread).await?);
        }
        let Some(next) = page.next else { return Ok(found) };
        query = query.behind(next);
    }
}

/// All messages of a thread; none where there is no such thread.
pub(super) async fn candidates_of(store: &Repo, scope: &Scope, thread: ThreadId) -> Vec<SearchCandidate> {
    let Ok(thread) = store.get_thread(scope, thread).await else { return Vec::new() };
    messages(store, scope, &thread).await.unwrap_or_default()
}

async fn messages(
    store: &Repo,
    scope: &Scope,
    thread: &ChatThread,
) -> Result<Vec<SearchCandidate>, StoreError> {
    let (mut query, mut read) = (MessageQuery::first(DEFAULT_PAGE_LEN), Vec::new());
    loop {
        let page = store.list_messages(scope, thread.id, &query).await?;
        let candidate = |message| SearchCandidate::new(thread.org_id.clone(), thread.name.clone(), message);
        read.extend(page.items.into_iter().map(candidate));
        let Some(next) = page.next else { return Ok(read) };
        query = query.behind(next);
    }
}
