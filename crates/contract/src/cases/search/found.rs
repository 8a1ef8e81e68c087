//! What a search gives for what it found: the order, the scores, the limit.

use chatkeep_domain::{
    MAX_PAGE_LEN, MAX_RANKED, NewMessage, Role, SearchHit, SearchOrder, SearchQuery, StoreError, Timestamp,
};

use crate::fixture::search::said;
use crate::fixture::{Fixture, Talk, Tenant, at, message, message_id, thread_id};

const ORDERS: [SearchOrder; 3] = [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance];

async fn say_at(talk: &Talk, text: &str, created_at: Timestamp) {
    talk.say([NewMessage::new(message_id(), Role::User, text, created_at)]).await;
}

/// Across threads the newest hits come first, by when they were created; `Oldest` is the other way round.
pub(crate) async fn hits_of_many_threads_are_sorted_by_time(fixture: Fixture) {
    let ada = fixture.tenant();
    let (one, two) = (ada.talk().await, ada.talk().await);
    for (talk, text, second) in [
        (&one, "x d", 40),
        (&two, "x a x x", 10),
        (&one, "x b and more", 20),
        (&two, "x c x", 30),
        (&two, "none", 50),
    ] {
        say_at(talk, text, at(second)).await;
    }
    assert_eq!(ada.found(&SearchQuery::new("x")).await, "x d / x c x / x b and more / x a x x");
    assert_eq!(ada.found_by("x").await, "x a x x / x b and more / x c x / x d");
    assert_eq!(ada.found(&SearchQuery::new("x").limit(2)).await, "x d / x c x");
}

/// Of equal times, the greatest thread id is the newest, then the greatest position.
pub(crate) async fn hits_of_equal_times_are_sorted_by_thread_and_position(fixture: Fixture) {
    let ada = fixture.tenant();
    let mut ids = [thread_id(), thread_id(), thread_id()];
    ids.sort();
    let mut talks = Vec::new();
    // The least id is created last.
    for id in ids.into_iter().rev() {
        talks.push(ada.talk_from(with!(ada.new_thread(), id)).await);
    }
    for number in 0..2 {
        for (talk, name) in talks.iter().zip(["c", "b", "a"]) {
            talk.say([message(format!("x {name}{number}"))]).await;
        }
    }
    assert_eq!(ada.found_by("x").await, "x a0 / x a1 / x b0 / x b1 / x c0 / x c1");
    assert_eq!(ada.found(&SearchQuery::new("x")).await, "x c1 / x c0 / x b1 / x b0 / x a1 / x a0");
}

/// Within one thread the position alone decides, whatever the times.
pub(crate) async fn hits_of_one_thread_are_sorted_by_position(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk().await;
    for (text, second) in [("x first", 30), ("x second", 10), ("x third", 20)] {
        say_at(&talk, text, at(second)).await;
    }
    let query = SearchQuery::new("x").thread(talk.id);
    assert_eq!(ada.found(&query).await, "x third / x second / x first");
    assert_eq!(ada.found(&query.order(SearchOrder::Oldest)).await, "x first / x second / x third");
    assert_eq!(ada.found_by("x").await, "x second / x third / x first", "across threads the time decides");
}

/// The better a message fits, the earlier it comes: it has the words more often, it is shorter, they are nearer to
/// its start.
pub(crate) async fn the_best_hits_come_first(fixture: Fixture) {
    for (better, worse) in [
        ("x a x b x c d e f", "x a y b z c d e f"),
        ("x a", "x a b c d e f g h i j k l m n o p q r s t u v"),
        ("x a b c d e f g h i j k", "a b c d e f g h i j k x"),
    ] {
        for both in [[better, worse], [worse, better]] {
            let ada = fixture.tenant();
            ada.says(both).await;
            let hits = ada.hits(&SearchQuery::new("x").order(SearchOrder::Relevance)).await;
            assert_eq!(said(&hits), [better, worse]);
            assert!(hits[0].score > hits[1].score, "{:?} of {better:?}, {:?}", hits[0].score, hits[1].score);
        }
    }
}

/// Hits of equal scores come newest first.
pub(crate) async fn equal_scores_come_newest_first(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk().await;
    for (text, second) in [("x b", 20), ("x d", 40), ("x a", 10), ("x c", 30)] {
        say_at(&talk, text, at(second)).await;
    }
    let query = SearchQuery::new("x").order(SearchOrder::Relevance);
    assert_eq!(ada.found(&query).await, "x d / x c / x b / x a");
    assert_eq!(ada.found(&query.thread(talk.id)).await, "x c / x a / x d / x b", "by position in one thread");
}

/// Hits have a score greater than 0 where the order is relevance and there are words, and else none.
pub(crate) async fn scores_are_given_for_relevance_alone(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["tea", "tea with a lot of milk and sugar", "coffee"]).await;
    for text in ["tea", "te*", "tea OR coffee", "tea -milk", "\"tea with\"", ""] {
        for order in ORDERS {
            let hits = ada.hits(&SearchQuery::new(text).order(order)).await;
            assert!(!hits.is_empty(), "{text:?} is found");
            let is_scored = order == SearchOrder::Relevance && !text.is_empty();
            for hit in &hits {
                assert_eq!(hit.score.is_some(), is_scored, "{text:?} by {order:?}: {:?}", hit.score);
                assert!(hit.score.is_none_or(|score| score > 0.0 && score.is_finite()), "{:?}", hit.score);
            }
            assert!(hits.is_sorted_by(|one, next| one.score >= next.score), "{text:?} by {order:?}");
        }
    }
    let without_words = SearchQuery::default().order(SearchOrder::Relevance);
    assert_eq!(
        ada.hits(&without_words).await,
        ada.hits(&SearchQuery::default()).await,
        "without words, the newest"
    );
}

/// A score depends on the message and the query alone, not on what else is stored.
pub(crate) async fn a_score_depends_on_the_message_alone(fixture: Fixture) {
    let (ada, eve) = (fixture.tenant(), fixture.tenant());
    let text = "some apple pie for the apple man";
    ada.says([text]).await;
    eve.says(["apple", "apple apple", "pie", text, "an unrelated one", "apple pie"]).await;
    for words in ["apple", "apple pie", "\"apple pie\"", "apple OR plum", "app*"] {
        let query = SearchQuery::new(words).order(SearchOrder::Relevance);
        let score = async |tenant: &Tenant| {
            let hits = tenant.hits(&query).await;
            hits.iter().find(|hit| hit.message.content.as_text() == Some(text)).expect("the hit").score
        };
        assert_eq!(score(&ada).await, score(&eve).await, "the score of {words:?}");
    }
}

/// Relevance ranks the newest 1,000 hits: an older one is not given, however well it fits.
pub(crate) async fn the_newest_1000_hits_are_ranked(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk().await;
    let texts = ["x x x x", "x x x"].into_iter().map(str::to_owned);
    let texts = texts.chain((1..MAX_RANKED).map(|number| format!("x and more words {number}")));
    talk.say(texts.map(message)).await;
    let query = SearchQuery::new("x").order(SearchOrder::Relevance).limit(MAX_PAGE_LEN);
    let page = ada.search(&query).await.unwrap();
    let found = said(&page.items);
    assert_eq!(
        (found.len(), found[0]),
        (MAX_RANKED, "x x x"),
        "the oldest, the best, is not among the 1,000"
    );
    assert_eq!(page.next, None);
    let newest = ada.search(&query.order(SearchOrder::Newest)).await.unwrap();
    assert_eq!((newest.items.len(), newest.next.is_some()), (MAX_RANKED, true), "other orders find all");
}

/// A hit gives the message as it is stored, the thread's name and its organization.
pub(crate) async fn a_hit_is_the_message_as_it_is_stored(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk_from(with!(ada.new_thread(), name: "Näme of\n \u{202e} a % thread".to_owned())).await;
    let mut new = message("hello there");
    (new.sender_id, new.sender_role) = (Some(ada.user.clone()), Role::Tool);
    let mut stored = talk.say([new]).await;
    stored[0] = talk.edit(stored[0].id, "hello \0 again", at(9)).await.unwrap();
    for order in ORDERS {
        let hits = ada.hits(&SearchQuery::new("hello").order(order)).await;
        let [SearchHit { message, org_id, thread_name, .. }] = &hits[..] else { panic!("{hits:?}") };
        assert_eq!((message, org_id), (&stored[0], &ada.org));
        assert_eq!(thread_name, "Näme of\n \u{202e} a % thread");
    }
}

/// `limit(0)` is an empty page, and a limit over 1,000 is refused, in every order.
pub(crate) async fn a_search_has_an_exact_limit(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["x 1", "x 2", "x 3"]).await;
    for text in ["x", ""] {
        for order in ORDERS {
            let query = SearchQuery::new(text).order(order);
            let page = ada.search(&query.clone().limit(0)).await.unwrap();
            assert_eq!((page.items, page.next), (vec![], None));
            let page = ada.search(&query.clone().limit(2)).await.unwrap();
            assert_eq!((page.items.len(), page.next.is_some()), (2, true), "{text:?} by {order:?}");
            let page = ada.search(&query.clone().limit(3)).await.unwrap();
            assert_eq!((page.items.len(), page.next), (3, None), "{text:?} by {order:?}");
            assert_eq!(ada.hits(&query.clone().limit(MAX_PAGE_LEN)).await.len(), 3);
            for limit in [MAX_PAGE_LEN + 1, usize::MAX] {
                let refused = ada.search(&query.clone().limit(limit)).await;
                assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "limit");
            }
        }
    }
}

/// A search in a thread that is not there is `NotFound`, also with limit 0; in a thread without messages it is empty.
pub(crate) async fn a_search_in_an_absent_thread_is_not_found(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["x"]).await;
    let (empty, absent) = (ada.talk().await, thread_id());
    for text in ["x", "", "!!!"] {
        for limit in [0, 5] {
            let query = SearchQuery::new(text).limit(limit);
            let refused = ada.search(&query.clone().thread(absent)).await;
            assert_refused!(refused, StoreError::NotFound { id, .. } if id == absent.to_string());
            let page = ada.search(&query.thread(empty.id)).await.unwrap();
            assert_eq!((page.items, page.next), (vec![], None), "{text:?}");
        }
    }
}
