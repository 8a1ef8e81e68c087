//! The limits of a store that are tighter than those of the domain.

use chatkeep_domain::{
    Append, Content, MAX_BATCH_LEN, MAX_CONTENT_BYTES, MAX_PAGE_LEN, MessageQuery, StoreError, ThreadQuery,
};

use crate::fixture::{Fixture, Talk, at, message, numbered};

/// A page of more items than the store gives is refused, rather than cut short.
pub(crate) async fn a_wide_page_is_refused(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let refused = talk.page(&MessageQuery::first(MAX_PAGE_LEN)).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "limit");
    let refused = talk.tenant.list(&ThreadQuery::first(MAX_PAGE_LEN)).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "limit");
}

/// A content that is too large for the store is `TooLarge`, in an append and in an edit, and nothing is written.
pub(crate) async fn a_large_content_is_refused(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 1).await;
    let before = talk.snapshot().await;
    let frame = r#"{"type":"text","text":""}"#.len();
    let large = || Content::text("x".repeat(MAX_CONTENT_BYTES - frame));
    let refused = talk.append(Append::new([message("before"), message(large())])).await;
    assert_refused!(refused, StoreError::TooLarge { .. });
    assert_refused!(talk.edit(said[0].id, large(), at(2)).await, StoreError::TooLarge { .. });
    assert_eq!(talk.snapshot().await, before);
}

/// An append of more messages than the store takes at once is `TooLarge`, and nothing is written.
pub(crate) async fn a_large_batch_is_refused(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    let before = talk.snapshot().await;
    assert_refused!(talk.append(Append::new(numbered(MAX_BATCH_LEN))).await, StoreError::TooLarge { .. });
    assert_eq!(talk.snapshot().await, before);
}
