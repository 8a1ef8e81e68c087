//! What a search outside the scope finds: nothing.

use chatkeep_domain::{
    MessageFilter, OrgId, Scope, SearchHit, SearchOrder, SearchQuery, StoreError, ThreadId,
};

use crate::fixture::search::{said, searching, tagged, with_metadata};
use crate::fixture::{Fixture, Repo, Tenant, at, message, thread_id};

const ORDERS: [SearchOrder; 3] = [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance];

async fn search_as(repo: &Repo, scope: &Scope, query: &SearchQuery) -> Vec<SearchHit> {
    searching(repo).search_messages(scope, query).await.expect("a page of a search").items
}

/// The same words of another user, and of another organization, are never found.
pub(crate) async fn the_words_of_others_are_never_found(fixture: Fixture) {
    let (ada, eve) = (fixture.tenant(), fixture.tenant());
    let namesake = Tenant::of(&fixture.repo, &format!("org-{}", thread_id()), ada.user.as_str());
    let tenants = [&ada, &ada.colleague(), &eve, &namesake];
    let metadata = serde_json::json!({"k": 1});
    for (number, tenant) in tenants.iter().enumerate() {
        tenant.says([with_metadata("the same words", &metadata)]).await;
        tenant.says([with_metadata(&format!("the same words {number}"), &metadata)]).await;
    }
    for (number, tenant) in tenants.iter().enumerate() {
        let own = format!("the same words {number}");
        for text in ["same", "\"same words\"", "sam*", "same OR words", "same -other", ""] {
            for order in ORDERS {
                for query in [
                    SearchQuery::new(text),
                    SearchQuery::new(text).filter(MessageFilter::new().metadata(tagged("/k", 1))),
                ] {
                    let hits = tenant.hits(&query.order(order)).await;
                    let mut found = said(&hits);
                    found.sort_unstable();
                    assert_eq!(found, ["the same words", &own], "{text:?} by {order:?} for {number}");
                    assert!(hits.iter().all(|hit| hit.org_id == tenant.org), "the organization of {number}");
                }
            }
        }
    }
}

/// The hits of others do not count towards a limit: with 50 newer and better ones of others, all three of one's own
/// are found.
pub(crate) async fn the_hits_of_others_take_no_place(fixture: Fixture) {
    let (ada, eve) = (fixture.tenant(), fixture.tenant());
    let bob = ada.colleague();
    let hers = ada.talk().await;
    let hit = |text: &str, second| with!(message(text), created_at: at(second));
    hers.say([
        hit("x and other words 1", 50),
        hit("x and other words 2", 51),
        hit("x and other words 3", 52),
    ])
    .await;
    for other in [&eve, &bob] {
        let talk = other.talk().await;
        talk.say((0..50).map(|number| hit("x", number))).await;
        talk.say((0..50).map(|number| hit("x", 100 + number))).await;
    }
    for text in ["x", "", "x*", "x OR y"] {
        for order in ORDERS {
            let page = ada.search(&SearchQuery::new(text).order(order).limit(3)).await.unwrap();
            assert_eq!((page.items.len(), page.next), (3, None), "{text:?} by {order:?}");
            let is_hers = page.items.iter().all(|hit| hit.message.chat_thread_id == hers.id);
            assert!(is_hers, "{text:?} by {order:?}: {:?}", said(&page.items));
        }
    }
}

/// A search in the thread of another is answered as for an absent thread, also with limit 0.
pub(crate) async fn a_search_in_a_thread_of_another_is_not_found(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.says(["x"]).await;
    for intruder in [ada.colleague(), fixture.tenant()] {
        intruder.says(["x"]).await;
        for limit in [0, 1] {
            for text in ["x", ""] {
                let query = SearchQuery::new(text).limit(limit);
                let told = async |thread: ThreadId| {
                    let refused = intruder.search(&query.clone().thread(thread)).await;
                    let Err(error) = refused else { panic!("a search in {thread} is answered") };
                    assert!(matches!(error, StoreError::NotFound { .. }), "{error:?}");
                    format!("{error} / {error:?}").replace(&thread.to_string(), "<thread>")
                };
                assert_eq!(told(talk.id).await, told(thread_id()).await);
            }
        }
    }
    assert_eq!(ada.found(&SearchQuery::new("x").thread(talk.id)).await, "x");
}

/// An organization finds the messages of all its users, and of no one else.
pub(crate) async fn an_organization_finds_the_messages_of_its_users(fixture: Fixture) {
    let (ada, eve) = (fixture.tenant(), fixture.tenant());
    let bob = ada.colleague();
    let hers = ada.says(["x of ada"]).await;
    bob.says(["x of bob"]).await;
    eve.says(["x of eve"]).await;
    for text in ["x", ""] {
        for order in ORDERS {
            let query = SearchQuery::new(text).order(order);
            let hits = search_as(&fixture.repo, &ada.org_scope(), &query).await;
            let mut found = said(&hits);
            found.sort_unstable();
            assert_eq!(found, ["x of ada", "x of bob"], "{text:?} by {order:?}");
        }
    }
    let in_hers = SearchQuery::new("x").thread(hers.id);
    assert_eq!(said(&search_as(&fixture.repo, &ada.org_scope(), &in_hers).await), ["x of ada"]);
    let refused = searching(&fixture.repo).search_messages(&eve.org_scope(), &in_hers).await;
    assert_refused!(refused, StoreError::NotFound { .. });
}

/// The operator finds the messages of every organization, each with the organization that it is of.
pub(crate) async fn the_operator_finds_every_organization(fixture: Fixture) {
    let (ada, eve) = (fixture.tenant(), fixture.tenant());
    // A word that no other case says.
    let word = format!("w{}", thread_id().to_string().replace('-', ""));
    for tenant in [&ada, &eve] {
        tenant.says([format!("{word} of {}", tenant.org)]).await;
    }
    for order in ORDERS {
        let hits = search_as(&fixture.repo, &Scope::operator(), &SearchQuery::new(&word).order(order)).await;
        assert_eq!(hits.len(), 2, "{order:?}");
        for hit in &hits {
            assert_eq!(hit.message.content.as_text().unwrap(), format!("{word} of {}", hit.org_id));
        }
        let mut orgs: Vec<&OrgId> = hits.iter().map(|hit| &hit.org_id).collect();
        orgs.sort();
        let mut expected = vec![&ada.org, &eve.org];
        expected.sort();
        assert_eq!(orgs, expected, "{order:?}");
    }
}

/// Two organizations may use the same ids: each finds its own, the operator both, page by page, and is refused a search
/// in a thread that may be either.
pub(crate) async fn the_same_ids_are_found_in_each_organization(fixture: Fixture) {
    let (ada, eve) = (fixture.tenant(), fixture.tenant());
    let word = format!("w{}", thread_id().to_string().replace('-', ""));
    let new = ada.new_thread();
    let hers = ada.talk_from(new.clone()).await;
    let theirs = eve.talk_from(with!(eve.new_thread(), id: new.id)).await;
    // A moment that no other case has: without words, the operator finds what was said then and nothing else.
    let random = thread_id().as_uuid().as_u128() % 30_000_000_000;
    let moment = 10_000_000_000 + i64::try_from(random).expect("a few centuries");
    for number in 0..3 {
        let one = with!(message(format!("{word} ada {number}")), created_at: at(moment));
        let same = with!(message(format!("{word} eve {number}")), id: one.id, created_at: at(moment));
        hers.say([one]).await;
        theirs.say([same]).await;
    }
    for (tenant, name) in [(&ada, "ada"), (&eve, "eve")] {
        let query = SearchQuery::new(&word).thread(new.id).order(SearchOrder::Oldest);
        let found = tenant.found(&query).await.replace(&word, "").replace(name, "");
        assert_eq!(found, "  0 /   1 /   2", "found by {name}");
    }
    let then = MessageFilter::new().created(at(moment), at(moment + 1));
    let queries = [SearchQuery::new(&word), SearchQuery::new("").filter(then)];
    for (order, query) in ORDERS.into_iter().flat_map(|order| queries.iter().map(move |query| (order, query)))
    {
        let mut query = query.clone().order(order).limit(1);
        let mut read = Vec::new();
        loop {
            let page = searching(&fixture.repo).search_messages(&Scope::operator(), &query).await.unwrap();
            read.extend(page.items.into_iter().map(|hit| (hit.org_id, hit.message.position)));
            let Some(next) = page.next else { break };
            query = query.behind(next);
            assert!(read.len() < 20, "the pages have no end");
        }
        let count = read.len();
        read.sort();
        read.dedup();
        assert_eq!((count, read.len()), (6, 6), "hits and distinct hits of {query:?}");
    }
    let refused = searching(&fixture.repo)
        .search_messages(&Scope::operator(), &SearchQuery::new(&word).thread(new.id))
        .await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "thread_id");
}

/// Owners are compared byte by byte in a search too.
pub(crate) async fn a_search_compares_owners_byte_by_byte(fixture: Fixture) {
    let org = format!("org-{}", thread_id());
    let spellings =
        ["ada", "Ada", "ada ", "ad\u{e1}", "ada\u{301}", "ada%", "ad_", "ａｄａ", "ada OR bob", "'ada'"];
    let tenants = spellings.map(|user| Tenant::of(&fixture.repo, &org, user));
    for tenant in &tenants {
        tenant.says([format!("x of {}", tenant.user)]).await;
    }
    let other_org = Tenant::of(&fixture.repo, &org.to_uppercase(), "ada");
    other_org.says(["x of another organization"]).await;
    for tenant in &tenants {
        for text in ["x", ""] {
            assert_eq!(tenant.found_by(text).await, format!("x of {}", tenant.user), "{text:?}");
        }
    }
    assert_eq!(other_org.found_by("x").await, "x of another organization");
}

/// The words of owners are no words of their messages.
pub(crate) async fn owners_are_not_searched(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["x"]).await;
    for text in [ada.org.as_str(), "ada", "org", "a thread", "thread", "user", "o1"] {
        assert_eq!(ada.found_by(text).await, "", "found by {text:?}");
    }
    assert_eq!(ada.found_by("x -ada").await, "x");
}
