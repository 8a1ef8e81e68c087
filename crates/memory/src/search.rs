use async_trait::async_trait;
use chatkeep_domain::search::{SearchKey, SearchPlan};
use chatkeep_domain::{MessageSearch, Scope, SearchOrder, SearchPage, SearchQuery, StoreError};

use crate::MemoryRepository;
use crate::store::Finding;

#[async_trait]
impl MessageSearch for MemoryRepository {
    #[tracing::instrument(name = "db.message.search", skip_all)]
    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        let mut plan = SearchPlan::new(query)?;
        if let Some(thread) = query.thread {
            self.store.with(scope, thread, |_| Ok(()))?;
        }
        // Each read goes on where the one before ended, until the text is read in another way.
        let (mut reading, mut found) = (None, Vec::new().into_iter());
        while let Some(read) = plan.next_read() {
            if reading.replace(plan.reading()) != Some(plan.reading()) {
                found = self.find(scope, query, &plan).into_iter();
            }
            let found = found.by_ref().filter(|(key, _)| read.contains(key));
            plan.add(found.filter_map(|(_, finding)| finding.read()).take(read.limit).map(Ok));
        }
        plan.finish()
    }
}

impl MemoryRepository {
    /// What may match, in the order of the reads.
    fn find(&self, scope: &Scope, query: &SearchQuery, plan: &SearchPlan<'_>) -> Vec<(SearchKey, Finding)> {
        let mut found = Vec::new();
        self.store.find(scope, query.thread, plan.expr(), |finding, message| {
            if query.filter.matches(message) {
                let created_at = query.thread.is_none().then_some(message.created_at);
                let (thread, org) = (message.chat_thread_id, finding.org_id().clone());
                let key = SearchKey::new(created_at, thread, message.position, org);
                found.push((key, finding));
            }
        });
        found.sort_by(|(one, _), (other, _)| match query.order {
            SearchOrder::Oldest => one.cmp(other),
            _ => other.cmp(one),
        });
        found
    }
}
