//! Integers of more than 64 bits: never rounded.

use chatkeep_domain::{Entity, MessageQuery, SearchQuery, StoreError};

use crate::cases::corrupt_rows::damaged::{Corrupt, Items, WIDE, hit_pages, message_pages};
use crate::damage::Row;
use crate::fixture::{Fixture, Talk, at};

/// An integer of more than 64 bits is never rounded: what holds one cannot be decoded.
pub(crate) async fn an_integer_over_64_bits_is_corrupt(fixture: Fixture) {
    for integer in [WIDE, "-9223372036854775809", "123456789012345678901234567890"] {
        let (talk, stored) = fixture.damaged(2, &[]).await;
        let json = format!(r#"{{"type":"count","deep":[{{"n":{integer}}}]}}"#);
        fixture.damage_message(&stored[0], &talk.tenant, &json).await;
        assert_refused!(talk.get(stored[0].id).await, StoreError::CorruptRow { .. });
        assert_eq!(message_pages(&talk, &MessageQuery::first(9)).await, [Corrupt, Items(vec![2])]);
        let hits = hit_pages(&talk.tenant, &SearchQuery::new("number")).await;
        assert_eq!(hits, [Items(vec![2]), Corrupt, Items(Vec::new())]);
    }
}

/// The same in the metadata of a thread and in an earlier content.
pub(crate) async fn an_integer_over_64_bits_is_corrupt_everywhere(fixture: Fixture) {
    let (talk, stored) = Talk::with(&fixture.tenant(), 1).await;
    talk.edit(stored[0].id, "edited", at(2)).await.expect("it is edited");
    let org = talk.tenant.org.clone();
    let json = format!(r#"{{"type":"count","n":{WIDE}}}"#);
    fixture.overwrite(&Row::Revisions(org.clone(), talk.id, stored[0].id), &json).await;
    assert_refused!(
        talk.revisions(stored[0].id).await,
        StoreError::CorruptRow { entity: Entity::Revision, .. }
    );
    assert_eq!(talk.get(stored[0].id).await.expect("its content is fine").content.as_text(), Some("edited"));
    fixture.overwrite(&Row::Thread(org, talk.id), &format!(r#"{{"n":{WIDE}}}"#)).await;
    let read = fixture.repo.get_thread(&talk.tenant.scope, talk.id).await;
    assert_refused!(read, StoreError::CorruptRow { entity: Entity::Thread, .. });
}
