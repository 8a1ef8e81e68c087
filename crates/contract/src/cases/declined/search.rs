//! What a store without search answers. Its case takes the place of those about search.

use chatkeep_domain::{SearchQuery, StoreError};

use crate::fixture::Fixture;

/// A store that cannot search says `Unsupported`, rather than that nothing was found.
pub(crate) async fn searching_is_unsupported(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.says(["x"]).await;
    for query in [SearchQuery::new("x"), SearchQuery::default(), SearchQuery::new("x").thread(talk.id)] {
        assert_refused!(ada.search(&query).await, StoreError::Unsupported { .. });
    }
}
