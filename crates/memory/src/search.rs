//! Search.

use std::future::poll_fn;
use std::task::Poll;

use async_trait::async_trait;
use chatkeep_domain::search::{CorruptCandidate, SearchCandidate, SearchDocument, SearchKey, SearchPlan};
use chatkeep_domain::{ChatMessage, MessageSearch, OrgId, Scope, SearchOrder, SearchPage, SearchQuery};

use crate::index::Place;
use crate::record::Result;
use crate::store::MemoryRepository;

/// How many messages are taken into the index before others get the lock.
const BATCH: usize = 1_000;

#[async_trait]
impl MessageSearch for MemoryRepository {
    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage> {
        let mut plan = SearchPlan::new(query)?;
        if let Some(thread) = query.thread {
            let key = self.key(scope, thread)?;
            self.state().get(scope, &key)?;
        }
        self.take_in(scope).await;
        // Each read goes on where the one before ended, until the text is read in another way.
        let (mut reading, mut keys) = (None, Vec::new().into_iter());
        while let Some(read) = plan.next_read() {
            if reading.replace(plan.reading()) != Some(plan.reading()) {
                keys = self.find(scope, query, &plan).into_iter();
            }
            let mut state = self.state();
            let wanted = keys.by_ref().filter(|key| read.contains(key));
            let found = wanted.filter_map(|key| {
                let record = state.org(&key.org_id)?.threads.get(&key.thread)?;
                let message = record.messages.get(&key.position)?.message.clone();
                Some(SearchCandidate::new(key.org_id, record.thread.name.clone(), message))
            });
            let batch: Vec<_> = found.take(read.limit).collect();
            drop(state);
            let opened: Vec<_> = batch.into_iter().map(|found| self.open_candidate(&plan, found)).collect();
            plan.add(opened);
        }
        plan.finish()
    }
}

impl MemoryRepository {
    /// Takes what was written before this call into the index, batch by batch. That only saves time, for a search finds what
    /// is pending as well: so it does not matter what others write or take in meanwhile.
    async fn take_in(&self, scope: &Scope) {
        let orgs = self.state().orgs(scope);
        for org in orgs {
            let pending = self.state().org(&org).and_then(|org| Some(org.index.as_ref()?.pending(None)));
            let pending: Vec<Place> = pending.into_iter().flatten().collect();
            for batch in pending.chunks(BATCH) {
                let messages: Vec<Option<ChatMessage>> = {
                    let mut state = self.state();
                    batch.iter().map(|place| state.org(&org)?.at(*place).cloned()).collect()
                };
                let documents: Vec<_> =
                    messages.iter().map(|message| self.document(&org, message.as_ref())).collect();
                if let Some(org) = self.state().org(&org) {
                    for ((place, message), document) in batch.iter().zip(&messages).zip(&documents) {
                        let is_current = org.at(*place) == message.as_ref();
                        if let (true, Ok(document), Some(index)) = (is_current, document, &mut org.index) {
                            index.take_in(*place, document);
                        }
                    }
                }
                pause().await;
            }
        }
    }

    /// The keys of all messages that may match, as they are at one moment, in the order of the reads.
    fn find(&self, scope: &Scope, query: &SearchQuery, plan: &SearchPlan<'_>) -> Vec<SearchKey> {
        let mut keys = Vec::new();
        let mut state = self.state();
        for id in state.orgs(scope) {
            let Some(org) = state.org(&id) else { continue };
            let found = plan.expr().zip(org.index.as_ref()).and_then(|(expr, index)| {
                Some(&index.find(expr, query.thread)? | &index.pending(query.thread))
            });
            let places = found.unwrap_or_else(|| org.places(query.thread));
            let seen = places.into_iter().filter_map(|(thread, position)| {
                let record = org.threads.get(&thread).filter(|record| record.is_in(scope))?;
                Some(&record.messages.get(&position)?.message)
            });
            let asked = seen.filter(|message| {
                self.matches(&(id.clone(), message.chat_thread_id), &query.filter, message)
            });
            keys.extend(asked.map(|message| {
                let created_at = query.thread.is_none().then_some(message.created_at);
                SearchKey::new(created_at, message.chat_thread_id, message.position, id.clone())
            }));
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
        let (key, place) = ((found.org_id.clone(), found.message.chat_thread_id), plan.key(&found));
        found.message =
            self.open_message(&key, found.message).map_err(|error| CorruptCandidate::new(place, error))?;
        Ok(found)
    }

    /// The words that the index is to have of a kept message.
    fn document(&self, org: &OrgId, kept: Option<&ChatMessage>) -> Result<SearchDocument> {
        let Some(kept) = kept else { return Ok(SearchDocument::default()) };
        let Some(codec) = &self.codec else { return Ok(SearchDocument::of(&kept.content)) };
        let message = self.open_message(&(org.clone(), kept.chat_thread_id), kept.clone())?;
        Ok(codec.document(&message.content).unwrap_or_default())
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
