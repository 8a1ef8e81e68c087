//! What a store without search answers. Its case takes the place of those about search.

use crate::fixture::Fixture;

/// A store that declines to search has no search to hand out.
pub(crate) async fn searching_is_declined(fixture: Fixture) {
    assert!(fixture.repo.search().is_none(), "{} declines to search", fixture.repo.name());
}
