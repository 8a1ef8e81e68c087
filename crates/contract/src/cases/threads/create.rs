//! Creating threads: ids, owners, names, metadata.

use chatkeep_domain::{
    Entity, MAX_METADATA_BYTES, MAX_NAME_BYTES, Metadata, NewThread, Position, Scope, StoreError,
    ThreadUpdate,
};
use serde_json::{Value, json};

use crate::fixture::{Fixture, Talk, at, message, positions, texts};

pub(super) fn object(value: Value) -> Metadata {
    match value {
        Value::Object(object) => object,
        _ => panic!("metadata is an object"),
    }
}

/// A thread comes back as it was created, every field of it.
pub(crate) async fn a_created_thread_is_read_back_with_every_field(fixture: Fixture) {
    let ada = fixture.tenant();
    let metadata = object(json!({"topic": "monads", "tags": ["a", "b"], "depth": {"level": 3}}));
    let new = ada.new_thread().with_metadata(metadata);
    let expected = new.clone().into_thread();
    assert_eq!(expected.head, Position::ZERO);
    assert_eq!(ada.create(new).await.unwrap(), expected, "what create gives");
    let read = fixture.repo.get_thread(&ada.scope, expected.id).await.unwrap();
    assert_eq!(read, expected, "what is read");
}

/// Creating again with the same id and owner gives back the thread as it is stored, unchanged.
pub(crate) async fn creating_again_gives_the_stored_thread(fixture: Fixture) {
    let ada = fixture.tenant();
    let (talk, _) = Talk::with(&ada, 2).await;
    let stored = talk.thread().await;
    let again = NewThread::new(talk.id, ada.org.clone(), ada.user.clone(), "another name", at(99));
    let again = again.with_metadata(object(json!({"other": true})));
    assert_eq!(ada.create(again).await.unwrap(), stored, "what create gives");
    assert_eq!(talk.thread().await, stored, "what is stored");
    assert_eq!(talk.all().await.len(), 2, "its messages");
}

/// An id that another user of the organization has is `AlreadyExists`, and nothing changes.
pub(crate) async fn an_id_of_another_user_is_taken(fixture: Fixture) {
    let ada = fixture.tenant();
    let bob = ada.colleague();
    let (talk, _) = Talk::with(&ada, 2).await;
    let before = talk.snapshot().await;
    let new = || with!(bob.new_thread(), id: talk.id);
    let as_org = fixture.repo.create_thread(&ada.org_scope(), new()).await;
    for refused in [bob.create(new()).await, as_org] {
        assert_refused!(
            refused,
            StoreError::AlreadyExists { entity: Entity::Thread, id, .. } if id == talk.id.to_string()
        );
    }
    assert_eq!(talk.snapshot().await, before, "the thread of the owner");
    assert_eq!(bob.list_ids(&bob.scope).await, [], "what the other has");
}

/// An id is unique within its organization; two organizations may use the same for two threads.
pub(crate) async fn two_organizations_may_use_one_id(fixture: Fixture) {
    let (ada, eve) = (fixture.tenant(), fixture.tenant());
    let (hers, _) = Talk::with(&ada, 2).await;
    let theirs = eve.talk_from(with!(eve.new_thread(), id: hers.id)).await;
    assert_eq!(theirs.all().await, [], "the new thread is empty");
    let said = theirs.say([message("other")]).await;
    assert_eq!(positions(&said), [1], "it counts its own positions");
    assert_eq!(texts(&hers.all().await), ["0", "1"]);
    assert_eq!(theirs.delete().await.unwrap(), 1);
    assert_eq!(texts(&hers.all().await), ["0", "1"], "after the other is deleted");
}

/// An owner outside the scope is refused, and no thread is made.
pub(crate) async fn an_owner_outside_the_scope_is_refused(fixture: Fixture) {
    let (ada, eve) = (fixture.tenant(), fixture.tenant());
    let bob = ada.colleague();
    let scopes = [ada.scope.clone(), ada.org_scope()];
    for (scope, owner) in [(&scopes[0], &bob), (&scopes[0], &eve), (&scopes[1], &eve)] {
        let refused = fixture.repo.create_thread(scope, owner.new_thread()).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "owner");
        assert_eq!(owner.list_ids(&owner.scope).await, [], "no thread was made");
    }
}

/// An organization creates threads for its users, and the operator for anybody.
pub(crate) async fn a_wider_scope_creates_for_the_users_in_it(fixture: Fixture) {
    let ada = fixture.tenant();
    for scope in [ada.org_scope(), Scope::operator()] {
        let thread = fixture.repo.create_thread(&scope, ada.new_thread()).await.unwrap();
        let read = fixture.repo.get_thread(&ada.scope, thread.id).await.unwrap();
        assert_eq!(read, thread, "as the owner reads it");
    }
}

/// Any UUID is an id.
pub(crate) async fn any_uuid_is_an_id(fixture: Fixture) {
    let ada = fixture.tenant();
    for id in [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "16fd2706-8baf-433b-82eb-8c7fada847da",
    ] {
        let new = with!(ada.new_thread(), id: id.parse().unwrap());
        let talk = ada.talk_from(new).await;
        assert_eq!(talk.thread().await.id.to_string(), id);
        let mut new = message("x");
        new.id = id.parse().unwrap();
        talk.say([new.clone()]).await;
        assert_eq!(talk.get(new.id).await.unwrap().id, new.id);
    }
}

/// A name holds at most 1,024 bytes and no U+0000; else nothing is written.
pub(crate) async fn a_name_has_exact_limits(fixture: Fixture) {
    let ada = fixture.tenant();
    let longest = "é".repeat(MAX_NAME_BYTES / 2);
    let talk = ada.talk_from(with!(ada.new_thread(), name: longest.clone())).await;
    assert_eq!(talk.thread().await.name, longest);
    let before = talk.thread().await;
    for bad in [longest + "x", "nul \0 within".to_owned()] {
        let new = with!(ada.new_thread(), name: bad.clone());
        let id = new.id;
        assert_refused!(ada.create(new).await, StoreError::InvalidArgument(error) if error.field == "name");
        let made = fixture.repo.get_thread(&ada.scope, id).await;
        assert_refused!(made, StoreError::NotFound { .. }, "after a refused create");
        let update = ThreadUpdate::new(at(9)).name(bad);
        let refused = fixture.repo.update_thread(&ada.scope, talk.id, update).await;
        assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "name");
        assert_eq!(talk.thread().await, before, "after a refused update");
    }
}

/// Every other name comes back as it was given.
pub(crate) async fn a_name_comes_back_as_it_was_given(fixture: Fixture) {
    let ada = fixture.tenant();
    for name in [
        "",
        " leading and trailing ",
        "two\nlines\tand\r\nmore",
        "\u{1}\u{7f}\u{85}",
        "'; DROP TABLE chat_thread; --",
        "\"quotes\" and \\back\\slashes",
        "👩‍👩‍👧‍👦 שלום مرحبا e\u{301}",
        "\u{feff}\u{200b}\u{fffe}\u{10ffff}",
        "null",
    ] {
        let new = with!(ada.new_thread(), name: name.to_owned());
        let talk = ada.talk_from(new).await;
        assert_eq!(talk.thread().await.name, name);
    }
}

/// Metadata comes back equal, U+0000 included.
pub(crate) async fn metadata_comes_back_equal(fixture: Fixture) {
    let ada = fixture.tenant();
    for value in [
        json!({}),
        json!({"": "", "a": null, "b": [true, false, {"c": {}}], "n": -1.5}),
        json!({"nul \0 key": "nul \0 value", "deep": [{"\0": "\0"}], "looks": "\\u0000 \u{1}"}),
        json!({"big": u64::MAX, "small": i64::MIN, "float": 1e16, "emoji": "🦀"}),
    ] {
        let metadata = object(value);
        let new = ada.new_thread().with_metadata(metadata.clone());
        let talk = ada.talk_from(new).await;
        assert_eq!(talk.thread().await.metadata, metadata, "after a create");
        let other = ada.talk().await;
        let update = ThreadUpdate::new(at(1)).metadata(metadata.clone());
        let updated = fixture.repo.update_thread(&ada.scope, other.id, update).await.unwrap();
        assert_eq!(updated.metadata, metadata, "what update gives");
        assert_eq!(other.thread().await.metadata, metadata, "after an update");
    }
}

/// Metadata of 64 KiB of JSON is taken; one byte more is `TooLarge`, and nothing is written.
pub(crate) async fn metadata_has_an_exact_limit(fixture: Fixture) {
    let ada = fixture.tenant();
    let sized = |bytes: usize| object(json!({"x": "x".repeat(bytes - r#"{"x":""}"#.len())}));
    let largest = ada.new_thread().with_metadata(sized(MAX_METADATA_BYTES));
    let talk = ada.talk_from(largest).await;
    let before = talk.thread().await;
    assert_eq!(before.metadata, sized(MAX_METADATA_BYTES));

    let over = ada.new_thread().with_metadata(sized(MAX_METADATA_BYTES + 1));
    let id = over.id;
    assert_refused!(ada.create(over).await, StoreError::TooLarge { actual: 65_537, .. });
    assert_refused!(fixture.repo.get_thread(&ada.scope, id).await, StoreError::NotFound { .. });
    let update = ThreadUpdate::new(at(9)).metadata(sized(MAX_METADATA_BYTES + 1));
    let refused = fixture.repo.update_thread(&ada.scope, talk.id, update).await;
    assert_refused!(refused, StoreError::TooLarge { limit: 65_536, .. });
    assert_eq!(talk.thread().await, before, "after a refused update");
}
