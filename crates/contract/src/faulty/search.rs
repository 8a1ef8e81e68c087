use async_trait::async_trait;
use chatkeep_domain::search::SearchPlan;
use chatkeep_domain::{
    ConversationRepository, IdGenerator as _, InvalidArgument, MessageSearch, Scope, SearchHit, SearchOrder,
    SearchPage, SearchQuery, SearchReading, StoreError, UuidV7Generator,
};
use chrono::TimeDelta;

use super::corrupt_rows::{Of, having_looked};
use super::{Fault, Faulty, count_cursor, counted};

#[async_trait]
impl<R: ConversationRepository> MessageSearch for Faulty<R> {
    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        let scope = &match scope.org_id() {
            Some(org) if self.has(Fault::FindsForColleagues) => Scope::org(org.clone()),
            _ => self.reading(scope),
        };
        let query = self.misread(query.clone());
        if self.scans() {
            return self.scan(scope, &query).await;
        }
        let mut page = match self.fault {
            Fault::LimitsBeforeTenants => {
                SearchPlan::new(&query)?;
                let mut page = self.inner.search_messages(&Scope::operator(), &query).await?;
                let mut own = Vec::new();
                for hit in page.items {
                    let thread = self.inner.get_thread(scope, hit.message.chat_thread_id).await;
                    own.extend(thread.is_ok().then_some(hit));
                }
                page.items = own;
                page
            }
            Fault::LimitsBeforeFilters => {
                let bare = with!(query.clone(), filter.metadata: Vec::new());
                let mut page = self.inner.search_messages(scope, &bare).await?;
                page.items.retain(|hit| query.matches_filters(&hit.message));
                page
            }
            Fault::CountsInSearchCursors => self.search_by_count(scope, query).await?,
            Fault::ForgetsTheReading if query.text.contains('-') => {
                self.search_by_count(scope, query).await?
            }
            Fault::RefusesExclusionsAlone if SearchPlan::new(&query)?.reading() == SearchReading::Text => {
                return Err(
                    InvalidArgument::new("text", "must ask for a word", "excluded words alone").into()
                );
            }
            Fault::NeverReadsAsText => {
                let page = self.inner.search_messages(scope, &query).await?;
                let is_given_up = page.reading != SearchPlan::new(&query)?.reading();
                if is_given_up { SearchPage::empty() } else { page }
            }
            Fault::FindsNothingInAbsentThreads => {
                let found = self.inner.search_messages(scope, &query).await;
                if found.as_ref().is_err_and(StoreError::is_not_found) {
                    return Ok(SearchPage::empty());
                }
                found?
            }
            Fault::FailsOnOddText => {
                if query.text.matches('"').count() % 2 == 1 {
                    let source = std::io::Error::other("syntax error in the query");
                    return Err(StoreError::Backend { store: "faulty", source: source.into() });
                }
                self.inner.search_messages(scope, &query).await?
            }
            _ => {
                let mut found = self.inner.search_messages(scope, &query).await;
                let is_ranked = query.order == SearchOrder::Relevance;
                let of = if is_ranked { Of::RankedHits } else { Of::Hits };
                if let Some(cursor) = self.looks_at(of, &found, query.limit) {
                    found = having_looked(
                        found,
                        self.inner.search_messages(scope, &query.clone().behind(cursor)).await,
                    );
                }
                found?
            }
        };
        if self.has(Fault::NamesNoReading) {
            page.reading = SearchReading::Query;
        }
        self.misreport(&mut page.items);
        Ok(page)
    }
}

impl<R: ConversationRepository> Faulty<R> {
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
                query.created_until = query.created_until.map(|until| until + TimeDelta::microseconds(1));
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
                let retried = self.unindexed();
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

    async fn search_by_count(&self, scope: &Scope, mut query: SearchQuery) -> Result<SearchPage, StoreError> {
        let before = counted(query.cursor.as_ref()).unwrap_or(0);
        query.cursor = None;
        query.limit += before;
        let mut page = self.inner.search_messages(scope, &query).await?;
        page.next = page.next.map(|_| count_cursor(page.items.len()));
        page.items.drain(..before.min(page.items.len()));
        Ok(page)
    }
}
