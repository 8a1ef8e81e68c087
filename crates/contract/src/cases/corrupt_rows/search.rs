//! Searches that meet rows that cannot be decoded.

use chatkeep_domain::{SearchOrder, SearchQuery};

use crate::cases::corrupt_rows::damaged::{Corrupt, Items, NO_JSON, hit_pages};
use crate::fixture::{Fixture, message};

/// A page of hits ends ahead of a corrupt row, in one thread and across threads, in either order of time.
pub(crate) async fn a_page_of_hits_ends_ahead_of_a_corrupt_message(fixture: Fixture) {
    let (talk, _) = fixture.damaged(6, &[3]).await;
    for query in [SearchQuery::new("number"), SearchQuery::new("number").thread(talk.id)] {
        let oldest = query.clone().order(SearchOrder::Oldest);
        let expected = [Items(vec![1, 2]), Corrupt, Items(vec![4, 5, 6])];
        assert_eq!(hit_pages(&talk.tenant, &oldest.limit(4)).await, expected);
        let expected = [Items(vec![6, 5]), Items(vec![4]), Corrupt, Items(vec![2, 1])];
        assert_eq!(hit_pages(&talk.tenant, &query.limit(2)).await, expected);
    }
}

/// By relevance a corrupt row comes behind all hits.
pub(crate) async fn a_corrupt_message_is_ranked_last(fixture: Fixture) {
    let ada = fixture.tenant();
    let stored = ada.talk().await;
    let stored = stored.say(["x", "x x", "x x x"].map(message)).await;
    fixture.damage_message(&stored[2], &ada, NO_JSON).await;
    let query = SearchQuery::new("x").order(SearchOrder::Relevance);
    let gave = hit_pages(&ada, &query.clone().limit(1)).await;
    assert_eq!(gave[..3], [Items(vec![2]), Items(vec![1]), Corrupt]);
    let gave = hit_pages(&ada, &query.limit(9)).await;
    assert_eq!(gave[..2], [Items(vec![2, 1]), Corrupt]);
}
