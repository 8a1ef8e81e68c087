use async_trait::async_trait;
use chatkeep_domain::search::{SearchCandidate, SearchKey, SearchPlan, SearchRead};
use chatkeep_domain::{MessageSearch, Page, Scope, SearchHit, SearchQuery, StoreError};

use crate::MemoryRepository;
use crate::store::Finding;

#[async_trait]
impl MessageSearch for MemoryRepository {
    #[tracing::instrument(name = "db.message.search", skip_all)]
    async fn search_messages(
        &self,
        scope: &Scope,
        query: &SearchQuery,
    ) -> Result<Page<SearchHit>, StoreError> {
        let mut plan = SearchPlan::new(query)?;
        if !self.store.is_indexed() {
            return Err(StoreError::Unsupported { operation: "search", store: "memory without an index" });
        }
        if let Some(thread) = query.thread {
            self.store.with(scope, thread, |_| Ok(()))?;
        }
        while let Some(read) = plan.next_read() {
            let candidates = self.read(scope, query, &plan, &read);
            plan.add(candidates);
        }
        Ok(plan.finish())
    }
}

impl MemoryRepository {
    fn read(
        &self,
        scope: &Scope,
        query: &SearchQuery,
        plan: &SearchPlan<'_>,
        read: &SearchRead,
    ) -> Vec<SearchCandidate> {
        let mut found: Vec<(SearchKey, Finding)> = Vec::new();
        self.store.find(scope, query.thread, plan.expr(), |finding, message| {
            let key = SearchKey {
                created_at: query.thread.is_none().then_some(message.created_at),
                thread: message.chat_thread_id,
                position: message.position,
                org_id: finding.org_id().clone(),
            };
            if query.matches_filters(message) && read.contains(&key) {
                found.push((key, finding));
            }
        });
        if read.newest_first {
            found.sort_by(|(one, _), (other, _)| other.cmp(one));
        } else {
            found.sort_by(|(one, _), (other, _)| one.cmp(other));
        }
        found.into_iter().filter_map(|(_, finding)| finding.read()).take(read.limit).collect()
    }
}
