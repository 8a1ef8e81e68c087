//! A search without an index, over what an index that is wrong would hold.

use std::cmp::Reverse;

use chatkeep_domain::search::{SearchCandidate, SearchPlan, fold_text};
use chatkeep_domain::{
    ChatMessage, ChatThread, Content, ConversationRepository, MessageId, MessageQuery, Scope, SearchPage,
    SearchQuery, StoreError, ThreadQuery,
};
use serde_json::Value;

use super::{Fault, Faulty};

/// A message that is gone, and who could see it.
#[derive(Debug)]
pub(super) struct Gone {
    scope: Scope,
    candidate: SearchCandidate,
}

impl<R: ConversationRepository> Faulty<R> {
    /// Whether the fault is in the index.
    pub(super) fn scans(&self) -> bool {
        matches!(
            self.fault,
            Fault::ForgetsToReindex
                | Fault::FindsDeleted
                | Fault::FindsCleared
                | Fault::FindsDeletedThreads
                | Fault::IndexesTheFirstPart
                | Fault::JoinsParts
                | Fault::IndexesMetadata
                | Fault::ComparesCase
                | Fault::ComparesDiacritics
                | Fault::FindsPrefixesInside
                | Fault::ForgetsToIndexCalls
                | Fault::IndexesLazily
                | Fault::RemovesBeforeIndexing
                | Fault::IndexesInLowerCase
        )
    }

    pub(super) async fn scan(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        let mut query = query.clone();
        let stem = query.text.strip_suffix('*').map(fold_text);
        if self.has(Fault::FindsPrefixesInside) && stem.is_some() {
            query.text.clear();
        }
        query.text = self.fold(&query.text);
        let mut plan = SearchPlan::new(&query)?;
        if let Some(thread) = query.thread {
            self.inner.get_thread(scope, thread).await?;
        }
        let mut stored = self.gone_from(scope);
        stored.extend(candidates(&self.inner, scope).await?);
        let mut indexed = Vec::new();
        for candidate in &stored {
            if !self.unindexed().contains(&candidate.message.id) {
                let mut candidate = candidate.clone();
                candidate.message.content = self.indexed(scope, &candidate.message).await?;
                indexed.push(candidate);
            }
        }
        if let (Fault::FindsPrefixesInside, Some(stem)) = (self.fault, &stem) {
            let holds = |message: &ChatMessage| fold_text(&message.content.to_plain_text()).contains(stem);
            indexed.retain(|candidate| holds(&candidate.message));
        }
        indexed.sort_by_cached_key(|candidate| Reverse(plan.key(candidate)));
        while let Some(read) = plan.next_read() {
            let mut page: Vec<_> =
                indexed.iter().filter(|candidate| read.contains(&plan.key(candidate))).cloned().collect();
            if !read.newest_first {
                page.reverse();
            }
            page.truncate(read.limit);
            plan.add(page.into_iter().map(Ok));
        }
        let mut page = plan.finish()?;
        for hit in &mut page.items {
            let is_hit =
                |one: &&SearchCandidate| one.org_id == hit.org_id && one.message.id == hit.message.id;
            if let Some(found) = stored.iter().find(is_hit) {
                hit.message = found.message.clone();
            }
        }
        Ok(page)
    }

    /// What is gone and still in the index.
    fn gone_from(&self, scope: &Scope) -> Vec<SearchCandidate> {
        let gone = self.gone.lock().expect("no one panics here");
        let gone = gone.iter().filter(|gone| gone.scope == *scope);
        gone.map(|gone| gone.candidate.clone()).collect()
    }

    /// What the index holds of a message.
    async fn indexed(&self, scope: &Scope, message: &ChatMessage) -> Result<Content, StoreError> {
        let content = &message.content;
        let parts = content.get("parts").and_then(Value::as_array);
        let indexed = match self.fault {
            Fault::ForgetsToReindex => {
                let revisions = self.inner.list_revisions(scope, message.chat_thread_id, message.id).await?;
                revisions.first().map_or_else(|| content.clone(), |first| first.content.clone())
            }
            Fault::IndexesTheFirstPart => {
                let first = parts.and_then(|parts| Content::from_value(parts.first()?.clone()).ok());
                first.unwrap_or_else(|| content.clone())
            }
            Fault::JoinsParts if parts.is_some() => Content::text(content.to_plain_text()),
            Fault::IndexesMetadata => Content::text(Value::from(content.clone()).to_string()),
            Fault::ComparesCase | Fault::ComparesDiacritics => {
                content.as_text().map_or_else(|| content.clone(), |text| Content::text(self.fold(text)))
            }
            Fault::IndexesInLowerCase => {
                content.as_text().map_or_else(|| content.clone(), |text| Content::text(text.to_lowercase()))
            }
            _ => content.clone(),
        };
        Ok(indexed)
    }

    /// Text in which the letters differ that are to be the same.
    fn fold(&self, text: &str) -> String {
        let is_told_apart = |c: char| match self.fault {
            Fault::ComparesCase => c.is_ascii_uppercase(),
            Fault::ComparesDiacritics => !c.is_ascii() && c.is_alphabetic(),
            _ => false,
        };
        let fold = |c: char| if is_told_apart(c) { format!("qq{}qq", u32::from(c)) } else { c.to_string() };
        let fold_word =
            |word: &str| if word == "OR" { word.to_owned() } else { word.chars().map(fold).collect() };
        text.split(' ').map(fold_word).collect::<Vec<_>>().join(" ")
    }

    /// Keeps in the index what is deleted now.
    pub(super) async fn keep(&self, scope: &Scope, thread: chatkeep_domain::ThreadId, id: Option<MessageId>) {
        let Ok(thread) = self.inner.get_thread(scope, thread).await else { return };
        let Ok(messages) = messages(&self.inner, scope, &thread).await else { return };
        let kept = messages.into_iter().filter(|kept| id.is_none_or(|id| kept.message.id == id));
        let kept = kept.map(|candidate| Gone { scope: scope.clone(), candidate });
        self.gone.lock().expect("no one panics here").extend(kept);
    }

    /// What the index does not hold yet.
    pub(super) fn unindexed(&self) -> Vec<MessageId> {
        self.unindexed.lock().expect("no one panics here").clone()
    }

    /// Sets that.
    pub(super) fn set_unindexed(&self, ids: Vec<MessageId>) {
        *self.unindexed.lock().expect("no one panics here") = ids;
    }
}

/// All messages of the scope.
pub(super) async fn candidates(
    store: &impl ConversationRepository,
    scope: &Scope,
) -> Result<Vec<SearchCandidate>, StoreError> {
    let (mut query, mut found) = (ThreadQuery::first(1_000), Vec::new());
    loop {
        let page = store.list_threads(scope, &query).await?;
        for thread in &page.items {
            found.extend(messages(store, scope, thread).await?);
        }
        let Some(next) = page.next else { return Ok(found) };
        query = query.behind(next);
    }
}

async fn messages(
    store: &impl ConversationRepository,
    scope: &Scope,
    thread: &ChatThread,
) -> Result<Vec<SearchCandidate>, StoreError> {
    let (mut query, mut read) = (MessageQuery::first(1_000), Vec::new());
    loop {
        let page = store.list_messages(scope, thread.id, &query).await?;
        read.extend(page.items.into_iter().map(|message| SearchCandidate {
            org_id: thread.org_id.clone(),
            thread_name: thread.name.clone(),
            message,
        }));
        let Some(next) = page.next else { return Ok(read) };
        query = query.behind(next);
    }
}
