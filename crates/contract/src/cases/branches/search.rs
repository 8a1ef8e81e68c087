//! Search in threads with branches.

use chatkeep_domain::{
    BranchId, Content, Entity, MessageFilter, MessageQuery, MetadataFilter, SearchOrder, SearchQuery,
    StoreError,
};
use serde_json::json;

use crate::cases::branches::reads::tree;
use crate::fixture::search::said;
use crate::fixture::{Fixture, Talk, message};

const MAIN: BranchId = BranchId::MAIN;

/// A thread whose messages are all found by "word".
async fn words(fixture: &Fixture) -> (Talk, BranchId) {
    let talk = fixture.tenant().talk().await;
    let say = |texts: &[&str]| texts.iter().map(|text| message(format!("word {text}"))).collect::<Vec<_>>();
    talk.say(say(&["0", "1", "2"])).await;
    let branch = talk.branch(MAIN, 2).await;
    talk.say_on(branch, say(&["a", "b"])).await;
    talk.say(say(&["3"])).await;
    (talk, branch)
}

/// The search of a thread, and that of a scope, finds the messages of all branches, each once, in the order of their positions.
pub(crate) async fn a_thread_is_searched_on_all_branches(fixture: Fixture) {
    let (talk, branch) = words(&fixture).await;
    let all = "word 0 / word 1 / word 2 / word a / word b / word 3";
    for text in ["word", ""] {
        let query = SearchQuery::new(text).order(SearchOrder::Oldest);
        assert_eq!(talk.tenant.found(&query.clone().thread(talk.id)).await, all, "of the thread");
        assert_eq!(talk.tenant.found(&query).await, all, "of the scope");
    }
    for limit in 1..4 {
        let query = SearchQuery::new("word").thread(talk.id).limit(limit);
        let read = talk.tenant.search_through(query, async |_| {}).await;
        assert_eq!(read, ["word 3", "word b", "word a", "word 2", "word 1", "word 0"], "by {limit}");
    }
    let hits = talk.tenant.hits(&SearchQuery::new("a").thread(talk.id)).await;
    assert_eq!(hits[0].message.branch, branch);
}

/// The search of a branch finds what it shows.
pub(crate) async fn a_branch_is_searched_for_what_it_shows(fixture: Fixture) {
    let (talk, branch) = words(&fixture).await;
    let (on_main, on_branch) =
        (["word 3", "word 2", "word 1", "word 0"], ["word b", "word a", "word 1", "word 0"]);
    for (on, shown) in [(MAIN, on_main), (branch, on_branch)] {
        for text in ["word", "", "word -7"] {
            for limit in [1, 3, 50] {
                let query = SearchQuery::new(text).thread(talk.id).branch(on).limit(limit);
                assert_eq!(
                    talk.tenant.search_through(query, async |_| {}).await,
                    shown,
                    "{text:?} on {on} by {limit}"
                );
            }
        }
        let ranked = SearchQuery::new("word").thread(talk.id).branch(on).order(SearchOrder::Relevance);
        let mut found = talk.tenant.search_through(ranked, async |_| {}).await;
        found.sort_unstable();
        let mut shown = shown.map(str::to_owned);
        shown.sort_unstable();
        assert_eq!(found, shown, "by relevance on {on}");
    }
    let (talk, first, second) = tree(&fixture).await;
    for (on, number) in [(MAIN, 10), (first, 9), (second, 10)] {
        let hits = talk.tenant.hits(&SearchQuery::new("").thread(talk.id).branch(on)).await;
        assert_eq!(said(&hits).len(), number, "on {on}");
    }
}

/// What went with a branch, was truncated or cleared is not found.
pub(crate) async fn what_is_removed_with_a_branch_is_not_found(fixture: Fixture) {
    let (talk, branch) = words(&fixture).await;
    talk.truncate(branch, 4).await.unwrap();
    assert_eq!(talk.tenant.found_by("b").await, "");
    talk.delete_branch(branch).await.unwrap();
    assert_eq!(talk.tenant.found_by("word").await, "word 0 / word 1 / word 2 / word 3");
}

/// A branch that is not there is not found; one without its thread is refused.
pub(crate) async fn an_absent_branch_is_not_searched(fixture: Fixture) {
    let (talk, _) = words(&fixture).await;
    for text in ["word", "nothing"] {
        for limit in [0, 5] {
            let query = SearchQuery::new(text).thread(talk.id).branch(BranchId::new(9)).limit(limit);
            let refused = talk.tenant.search(&query).await;
            assert_refused!(refused, StoreError::NotFound { entity: Entity::Branch, .. });
        }
    }
    let refused = talk.tenant.search(&SearchQuery::new("word").branch(MAIN)).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "branch");
}

/// A branch that starts ahead of everything shows its own messages alone, in searches and in lists by metadata too.
pub(crate) async fn a_branch_that_shares_nothing_is_searched(fixture: Fixture) {
    let (talk, _) = words(&fixture).await;
    let alone = talk.branch(MAIN, 0).await;
    let metadata = json!({"kind": "new"}).as_object().expect("an object").clone();
    let new = message(Content::from("word alone").with_metadata(metadata));
    talk.say_on(alone, [new, message("word more")]).await;
    for text in ["word", "", "word -7"] {
        let query = SearchQuery::new(text).thread(talk.id).branch(alone).order(SearchOrder::Oldest);
        assert_eq!(talk.tenant.found(&query).await, "word alone / word more", "{text:?}");
    }
    let main = SearchQuery::new("alone").thread(talk.id).branch(MAIN);
    assert_eq!(talk.tenant.found(&main).await, "");
    let filter = MessageFilter::new().metadata(MetadataFilter::new("/kind", "new").unwrap());
    for (branch, expected) in [(alone, 1), (MAIN, 0)] {
        let page = talk.page(&MessageQuery::newest(5).branch(branch).filter(filter.clone())).await.unwrap();
        assert_eq!(page.items.len(), expected, "on {branch}");
    }
}
