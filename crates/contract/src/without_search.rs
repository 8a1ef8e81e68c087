//! What a store without search answers. Its case takes the place of those about search.

use chatkeep_domain::{SearchQuery, StoreError};

use crate::Repo;
use crate::fixture::Tenant;

/// A store that cannot search says `Unsupported`, rather than that nothing was found.
pub async fn searching_is_unsupported(repo: Repo) {
    let ada = Tenant::new(&repo);
    let talk = ada.says(["x"]).await;
    for query in [SearchQuery::new("x"), SearchQuery::default(), SearchQuery::new("x").thread(talk.id)] {
        assert_refused!(ada.search(&query).await, StoreError::Unsupported { .. });
    }
}
