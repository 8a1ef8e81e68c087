//! Search.

use std::future::poll_fn;
use std::task::Poll;

use async_trait::async_trait;
use chatkeep_domain::search::{CorruptCandidate, SearchCandidate, SearchDocument, SearchKey, SearchPlan};
use chatkeep_domain::{ChatMessage, MessageSearch, OrgId, Scope, SearchOrder, SearchPage, SearchQuery};

use crate::record::{Result, Stored};
use crate::store::MemoryRepository;

/// How many messages are taken into the index before others get the lock.
const BATCH: usize = 1_000;

#[async_trait]
impl MessageSearch for MemoryRepository {
    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage> {
        let mut plan = SearchPlan::new(query)?;
        if let Some(thread) = query.thread {
            let org = self.org_of(scope, thread)?;
            self.state().get(scope, &org, thread)?.line(query.branch.unwrap_or_default())?;
        }
        self.take_in(scope).await;
        // Each read goes on where the one before ended, until the text is read in another way.
        let (mut reading, mut keys) = (None, Vec::new().into_iter());
        while let Some(read) = plan.next_read() {
            if reading.replace(plan.reading()) != Some(plan.reading()) {
                keys = self.find(scope, query, &plan).into_iter();
            }
            let state = self.state();
            let wanted = keys.by_ref().filter(|key| read.contains(key));
            let found: Vec<_> =
                wanted.filter_map(|key| state.candidate(scope, key)).take(read.limit).collect();
            drop(state);
            let opened: Vec<_> = found.into_iter().map(|found| self.open_candidate(&plan, found)).collect();
            plan.add(opened);
        }
        plan.finish()
    }
}

impl MemoryRepository {
    /// Takes what was written before this call into the index. It only saves time, for a search reads what is pending too:
    /// so it does not matter what others write or take in meanwhile.
    async fn take_in(&self, scope: &Scope) {
        let behind = self.state().behind(scope);
        for org in behind {
            let renewed = self.state().renew(&org);
            let Some((_, until)) = renewed else { continue };
            loop {
                let batch = self.state().pending(&org, until, BATCH);
                let count = batch.len();
                let mut taken: Vec<_> =
                    batch.into_iter().map(|(place, kept)| (place, self.document(&org, kept))).collect();
                // Neighbours in the index are quick to take in, one after the other.
                taken.sort_unstable_by_key(|(place, _)| *place);
                self.state().take_in(&org, &taken);
                if count < BATCH {
                    break;
                }
                pause().await;
            }
        }
    }

    /// The keys of the messages that may match, as they are at one moment, in the order of the reads.
    fn find(&self, scope: &Scope, query: &SearchQuery, plan: &SearchPlan<'_>) -> Vec<SearchKey> {
        let state = self.state();
        let mut keys = Vec::new();
        let path = query.branch.and_then(|branch| state.path(scope, query.thread?, branch));
        for (org, Stored { message, .. }) in state.candidates(scope, query.thread, plan.expr()) {
            let is_shown = query.branch.is_none()
                || path.is_some_and(|path| path.contains(message.branch, message.position));
            if is_shown && self.matches(org, &query.filter, message) {
                let created_at = query.thread.is_none().then_some(message.created_at);
                keys.push(SearchKey::new(created_at, message.chat_thread_id, message.position, org.clone()));
            }
        }
        match query.order {
            SearchOrder::Oldest => keys.sort_unstable(),
            _ => keys.sort_unstable_by(|one, other| other.cmp(one)),
        }
        keys
    }

    /// A candidate as the plan takes it.
    fn open_candidate(
        &self,
        plan: &SearchPlan<'_>,
        mut found: SearchCandidate,
    ) -> std::result::Result<SearchCandidate, Box<CorruptCandidate>> {
        let key = plan.key(&found);
        let opened = self.open_message(&found.org_id, found.message);
        found.message = opened.map_err(|error| Box::new(CorruptCandidate::new(key, error)))?;
        Ok(found)
    }

    /// The words of a kept message: none of one that is gone, or that the codec keeps out of the index. `None`: it cannot be
    /// opened.
    fn document(&self, org: &OrgId, kept: Option<ChatMessage>) -> Option<SearchDocument> {
        let Some(kept) = kept else { return Some(SearchDocument::default()) };
        let Some(codec) = &self.codec else { return Some(SearchDocument::of(&kept.content)) };
        let message = self.open_message(org, kept).ok()?;
        Some(codec.document(&message.content).unwrap_or_default())
    }
}

/// Lets other tasks go on.
async fn pause() {
    let mut is_over = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut is_over, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
