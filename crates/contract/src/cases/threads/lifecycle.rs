//! Threads: read, update, delete, close.

use chatkeep_domain::{Append, MessageQuery, Metadata, StoreError, ThreadUpdate};
use serde_json::json;

use crate::cases::threads::create::object;
use crate::fixture::{Fixture, Talk, at, message, message_id, numbered, positions, texts, thread_id};

/// An update changes what it names and nothing else.
pub(crate) async fn an_update_changes_what_it_names(fixture: Fixture) {
    let ada = fixture.tenant();
    let new = ada.new_thread().with_metadata(object(json!({"old": 1})));
    let talk = ada.talk_from(new).await;
    talk.say(numbered(2)).await;
    let mut expected = talk.thread().await;
    let changes = [
        ThreadUpdate::new(at(10)).name("renamed"),
        ThreadUpdate::new(at(20)).metadata(object(json!({"new": 2}))),
        ThreadUpdate::new(at(30)),
        ThreadUpdate::new(at(40)).name("both").metadata(Metadata::new()),
    ];
    for update in changes {
        expected.name = update.name.clone().unwrap_or(expected.name);
        expected.metadata = update.metadata.clone().unwrap_or(expected.metadata);
        (expected.updated_at, expected.version) = (update.at, expected.version.next());
        let updated = fixture.repo.update_thread(&ada.scope, talk.id, update).await.unwrap();
        assert_eq!(updated, expected, "what update gives");
        assert_eq!(talk.thread().await, expected, "what is stored");
    }
    assert_eq!(talk.all().await.len(), 2, "its messages");
}

/// An update never lowers `updated_at`.
pub(crate) async fn an_update_never_lowers_updated_at(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.talk().await;
    for (given, expected) in [(-5, 0), (7, 7), (3, 7), (7, 7), (8, 8)] {
        let update = ThreadUpdate::new(at(given)).name(format!("at {given}"));
        let updated = fixture.repo.update_thread(&ada.scope, talk.id, update).await.unwrap();
        assert_eq!(updated.updated_at, at(expected), "what an update at {given} gives");
        let stored = talk.thread().await;
        assert_eq!(stored.updated_at, at(expected), "what is stored");
        assert_eq!(stored.name, format!("at {given}"), "the name is changed all the same");
        assert_eq!(stored.created_at, at(0));
    }
}

/// A thread that never was is `NotFound`, for reads and for writes, and is not made by them.
pub(crate) async fn an_absent_thread_is_not_found(fixture: Fixture) {
    let ada = fixture.tenant();
    let (id, scope) = (thread_id(), &ada.scope);
    assert_refused!(fixture.repo.get_thread(scope, id).await, StoreError::NotFound { id: told, .. } if told == id.to_string());
    let update = ThreadUpdate::new(at(1)).name("x");
    assert_refused!(fixture.repo.update_thread(scope, id, update).await, StoreError::NotFound { .. });
    assert_refused!(fixture.repo.delete_thread(scope, id, None).await, StoreError::NotFound { .. });
    assert_refused!(fixture.repo.clear_messages(scope, id, at(1).into()).await, StoreError::NotFound { .. });
    assert_eq!(ada.list_ids(scope).await, []);
}

/// Deleting a thread gives the number of its messages, and removes them with it.
pub(crate) async fn deleting_removes_the_thread_and_its_messages(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, said) = Talk::with(&ada, 3).await;
    talk.edit(said[0].id, "edited", at(2)).await.unwrap();
    talk.delete_message(said[1].id, at(3)).await.unwrap();
    assert_eq!(talk.delete().await.unwrap(), 2, "the messages that were there");

    assert_refused!(fixture.repo.get_thread(&ada.scope, talk.id).await, StoreError::NotFound { .. });
    assert_refused!(talk.page(&MessageQuery::default()).await, StoreError::NotFound { .. });
    assert_refused!(talk.get(said[0].id).await, StoreError::NotFound { .. });
    assert_refused!(talk.revisions(said[0].id).await, StoreError::NotFound { .. });
    let append = Append::new([message("late")]);
    assert_refused!(talk.append(append).await, StoreError::NotFound { .. });
    assert_refused!(talk.delete().await, StoreError::NotFound { .. }, "a second time");
    assert_eq!(ada.list_ids(&ada.scope).await, []);
}

/// Afterwards the id is free again, for another user too, and its thread starts afresh.
pub(crate) async fn a_deleted_id_is_free_again(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, said) = Talk::with(&ada, 3).await;
    for owner in [&ada, &ada.colleague()] {
        ada.repo.delete_thread(&ada.org_scope(), talk.id, None).await.unwrap();
        let new = with!(owner.new_thread(), id: talk.id);
        let expected = new.clone().into_thread();
        let fresh = owner.talk_from(new).await;
        assert_eq!(fresh.thread().await, expected, "nothing is left of the old one");
        assert_eq!(fresh.all().await, []);
        assert_refused!(fresh.get(said[0].id).await, StoreError::NotFound { .. });
        let mut again = message("again");
        again.id = said[0].id;
        let stored = fresh.say([again]).await;
        assert_eq!((positions(&stored), texts(&stored)), (vec![1], vec!["again"]));
    }
}

/// Deleting a thread leaves the others alone.
pub(crate) async fn deleting_leaves_the_other_threads(fixture: Fixture) {
    let ada = fixture.tenant();
    let (gone, _) = Talk::with(&ada, 2).await;
    let (kept, said) = Talk::with(&ada, 2).await;
    kept.edit(said[0].id, "edited", at(2)).await.unwrap();
    let before = kept.snapshot().await;
    gone.delete().await.unwrap();
    assert_eq!(kept.snapshot().await, before);
    assert_refused!(kept.get(message_id()).await, StoreError::NotFound { .. });
}

/// A store is closed when nobody calls it any more, and answers that it is.
pub(crate) async fn closing_is_answered(fixture: Fixture) {
    let (talk, _) = Talk::with(&fixture.tenant(), 1).await;
    assert_eq!(talk.all().await.len(), 1, "what is stored is read");
    // Later calls may fail: this is the last.
    fixture.repo.close().await.expect("the store is closed");
}
