//! Cursors of searches: which are refused, and that none grants anything.

use chatkeep_domain::{
    Cursor, MessageFilter, MessageQuery, Role, SearchOrder, SearchQuery, StoreError, ThreadQuery, UserId,
};

use crate::cases::search::pages::{dated, ten_hits};
use crate::fixture::search::tagged;
use crate::fixture::{Fixture, Talk, at};

const ORDERS: [SearchOrder; 3] = [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance];

/// The cursor belongs to the whole query, its limit aside: with another text, filter or order it is refused.
pub(crate) async fn a_cursor_of_another_search_is_refused(fixture: Fixture) {
    let ada = fixture.tenant();
    let [talk, other] = ten_hits(&ada).await;
    for order in ORDERS {
        let query = SearchQuery::new("x").order(order).limit(2);
        let next = ada.search(&query).await.unwrap().next.expect("a next page");
        let others = ORDERS.into_iter().filter(|other| *other != order);
        let others = others.map(|order| query.clone().order(order)).chain([
            with!(query.clone(), text: "y".to_owned()),
            with!(query.clone(), text: String::new()),
            query.clone().thread(talk.id),
            query.clone().filter(MessageFilter::new().role(Role::User)),
            query.clone().filter(MessageFilter::new().sender_id(UserId::new("ada").expect("a user id"))),
            query.clone().filter(MessageFilter::new().created(at(0), None)),
            query.clone().filter(MessageFilter::new().created(None, at(900))),
            query.clone().filter(MessageFilter::new().metadata(tagged("/a", 1))),
        ]);
        for other in others {
            let refused = ada.search(&other.behind(next.clone())).await;
            assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "cursor");
        }
        let page = ada.search(&query.clone().limit(7).behind(next)).await.unwrap();
        assert_eq!(page.items.len(), 7, "with another limit, by {order:?}");
        let of_thread = query.clone().thread(talk.id);
        let next = ada.search(&of_thread).await.unwrap().next.expect("a next page");
        let refused = ada.search(&query.thread(other.id).behind(next)).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "cursor");
    }
}

/// A damaged cursor is refused, and so is one of a list; those of a search are refused by lists.
pub(crate) async fn a_damaged_search_cursor_is_refused(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, _) = Talk::with(&ada, 3).await;
    let of_messages = talk.page(&MessageQuery::first(1)).await.unwrap().next.expect("a next page");
    ada.talk().await;
    let of_threads = ada.list(&ThreadQuery::first(1)).await.unwrap().next.expect("a next page");
    for order in ORDERS {
        let query = SearchQuery::default().order(order).limit(1);
        let good = ada.search(&query).await.unwrap().next.expect("a next page");
        let mut damaged = good.as_str().to_owned();
        let other = if damaged.ends_with('A') { "B" } else { "A" };
        damaged.replace_range(damaged.len() - 1.., other);
        let bad = ["", "x", "'; --", "\0", damaged.as_str(), &good.as_str()[1..], of_messages.as_str()];
        for bad in bad.into_iter().chain([of_threads.as_str()]) {
            let refused = ada.search(&query.clone().behind(bad.into())).await;
            assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "cursor");
        }
        let refused = talk.page(&MessageQuery::first(1).behind(good.clone())).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "cursor");
        let refused = ada.list(&ThreadQuery::first(1).behind(good)).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "cursor");
    }
}

/// A cursor of a search is kept as text, and grants nothing: another user finds their own behind it.
pub(crate) async fn a_search_cursor_grants_nothing(fixture: Fixture) {
    let ada = fixture.tenant();
    let bob = ada.colleague();
    bob.says(["x his"]).await;
    let hers = ada.talk_from(with!(ada.new_thread(), created_at: at(5))).await;
    hers.say([dated("x 1", 50), dated("x 2", 60), dated("x 3", 70)]).await;
    for order in [SearchOrder::Newest, SearchOrder::Relevance] {
        let query = SearchQuery::new("x").order(order).limit(1);
        let next = ada.search(&query).await.unwrap().next.expect("a next page");
        let again = query.clone().limit(9).behind(Cursor::from(next.to_string()));
        assert_eq!(ada.found(&again).await, "x 2 / x 1", "{order:?}");
        let found = bob.found(&again).await;
        assert!(found.is_empty() || found == "x his", "{order:?}: {found}");
    }
    let in_hers = SearchQuery::new("x").thread(hers.id).limit(1);
    let next = ada.search(&in_hers).await.unwrap().next.expect("a next page");
    assert_refused!(bob.search(&in_hers.behind(next)).await, StoreError::NotFound { .. });
}
