//! Real text in 24 languages: every store finds what a plain scan of the same text finds.

#[path = "../common/mod.rs"]
mod common;

mod asks;
mod pasted;
mod scan;
mod text;

use std::collections::BTreeSet;

use chatkeep_contract::Repo;
use chatkeep_contract::fixture::search::searching;
use chatkeep_domain::{MAX_PAGE_LEN, MessageId, OrgId, Scope, SearchOrder, SearchQuery, ThreadId};
use scan::Ask;
use text::{LANGUAGES, Said};

/// A message, across threads.
type Place = (ThreadId, MessageId);

struct Stored {
    repo: Repo,
    all: Vec<Said>,
    acme: OrgId,
}

impl Stored {
    /// Two tenants hold the same texts, under the same ids.
    async fn new(repo: Repo) -> Self {
        let (acme, umbrella) = (OrgId::new("acme").expect("an id"), OrgId::new("umbrella").expect("an id"));
        let all = text::everything();
        text::store(&repo, &acme, &all).await;
        text::store(&repo, &umbrella, &all).await;
        Self { repo, all, acme }
    }

    fn scan(&self, ask: &Ask, is_seen: impl Fn(&Said) -> bool) -> BTreeSet<Place> {
        let scan = |ask: &Ask| -> BTreeSet<Place> {
            let sought = ask.sought();
            let found = self.all.iter().filter(|said| is_seen(said) && sought.is_in(&said.texts));
            found.map(|said| (text::thread_id(said.language), said.id)).collect()
        };
        let found = scan(ask);
        if found.is_empty() { ask.as_text().map(|ask| scan(&ask)).unwrap_or_default() } else { found }
    }

    /// Everything that is found, of all pages: the organization, and the message.
    async fn search(&self, scope: &Scope, text: &str) -> Vec<(OrgId, Place)> {
        let mut query = SearchQuery::new(text).limit(MAX_PAGE_LEN);
        let mut found = Vec::new();
        loop {
            let page = searching(&self.repo).search_messages(scope, &query).await;
            let page = page.unwrap_or_else(|error| panic!("{text}: {error}"));
            let hits = page.items.into_iter();
            found.extend(hits.map(|hit| (hit.org_id, (hit.message.chat_thread_id, hit.message.id))));
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return found,
            }
        }
    }

    /// What differs between the scan and the search, told for people.
    async fn difference(&self, ask: &Ask, scope: &Scope, expected: &BTreeSet<Place>) -> Option<String> {
        let text = ask.text();
        let hits = self.search(scope, &text).await;
        let found: BTreeSet<Place> = hits.iter().map(|(_, place)| *place).collect();
        let is_right = hits.len() == expected.len() && found == *expected;
        let is_own = hits.iter().all(|(org, _)| *org == self.acme);
        if is_right && is_own {
            return None;
        }
        let tell = |(thread, id): &Place| {
            let language = LANGUAGES[usize::try_from(thread.as_uuid().as_u128()).expect("a language")];
            format!("{language} line {}", (id.as_uuid().as_u128() & 0xffff) + 1)
        };
        let missed: Vec<_> = expected.difference(&found).map(tell).collect();
        let extra: Vec<_> = found.difference(expected).map(tell).collect();
        Some(format!("{text:?} ({} hits): missed {missed:?}, extra {extra:?}, own {is_own}", hits.len()))
    }

    async fn finds_what_the_scan_finds(&self) {
        let scope = Scope::org(self.acme.clone());
        let mut differences = Vec::new();
        let mut count = 0;
        for (number, language) in LANGUAGES.into_iter().enumerate() {
            let sampled = asks::sampled(language);
            assert!(sampled.len() >= 80, "{language}: {} terms", sampled.len());
            for (at, ask) in sampled.iter().enumerate() {
                count += 1;
                let expected = self.scan(ask, |_| true);
                // What stands in the text is found there: neither side is empty.
                assert!(at % 2 == 1 || !expected.is_empty(), "{language}: {ask:?}");
                differences
                    .extend(self.difference(ask, &scope, &expected).await.map(|told| (language, told)));
            }
            for (is_there, ask) in asks::by_hand(language) {
                count += 1;
                let expected = self.scan(&ask, |_| true);
                let is_here = expected.iter().any(|(thread, _)| *thread == text::thread_id(number));
                if is_here != is_there {
                    differences.push((language, format!("the scan finds {expected:?} of {:?}", ask.text())));
                }
                differences
                    .extend(self.difference(&ask, &scope, &expected).await.map(|told| (language, told)));
            }
        }
        println!("{count} searches, {} messages a tenant", self.all.len());
        assert!(differences.is_empty(), "{} of {count}: {differences:#?}", differences.len());
    }

    /// A user of the organization sees the threads that are the user's own, and the operator both tenants'.
    async fn shows_nobody_what_is_anothers(&self) {
        for (number, language) in LANGUAGES.iter().enumerate() {
            let ask = &asks::sampled(language)[0];
            let user = text::owner(number);
            let scope = Scope::user(self.acme.clone(), user.clone());
            let expected = self.scan(ask, |said| text::owner(said.language) == user);
            assert_eq!(self.difference(ask, &scope, &expected).await, None);
            let stranger = Scope::user(OrgId::new("globex").expect("an id"), user);
            assert_eq!(self.search(&stranger, &ask.text()).await, []);
            let of_all = self.search(&Scope::operator(), &ask.text()).await;
            assert_eq!(of_all.len(), 2 * self.scan(ask, |_| true).len(), "{}", ask.text());
        }
    }

    /// The order does not change what is found, and scores go down.
    async fn finds_the_same_in_every_order(&self) {
        let scope = Scope::org(self.acme.clone());
        for language in LANGUAGES {
            for ask in asks::sampled(language).iter().step_by(16) {
                let expected = self.scan(ask, |_| true);
                for order in [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance] {
                    let query = SearchQuery::new(ask.text()).order(order).limit(MAX_PAGE_LEN);
                    let hits =
                        searching(&self.repo).search_messages(&scope, &query).await.expect("hits").items;
                    let times: Vec<_> = hits.iter().map(|hit| hit.message.created_at).collect();
                    let scores: Vec<_> = hits.iter().filter_map(|hit| hit.score).collect();
                    match order {
                        SearchOrder::Newest => assert!(times.is_sorted_by(|one, other| one >= other)),
                        SearchOrder::Oldest => assert!(times.is_sorted()),
                        _ => {
                            assert!(scores.len() == hits.len() && scores.iter().all(|score| *score > 0.0));
                            assert!(scores.is_sorted_by(|one, other| one >= other));
                        }
                    }
                    let found: BTreeSet<Place> =
                        hits.iter().map(|hit| (hit.message.chat_thread_id, hit.message.id)).collect();
                    assert_eq!((hits.len(), found), (expected.len(), expected.clone()), "{}", ask.text());
                }
            }
        }
    }

    async fn is_right(repo: Repo) {
        let stored = Self::new(repo).await;
        stored.shows_nobody_what_is_anothers().await;
        stored.finds_what_the_scan_finds().await;
        stored.finds_the_same_in_every_order().await;
    }
}

#[tokio::test]
async fn corpus_in_memory() {
    Stored::is_right(common::memory()).await;
}

#[tokio::test]
async fn corpus_in_sqlite() {
    Stored::is_right(common::sqlite().await).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn corpus_in_postgres() {
    Stored::is_right(common::postgres().await).await;
}

#[tokio::test]
async fn pasted_searches_in_memory() {
    pasted::find_what_they_are_from(common::memory()).await;
}

#[tokio::test]
async fn pasted_searches_in_sqlite() {
    pasted::find_what_they_are_from(common::sqlite().await).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn pasted_searches_in_postgres() {
    pasted::find_what_they_are_from(common::postgres().await).await;
}
