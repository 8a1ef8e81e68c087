//! What can be done to rows that cannot be decoded.

use chatkeep_domain::{Append, Entity, MessageQuery, SearchQuery, StoreError};

use crate::cases::corrupt_rows::damaged::NO_JSON;
use crate::damage::Row;
use crate::fixture::{Fixture, Talk, at, message};

/// A thread that cannot be decoded is not in the way of what is done to it, nor of its messages.
pub(crate) async fn a_corrupt_thread_can_be_used_and_deleted(fixture: Fixture) {
    let (talk, stored) = Talk::with(&fixture.tenant(), 2).await;
    fixture.overwrite(&Row::Thread(talk.tenant.org.clone(), talk.id), NO_JSON).await;
    assert_eq!(talk.all().await, stored);
    let third = talk.say([message("third")]).await;
    assert_eq!(talk.get(third[0].id).await.expect("it is stored"), third[0]);
    assert_eq!(talk.clear(at(5)).await.expect("the thread is cleared"), 3);
    assert_eq!(talk.all().await, [], "it is there, and empty");
    let found = talk.tenant.search(&SearchQuery::new("third").thread(talk.id)).await;
    assert_eq!(found.expect("it is there, and empty").items, []);
    assert_refused!(talk.get(third[0].id).await, StoreError::NotFound { entity: Entity::Message, .. });
    assert_eq!(talk.delete().await.expect("the thread is deleted"), 0);
    assert_refused!(talk.page(&MessageQuery::first(1)).await, StoreError::NotFound { .. });
}

/// A message that cannot be decoded can be deleted; its neighbours stay.
pub(crate) async fn a_corrupt_message_can_be_deleted(fixture: Fixture) {
    let (talk, stored) = fixture.damaged(3, &[2]).await;
    talk.delete_message(stored[1].id, at(5)).await.expect("the message is deleted");
    assert_eq!(talk.all().await, [stored[0].clone(), stored[2].clone()]);
}

/// An append goes on behind a corrupt row.
pub(crate) async fn a_thread_with_a_corrupt_message_goes_on(fixture: Fixture) {
    let (talk, stored) = fixture.damaged(2, &[2]).await;
    let next = talk.say([message("next")]).await;
    assert!(next[0].position > stored[1].position);
    let retried = talk.append(Append::new([with!(message("again"), id: next[0].id)]));
    assert_eq!(retried.await.expect("a retry").messages, next);
}
