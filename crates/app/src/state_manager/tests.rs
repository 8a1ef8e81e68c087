use std::sync::Arc;

use chatkeep_domain::{
    Clock, IdGenerator, MessageId, Metadata, MockConversationRepository, OrgId, RequestId, Role, Scope,
    ThreadId, ThreadQuery, Timestamp, UserId, Version,
};
use chatkeep_memory::MemoryRepository;
use serde_json::json;

use super::StateManager;
use crate::error::Error;
use crate::testing::{scope, unavailable};

fn memory() -> StateManager {
    StateManager::new(Arc::new(MemoryRepository::new()), scope())
}

fn absent() -> ThreadId {
    "0198c0de-0000-7000-8000-000000000001".parse().unwrap()
}

fn metadata() -> Metadata {
    serde_json::from_value(json!({"model": "m"})).unwrap()
}

#[tokio::test]
async fn a_scope_without_an_owner_needs_one_named() {
    let repository = Arc::new(MemoryRepository::new());
    let org = StateManager::new(repository.clone(), Scope::org(OrgId::new("acme").unwrap()));
    let missing = |error| matches!(error, Error::NoOwner { missing: "user" });
    assert!(missing(org.create_thread("x").await.unwrap_err()));
    let thread = org.create_thread("x").user(UserId::new("bob").unwrap()).await.unwrap();
    assert_eq!((thread.org_id.as_str(), thread.user_id.as_str()), ("acme", "bob"));

    let operator = StateManager::new(repository, Scope::operator());
    let error = operator.create_thread("x").user(UserId::new("bob").unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::NoOwner { missing: "organization" }));
    let umbrella = OrgId::new("umbrella").unwrap();
    let request = operator.create_thread("x").user(UserId::new("bob").unwrap());
    assert_eq!(request.org(umbrella.clone()).await.unwrap().org_id, umbrella);
    assert_eq!(operator.list_threads(&ThreadQuery::default().org_id(umbrella)).await.unwrap().items.len(), 1);
    assert_eq!(operator.list_threads(&ThreadQuery::first(1)).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn threads_are_made_read_changed_and_deleted_by_their_ids() {
    let state = memory();
    let first = state.create_thread("first").metadata(metadata()).await.unwrap();
    let second = state.create_thread("second").await.unwrap();
    assert_eq!(state.get_thread(first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(state.get_thread(absent()).await.unwrap(), None);

    let renamed = state.rename_thread(first.id, "new").await.unwrap();
    assert_eq!((renamed.name.as_str(), &renamed.metadata), ("new", &metadata()));
    let tagged = state.update_thread(first.id).metadata(Metadata::new()).await.unwrap();
    assert_eq!((tagged.name.as_str(), tagged.metadata.len()), ("new", 0));

    let said = state.conversation(first.id).add_message(Role::User, "x").await.unwrap();
    let whole = state.get_thread_with_messages(first.id).await.unwrap().unwrap();
    assert_eq!((whole.thread.id, whole.messages), (first.id, vec![said]));
    assert_eq!(state.get_thread_with_messages(absent()).await.unwrap(), None);

    assert_eq!(state.clear_thread(first.id).await.unwrap(), 1);
    assert!(state.clear_thread(absent()).await.unwrap_err().is_not_found());
    assert!(state.delete_thread(first.id).await.unwrap());
    assert!(!state.delete_thread(first.id).await.unwrap());
    assert_eq!(state.list_threads(&ThreadQuery::default()).await.unwrap().items, [second]);
}

/// A clock that stands still, and ids that are all the same.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        "2030-01-01T00:00:00Z".parse().unwrap()
    }
}

impl IdGenerator for Still {
    fn thread_id(&self) -> ThreadId {
        absent()
    }
    fn message_id(&self) -> MessageId {
        absent().as_uuid().to_owned().into()
    }
    fn request_id(&self) -> RequestId {
        absent().as_uuid().to_owned().into()
    }
    fn version(&self) -> Version {
        Version::new(7).unwrap()
    }
}

#[tokio::test]
async fn what_a_manager_is_set_up_with_is_not_another_clones() {
    let state = memory();
    let other = state.clone().with_clock(Arc::new(Still)).with_id_generator(Arc::new(Still));
    let other = other.with_persistence(true);
    assert_eq!((state.persistence_enabled(), other.persistence_enabled()), (false, true));
    let thread = other.create_thread("still").await.unwrap();
    assert_eq!((thread.id, thread.created_at), (absent(), Still.now()));
    let thread = state.create_thread("moving").await.unwrap();
    assert_ne!((thread.id, thread.created_at), (absent(), Still.now()));
}

#[tokio::test]
async fn a_store_that_fails_is_the_callers_error() {
    let mut mock = MockConversationRepository::new();
    mock.expect_get_thread().returning(|_, _| Err(unavailable()));
    mock.expect_delete_thread().returning(|_, _, _| Err(unavailable()));
    let state = StateManager::new(Arc::new(mock), scope());
    assert!(state.get_thread(absent()).await.unwrap_err().is_transient());
    assert!(state.get_thread_with_messages(absent()).await.unwrap_err().is_transient());
    assert!(state.delete_thread(absent()).await.unwrap_err().is_transient());
    let said: Metadata = serde_json::from_value(json!({"secret": "secret"})).unwrap();
    let create = state.create_thread("secret").metadata(said.clone());
    let update = state.update_thread(absent()).name("secret").metadata(said);
    let text = format!("{create:?} {update:?}");
    assert!(!text.contains("secret"), "{text}");
    assert!(text.contains("name: 6 bytes") && text.contains("metadata: 1 keys"), "{text}");
}
