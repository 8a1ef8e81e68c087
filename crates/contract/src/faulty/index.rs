//! Faults of the index of a search: what it holds, and since when.

use std::sync::Mutex;

use async_trait::async_trait;
use chatkeep_domain::search::{SearchCandidate, SearchPlan, fold_text};
use chatkeep_domain::{
    Append, ChatMessage, Content, ConversationRepository, Decorator, MessageEdit, MessageId, Removal, Scope,
    SearchPage, SearchQuery, StoreError, ThreadAppend, ThreadId, Version,
};
use serde_json::Value;

use crate::faulty::scan::{candidates, candidates_of, search_among};
use crate::faulty::{Answer, Fault, GAP};
use crate::fixture::Repo;

#[derive(Debug)]
pub(super) struct Index {
    inner: Repo,
    fault: Fault,
    /// What is deleted, and found all the same by this scope.
    gone: Mutex<Vec<(Scope, SearchCandidate)>>,
    /// What is stored, and not found yet.
    missing: Mutex<Vec<MessageId>>,
}

impl Index {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault, gone: Mutex::default(), missing: Mutex::default() }
    }

    /// Keeps in the index what is deleted now: a message, or all of the thread.
    async fn keep(&self, scope: &Scope, thread: ThreadId, id: Option<MessageId>) {
        let kept = candidates_of(&self.inner, scope, thread).await.into_iter();
        let kept = kept.filter(|kept| id.is_none_or(|id| kept.message.id == id));
        self.gone.lock().expect("no one panics here").extend(kept.map(|kept| (scope.clone(), kept)));
    }

    fn set_missing(&self, ids: impl IntoIterator<Item = MessageId>) {
        *self.missing.lock().expect("no one panics here") = ids.into_iter().collect();
    }

    /// What the index holds of a message.
    async fn indexed(&self, scope: &Scope, message: &ChatMessage) -> Result<Content, StoreError> {
        let content = &message.content;
        let parts = content.get("parts").and_then(Value::as_array);
        let indexed = match self.fault {
            Fault::ForgetsToReindex => {
                let revisions = self.inner.list_revisions(scope, message.chat_thread_id, message.id).await?;
                revisions.first().map(|first| first.content.clone())
            }
            Fault::IndexesTheFirstPart => {
                parts.and_then(|parts| Content::from_value(parts.first()?.clone()).ok())
            }
            Fault::JoinsParts => parts.map(|_| Content::text(content.to_plain_text())),
            Fault::IndexesMetadata => Some(Content::text(Value::from(content.clone()).to_string())),
            Fault::ComparesCase | Fault::ComparesDiacritics => {
                content.as_text().map(|text| Content::text(self.told_apart(text)))
            }
            Fault::IndexesInLowerCase => content.as_text().map(|text| Content::text(text.to_lowercase())),
            _ => None,
        };
        Ok(indexed.unwrap_or_else(|| content.clone()))
    }

    /// Text in which the letters differ that are to be the same.
    fn told_apart(&self, text: &str) -> String {
        let is_told_apart = |c: char| match self.fault {
            Fault::ComparesCase => c.is_ascii_uppercase(),
            Fault::ComparesDiacritics => !c.is_ascii() && c.is_alphabetic(),
            _ => false,
        };
        let letter = |c: char| if is_told_apart(c) { format!("qq{}qq", u32::from(c)) } else { c.to_string() };
        let word =
            |word: &str| if word == "OR" { word.to_owned() } else { word.chars().map(letter).collect() };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }

    /// What the index holds for this scope, each beside what is stored.
    async fn entries(&self, scope: &Scope) -> Result<Vec<(SearchCandidate, Content)>, StoreError> {
        let gone = self.gone.lock().expect("no one panics here").clone().into_iter();
        let mut stored: Vec<_> = gone.filter(|(of, _)| of == scope).map(|(_, gone)| gone).collect();
        stored.extend(candidates(&self.inner, scope).await?);
        let missing = self.missing.lock().expect("no one panics here").clone();
        stored.retain(|candidate| !missing.contains(&candidate.message.id));
        let mut entries = Vec::new();
        for candidate in stored {
            let indexed = self.indexed(scope, &candidate.message).await?;
            entries.push((candidate, indexed));
        }
        Ok(entries)
    }
}

#[async_trait]
impl Decorator for Index {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Answer {
        let stored = self.inner.append(scope, thread, append).await?;
        if self.fault == Fault::IndexesLazily {
            self.set_missing(stored.messages.iter().map(|message| message.id));
        }
        Ok(stored)
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Answer> {
        let answers = self.inner.append_each(appends).await;
        if self.fault == Fault::ForgetsToIndexCalls {
            self.set_missing(
                answers.iter().flatten().flat_map(|answer| &answer.messages).map(|message| message.id),
            );
        }
        answers
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        if self.fault == Fault::RemovesBeforeIndexing {
            self.set_missing([id]);
            tokio::time::sleep(GAP).await;
        }
        let edited = self.inner.edit_message(scope, thread, id, edit).await;
        self.set_missing([]);
        edited
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        removal: Removal,
    ) -> Result<(), StoreError> {
        if self.fault == Fault::FindsDeleted {
            self.keep(scope, thread, Some(id)).await;
        }
        self.inner.delete_message(scope, thread, id, removal).await
    }

    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        if self.fault == Fault::FindsCleared {
            self.keep(scope, thread, None).await;
        }
        self.inner.clear_messages(scope, thread, removal).await
    }

    async fn delete_thread(
        &self,
        scope: &Scope,
        id: ThreadId,
        expect_version: Option<Version>,
    ) -> Result<u64, StoreError> {
        if self.fault == Fault::FindsDeletedThreads {
            self.keep(scope, id, None).await;
        }
        self.inner.delete_thread(scope, id, expect_version).await
    }

    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        let mut query = query.clone();
        let stem = query.text.strip_suffix('*').map(fold_text);
        let stem = stem.filter(|_| self.fault == Fault::FindsPrefixesInside);
        if stem.is_some() {
            query.text.clear();
        }
        query.text = self.told_apart(&query.text);
        let plan = SearchPlan::new(&query)?;
        if let Some(thread) = query.thread {
            self.inner.get_thread(scope, thread).await?;
        }
        let mut entries = self.entries(scope).await?;
        let holds = |text: String| stem.as_ref().is_none_or(|stem| fold_text(&text).contains(stem));
        entries.retain(|(_, indexed)| holds(indexed.to_plain_text()));
        let indexed =
            entries.iter().map(|(stored, indexed)| with!(stored.clone(), message.content: indexed.clone()));
        let mut page = search_among(plan, indexed.collect(), |_, found| Some(Ok(found.clone())))?;
        for hit in &mut page.items {
            let mut entries = entries.iter().map(|(stored, _)| stored);
            let is_hit =
                |one: &&SearchCandidate| one.org_id == hit.org_id && one.message.id == hit.message.id;
            if let Some(stored) = entries.find(is_hit) {
                hit.message = stored.message.clone();
            }
        }
        Ok(page)
    }
}
