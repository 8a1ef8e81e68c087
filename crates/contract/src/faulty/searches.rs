//! Faults of searches: how a query is read, and what is told of what was found.

use std::sync::Mutex;

use async_trait::async_trait;
use chatkeep_domain::search::SearchPlan;
use chatkeep_domain::{
    Append, ChatThread, ConversationRepository, Decorator, IdGenerator as _, InvalidArgument, MessageId,
    NewThread, Scope, SearchHit, SearchOrder, SearchPage, SearchQuery, SearchReading, StoreError,
    ThreadAppend, ThreadId, UuidV7Generator,
};
use chrono::TimeDelta;

use crate::faulty::{Answer, Fault, append_in_turn, count_cursor, counted, held};
use crate::fixture::Repo;
use crate::fixture::search::searching;

#[derive(Debug)]
pub(super) struct Searches {
    inner: Repo,
    fault: Fault,
    /// The first names of threads.
    names: Mutex<Vec<(ThreadId, String)>>,
    /// What the last append brought again.
    retried: Mutex<Vec<MessageId>>,
}

impl Searches {
    pub(super) fn new(inner: Repo, fault: Fault) -> Self {
        Self { inner, fault, names: Mutex::default(), retried: Mutex::default() }
    }

    /// What is made of a query.
    fn misread(&self, mut query: SearchQuery) -> SearchQuery {
        let words = || query.text.split_whitespace();
        let is_plain = !query.text.contains(['"', '(', '-']);
        match self.fault {
            Fault::OrsWords if is_plain => query.text = words().collect::<Vec<_>>().join(" OR "),
            Fault::IgnoresPhrases => query.text = query.text.replace('"', " "),
            Fault::IgnoresPrefixes => query.text = query.text.replace('*', ""),
            Fault::IgnoresExclusions if !query.text.contains(['"', '(']) => {
                let wanted: Vec<_> = words().filter(|word| !word.starts_with('-')).collect();
                if !wanted.is_empty() {
                    query.text = wanted.join(" ");
                }
            }
            Fault::ReadsOrAsAWord => query.text = query.text.replace(" OR ", " "),
            Fault::FindsTheEnd => {
                let until = query.filter.created.until;
                query.filter.created.until = until.map(|until| until + TimeDelta::microseconds(1));
            }
            Fault::RanksAlways if query.order == SearchOrder::Newest => query.order = SearchOrder::Relevance,
            Fault::FindsInEveryThread => query.thread = None,
            _ => {}
        }
        query
    }

    /// What is told of what was found.
    fn misreport(&self, hits: &mut Vec<SearchHit>) {
        match self.fault {
            Fault::RanksAlways => hits.iter_mut().for_each(|hit| hit.score = None),
            Fault::SortsHitsByPosition => hits.sort_by_key(|hit| std::cmp::Reverse(hit.message.position)),
            Fault::MarksCharacters => {
                for snippet in hits.iter_mut().map(|hit| &mut hit.snippet) {
                    let text = snippet.text.clone();
                    let chars = |byte: usize| text.char_indices().take_while(|(at, _)| *at < byte).count();
                    for range in &mut snippet.ranges {
                        *range = chars(range.start)..chars(range.end);
                    }
                }
            }
            Fault::KeepsFirstNames => {
                let names = self.names.lock().expect("no one panics here");
                for hit in hits {
                    if let Some((_, name)) = names.iter().find(|(id, _)| *id == hit.message.chat_thread_id) {
                        hit.thread_name.clone_from(name);
                    }
                }
            }
            Fault::IndexesRetriesTwice => {
                let retried = self.retried.lock().expect("no one panics here");
                let twice = hits.iter().filter(|hit| retried.contains(&hit.message.id)).cloned();
                let twice: Vec<_> = twice.collect();
                hits.extend(twice);
            }
            Fault::ScoresAtRandom => {
                for hit in hits {
                    let random = UuidV7Generator.message_id().as_uuid().as_u128() & 0xffff;
                    hit.score = hit.score.map(|score| score + f64::from(u16::try_from(random).unwrap_or(1)));
                }
            }
            Fault::NamesOneOrganization => {
                if let Some(first) = hits.first().map(|hit| hit.org_id.clone()) {
                    for hit in hits {
                        hit.org_id = first.clone();
                    }
                }
            }
            _ => {}
        }
    }

    /// What is found for a query.
    async fn misfind(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        let inner = searching(&self.inner);
        match self.fault {
            Fault::LimitsBeforeTenants => {
                SearchPlan::new(query)?;
                let mut page = inner.search_messages(&Scope::operator(), query).await?;
                let mut own = Vec::new();
                for hit in page.items {
                    let thread = self.inner.get_thread(scope, hit.message.chat_thread_id).await;
                    own.extend(thread.is_ok().then_some(hit));
                }
                page.items = own;
                Ok(page)
            }
            Fault::LimitsBeforeFilters => {
                let bare = with!(query.clone(), filter.metadata: Vec::new());
                let mut page = inner.search_messages(scope, &bare).await?;
                page.items.retain(|hit| query.filter.matches(&hit.message));
                Ok(page)
            }
            Fault::CountsInSearchCursors => self.search_by_count(scope, query.clone()).await,
            Fault::ForgetsTheReading if query.text.contains('-') => {
                self.search_by_count(scope, query.clone()).await
            }
            Fault::RefusesExclusionsAlone if SearchPlan::new(query)?.reading() == SearchReading::Text => {
                Err(InvalidArgument::new("text", "must ask for a word", "excluded words alone").into())
            }
            Fault::NeverReadsAsText => {
                let page = inner.search_messages(scope, query).await?;
                let is_given_up = page.reading != SearchPlan::new(query)?.reading();
                Ok(if is_given_up { SearchPage::empty() } else { page })
            }
            Fault::FindsNothingInAbsentThreads => match inner.search_messages(scope, query).await {
                Err(error) if error.is_not_found() => Ok(SearchPage::empty()),
                found => found,
            },
            Fault::FailsOnOddText if query.text.matches('"').count() % 2 == 1 => {
                Err(StoreError::backend("faulty", "syntax error in the query"))
            }
            _ => inner.search_messages(scope, query).await,
        }
    }

    async fn search_by_count(&self, scope: &Scope, mut query: SearchQuery) -> Result<SearchPage, StoreError> {
        let before = counted(query.cursor.as_ref()).unwrap_or(0);
        query.cursor = None;
        query.limit += before;
        let mut page = searching(&self.inner).search_messages(scope, &query).await?;
        page.next = page.next.map(|_| count_cursor(page.items.len()));
        page.items.drain(..before.min(page.items.len()));
        Ok(page)
    }
}

#[async_trait]
impl Decorator for Searches {
    fn inner(&self) -> &dyn ConversationRepository {
        &*self.inner
    }

    async fn create_thread(&self, scope: &Scope, new: NewThread) -> Result<ChatThread, StoreError> {
        let created = self.inner.create_thread(scope, new).await?;
        self.names.lock().expect("no one panics here").push((created.id, created.name.clone()));
        Ok(created)
    }

    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Answer {
        let held = held(&self.inner, scope, thread, &append).await;
        let retried = append.messages.iter().zip(held).filter(|(_, is_held)| *is_held);
        *self.retried.lock().expect("no one panics here") = retried.map(|(message, _)| message.id).collect();
        self.inner.append(scope, thread, append).await
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Answer> {
        append_in_turn(self, appends).await
    }

    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        let query = self.misread(query.clone());
        let mut page = self.misfind(scope, &query).await?;
        self.misreport(&mut page.items);
        if self.fault == Fault::NamesNoReading {
            page.reading = SearchReading::Query;
        }
        Ok(page)
    }
}
