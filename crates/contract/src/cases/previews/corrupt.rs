//! Previews that cannot be decoded.

use chatkeep_domain::{Entity, StoreError, ThreadQuery};

use crate::fixture::Fixture;

/// A thread whose last message cannot be decoded is one that cannot be shown: a page ends ahead of it, one that would
/// begin with it is the message's error with the cursor behind, and without previews it is listed. Messages before the
/// last are in nobody's way.
pub(crate) async fn a_page_ends_ahead_of_a_corrupt_preview(fixture: Fixture) {
    let ada = fixture.tenant();
    let (first, _) = fixture.damaged_for(&ada, 3, &[1]).await;
    let (second, stored) = fixture.damaged_for(&ada, 3, &[3]).await;
    let (third, _) = fixture.damaged_for(&ada, 2, &[]).await;
    // The newest first: among equal times, the greatest id.
    let mut listed = [first.id, second.id, third.id];
    listed.sort_unstable();
    assert_eq!(listed, [first.id, second.id, third.id], "ids are made in order");

    let query = ThreadQuery::default().with_preview();
    let page = ada.list(&query).await.unwrap();
    assert_eq!(page.items.iter().map(|thread| thread.id).collect::<Vec<_>>(), [third.id]);
    let refused = ada.list(&query.clone().behind(page.next.expect("there is more"))).await;
    let behind = match refused {
        Err(StoreError::CorruptRow { entity: Entity::Message, id, behind, .. }) => {
            assert_eq!(id, stored[2].id.to_string());
            behind.expect("it goes on behind the thread")
        }
        other => panic!("the last message is damaged, and not {other:?}"),
    };
    let page = ada.list(&query.behind(behind)).await.unwrap();
    assert_eq!(page.items.iter().map(|thread| thread.id).collect::<Vec<_>>(), [first.id]);
    assert_eq!(ada.list_ids(&ada.scope).await, [third.id, second.id, first.id], "without previews");
}
