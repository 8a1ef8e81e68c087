//! External ids of threads.

use chatkeep_domain::{ExternalId, NewThread, StoreError, ThreadId, ThreadQuery, ThreadUpdate};

use crate::fixture::{Fixture, Talk, Tenant, at, numbered};

/// An external id.
pub(crate) fn external(text: &str) -> ExternalId {
    ExternalId::new(text).expect("an external id")
}

fn new_thread(of: &Tenant, text: &str) -> NewThread {
    NewThread::of_external(external(text), of.org.clone(), of.user.clone(), "a thread", at(0))
}

/// Creating, reading, updating and listing give a thread with its external id, or without where it has none.
pub(crate) async fn the_external_id_of_a_thread_comes_back_everywhere(fixture: Fixture) {
    let ada = fixture.tenant();
    let created = ada.create(new_thread(&ada, "ticket-7")).await.unwrap();
    assert_eq!(created.external_id, Some(external("ticket-7")));
    let talk = Talk::of(&ada, created.id);
    assert_eq!(talk.thread().await, created, "what is read");
    let without = ada.talk().await;
    assert_eq!(without.thread().await.external_id, None);
    talk.say(numbered(1)).await;
    let updated = talk.update(ThreadUpdate::new(at(5)).name("named")).await.unwrap();
    assert_eq!(updated.external_id, Some(external("ticket-7")), "what an update gives");
    talk.clear(at(6)).await.unwrap();
    let listed = ada.list(&ThreadQuery::default()).await.unwrap().items;
    let listed: Vec<_> = listed.into_iter().map(|thread| (thread.id, thread.external_id)).collect();
    assert_eq!(listed, [(talk.id, Some(external("ticket-7"))), (without.id, None)], "what is listed");
}

/// Whoever knows the owner and the external id knows the id.
pub(crate) async fn a_thread_is_found_through_its_external_id(fixture: Fixture) {
    let ada = fixture.tenant();
    let created = ada.create(new_thread(&ada, "ticket-7")).await.unwrap();
    let id = ThreadId::of_external(&ada.org, &ada.user, &external("ticket-7"));
    assert_eq!(Talk::of(&ada, id).thread().await, created);
    let absent = ThreadId::of_external(&ada.org, &ada.user, &external("ticket-8"));
    assert_refused!(fixture.repo.get_thread(&ada.scope, absent).await, StoreError::NotFound { .. });
}

/// Creating again by the external id gives the stored thread, unchanged.
pub(crate) async fn creating_again_by_an_external_id_gives_the_stored_thread(fixture: Fixture) {
    let ada = fixture.tenant();
    let created = ada.create(new_thread(&ada, "ticket-7")).await.unwrap();
    let talk = Talk::of(&ada, created.id);
    talk.say(numbered(2)).await;
    let before = talk.thread().await;
    let again = with!(new_thread(&ada, "ticket-7"), name: "another".to_owned(), created_at: at(99));
    assert_eq!(ada.create(again).await.unwrap(), before);
    // By the id alone too: nobody need know the external id.
    let by_id = with!(ada.new_thread(), id: created.id);
    assert_eq!(ada.create(by_id).await.unwrap(), before);
    assert_eq!(ada.list_ids(&ada.scope).await, [created.id]);
}

/// A thread has the external id that it was created with: another one with its id is refused, and nothing is changed.
pub(crate) async fn another_external_id_of_a_thread_is_refused(fixture: Fixture) {
    let ada = fixture.tenant();
    let (with, without) = (ada.create(new_thread(&ada, "ticket-7")).await.unwrap(), ada.talk().await);
    for id in [with.id, without.id] {
        let before = Talk::of(&ada, id).thread().await;
        for other in ["ticket-8", "TICKET-7"] {
            let refused = ada.create(with!(new_thread(&ada, other), id)).await;
            assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "external_id");
        }
        assert_eq!(Talk::of(&ada, id).thread().await, before);
    }
}

/// Two users of an organization have a thread each by one external id, and neither notices the other's.
pub(crate) async fn two_users_with_one_external_id_do_not_meet(fixture: Fixture) {
    let ada = fixture.tenant();
    let bob = ada.colleague();
    let first = Talk::of(&ada, ada.create(new_thread(&ada, "chat")).await.unwrap().id);
    first.say(numbered(2)).await;
    let second = Talk::of(&bob, bob.create(new_thread(&bob, "chat")).await.unwrap().id);
    assert_eq!(second.all().await, []);
    assert_ne!(first.id, second.id);
    second.say(numbered(1)).await;
    assert_eq!((first.all().await.len(), second.all().await.len()), (2, 1));
    assert_eq!(
        (ada.list_ids(&ada.scope).await, bob.list_ids(&bob.scope).await),
        (vec![first.id], vec![second.id])
    );
    second.delete().await.unwrap();
    assert_eq!(first.all().await.len(), 2);
}

/// So have the users of two organizations.
pub(crate) async fn two_organizations_with_one_external_id_do_not_meet(fixture: Fixture) {
    let (one, other) = (fixture.tenant(), fixture.tenant());
    let first = one.create(new_thread(&one, "chat")).await.unwrap();
    let second = other.create(new_thread(&other, "chat")).await.unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(fixture.repo.get_thread(&one.scope, first.id).await.unwrap(), first);
    assert_refused!(fixture.repo.get_thread(&other.scope, first.id).await, StoreError::NotFound { .. });
}

/// An external id of 255 bytes comes back byte by byte.
pub(crate) async fn an_external_id_of_a_thread_has_exact_limits(fixture: Fixture) {
    let ada = fixture.tenant();
    let longest = "é".repeat(127) + "x";
    for text in ["x", " Ünïcode / ? ", &longest, "e\u{301}", "é"] {
        let created = ada.create(new_thread(&ada, text)).await.unwrap();
        let read = Talk::of(&ada, created.id).thread().await;
        assert_eq!(read.external_id.as_ref().map(ExternalId::as_str), Some(text));
    }
    assert_eq!(ada.list_ids(&ada.scope).await.len(), 5);
}

/// Where a thread was deleted, another one can be created by its external id.
pub(crate) async fn a_deleted_external_id_is_free_again(fixture: Fixture) {
    let ada = fixture.tenant();
    let first = Talk::of(&ada, ada.create(new_thread(&ada, "chat")).await.unwrap().id);
    first.say(numbered(3)).await;
    first.delete().await.unwrap();
    let again = ada.create(new_thread(&ada, "chat")).await.unwrap();
    assert_eq!((again.id, again.external_id), (first.id, Some(external("chat"))));
    assert_eq!(first.all().await, []);
}
