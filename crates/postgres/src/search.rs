//! Search.

use std::collections::VecDeque;

use async_trait::async_trait;
use chatkeep_domain::search::{CorruptCandidate, SearchCandidate, SearchKey, SearchPlan, SearchReading};
use chatkeep_domain::{MAX_RANKED, MessageSearch, Scope, SearchOrder, SearchPage, SearchQuery, StoreError};

use crate::candidates::{Bounds, Candidates, Within};
use crate::connection::Connections;
use crate::error::{Failure, STORE};
use crate::row::{self, Opener};
use crate::sql::Sql;
use crate::statements::ORGANIZATIONS;
use crate::store::PostgresRepository;
use crate::walk::{Bring, Hit, NAME};
use crate::words::Wanted;

type Candidate = Result<SearchCandidate, Box<CorruptCandidate>>;

/// What a text, taken in one way, may find.
struct Hits<'a> {
    reading: SearchReading,
    candidates: Candidates<'a>,
    /// Found, and not taken yet. A ranking reads many messages, some at a time, and their places are found at once.
    queue: VecDeque<Hit>,
    /// The last place that was found.
    last: Option<SearchKey>,
    is_end: bool,
    is_ranked: bool,
}

impl<C: Connections> PostgresRepository<C> {
    async fn try_search(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, Failure> {
        let mut plan = SearchPlan::new(query).map_err(StoreError::from)?;
        if !self.is_indexed {
            return Err(StoreError::unsupported("search without its index", STORE).into());
        }
        let within = self.within(scope, query).await?;
        let mut hits: Option<Hits<'_>> = None;
        while let Some(read) = plan.next_read() {
            if hits.as_ref().is_none_or(|hits| hits.reading != plan.reading()) {
                hits = Some(Hits::new(&within, scope, query, &plan));
            }
            if let Some(hits) = &mut hits {
                let found = self.read_hits(hits, Bounds::of(read)).await?;
                plan.add(found);
            }
        }
        let page = plan.finish()?;
        if let (true, Within::Thread(target, _)) = (page.items.is_empty(), &within) {
            self.read_version(target).await?;
        }
        Ok(page)
    }

    async fn within(&self, scope: &Scope, query: &SearchQuery) -> Result<Within, Failure> {
        Ok(match (query.thread, scope.org_id()) {
            (Some(thread), _) => {
                let target = self.target(scope, thread).await?;
                let path = match query.branch {
                    Some(branch) => Some(self.path(&target, branch).await?),
                    None => None,
                };
                Within::Thread(target, path)
            }
            (None, Some(org)) => Within::Org(org.clone()),
            (None, None) => {
                let rows = Sql::constant(ORGANIZATIONS, []).rows(&self.connections).await?;
                Within::Everywhere(rows.iter().map(|row| row::value(row, 0)).collect::<Result<_, _>>()?)
            }
        })
    }

    /// As many as are asked for. If there are fewer, there are no more.
    async fn read_hits(&self, hits: &mut Hits<'_>, mut read: Bounds) -> Result<Vec<Candidate>, Failure> {
        let mut found = Vec::new();
        while found.len() < read.limit {
            if hits.queue.is_empty() {
                if hits.is_end {
                    break;
                }
                let wanted = read.limit;
                let mut bring = Bring::Messages;
                if hits.is_ranked {
                    (read.limit, bring) = (MAX_RANKED, Bring::Places);
                }
                read.behind = hits.last.clone().or(read.behind);
                hits.queue = hits.candidates.next(&self.connections, &read, bring).await?.into();
                hits.is_end = hits.queue.len() < read.limit;
                hits.last = hits.queue.back().map(|hit| hit.place.clone()).or(hits.last.take());
                read.limit = wanted;
            }
            let missing = (read.limit - found.len()).min(hits.queue.len());
            let next = hits.queue.drain(..missing).collect();
            self.read_messages(&hits.candidates, next, &mut found).await?;
        }
        Ok(found)
    }

    async fn read_messages(
        &self,
        candidates: &Candidates<'_>,
        hits: Vec<Hit>,
        found: &mut Vec<Candidate>,
    ) -> Result<(), Failure> {
        let is_exact = candidates.question.as_ref().is_some_and(|question| question.is_exact);
        for (place, row) in candidates.messages(&self.connections, hits).await? {
            let decode = || {
                let message = Opener::new(&*self.codec, &place.org_id).message(&row)?;
                let name: String =
                    row::value(&row, NAME).map_err(|error| row::corrupt_message(&row, error))?;
                Ok(SearchCandidate::new(place.org_id.clone(), name, message))
            };
            found.push(match decode() {
                Ok(candidate) if is_exact => Ok(candidate.with_exact_words()),
                Ok(candidate) => Ok(candidate),
                Err(error) => Err(Box::new(CorruptCandidate::new(place, error))),
            });
        }
        Ok(())
    }
}

impl<'a> Hits<'a> {
    fn new(within: &Within, scope: &'a Scope, query: &'a SearchQuery, plan: &SearchPlan<'_>) -> Self {
        let mut wanted = Wanted {
            sender: query.filter.sender_id.as_ref(),
            roles: &query.filter.roles,
            metadata: &query.filter.metadata,
            expr: plan.expr(),
            ..Wanted::default()
        };
        match within {
            Within::Thread(target, _) => (wanted.org, wanted.thread) = (Some(&target.org), Some(target.id)),
            Within::Org(org) => (wanted.org, wanted.user) = (Some(org), scope.user_id()),
            Within::Everywhere(_) => {}
        }
        let candidates = Candidates {
            question: wanted.question(),
            within: within.clone(),
            filter: &query.filter,
            user: scope.user_id(),
        };
        let is_ranked = query.order == SearchOrder::Relevance && plan.expr().is_some();
        let reading = plan.reading();
        Self { reading, candidates, queue: VecDeque::new(), last: None, is_end: false, is_ranked }
    }
}

#[async_trait]
impl<C: Connections> MessageSearch for PostgresRepository<C> {
    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        self.reads(self.try_search(scope, query)).await
    }
}
