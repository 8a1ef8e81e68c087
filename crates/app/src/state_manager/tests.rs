use std::sync::Arc;

use chatkeep_domain::{
    Content, Metadata, MockConversationRepository, OrgId, Position, Role, Scope, StoreError, ThreadId, UserId,
};
use chatkeep_memory::MemoryRepository;
use serde_json::json;

use super::StateManager;
use crate::testing::{scope, text, unavailable};
use crate::{Error, MessageInput};

fn memory() -> StateManager {
    StateManager::new(Arc::new(MemoryRepository::new()), scope())
}

fn mocked(mock: MockConversationRepository) -> StateManager {
    StateManager::new(Arc::new(mock), scope())
}

fn absent() -> ThreadId {
    "0198c0de-0000-7000-8000-000000000001".parse().unwrap()
}

fn metadata() -> Metadata {
    serde_json::from_value(json!({"model": "m"})).unwrap()
}

#[tokio::test]
async fn without_a_thread_every_call_says_what_to_do() {
    let state = mocked(MockConversationRepository::new());
    let id = absent().as_uuid().to_owned().into();
    let errors = [
        state.add_message(Role::User, "x").await.unwrap_err(),
        state.add_messages([(Role::User, "x")]).await.unwrap_err(),
        state.get_messages().await.unwrap_err(),
        state.get_messages().page(None).await.unwrap_err(),
        state.clear_thread(None).await.unwrap_err(),
        state.delete_thread(None).await.unwrap_err(),
        state.rename_thread("x").await.unwrap_err(),
        state.load_conversation_history(None).await.unwrap_err(),
        state.message(id).get().await.unwrap_err(),
        state.message(id).edit("x").await.unwrap_err(),
        state.message(id).revisions().await.unwrap_err(),
        state.message(id).delete().await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::NoCurrentThread));
        assert!(error.to_string().contains("create_thread or set_current_thread"));
    }
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
    assert_eq!(operator.list_threads().org(umbrella).await.unwrap().items.len(), 1);
    assert_eq!(operator.list_threads().limit(1).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn the_current_thread_is_shared_by_clones_and_must_exist() {
    let state = memory();
    let first = state.create_thread("first").metadata(metadata()).await.unwrap();
    let second = state.clone().create_thread("second").await.unwrap();
    assert_eq!(state.current_thread_id(), Some(second.id));

    assert!(state.set_current_thread(absent()).await.unwrap_err().is_not_found());
    assert_eq!(state.current_thread_id(), Some(second.id));
    state.set_current_thread(first.id).await.unwrap();
    assert_eq!(state.get_current_thread().await.unwrap(), Some(first));
}

#[tokio::test]
async fn deleting_the_current_thread_leaves_none_current() {
    let state = memory();
    let first = state.create_thread("first").await.unwrap();
    let second = state.create_thread("second").await.unwrap();
    assert!(state.delete_thread(first.id).await.unwrap());
    assert_eq!(state.current_thread_id(), Some(second.id));
    assert!(!state.delete_thread(first.id).await.unwrap());
    assert!(state.delete_thread(None).await.unwrap());
    assert_eq!(state.current_thread_id(), None);
    assert_eq!(state.get_thread(second.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_message_carries_everything_that_the_request_says() {
    let state = memory();
    let thread = state.create_thread("named").await.unwrap();
    state.create_thread("current").await.unwrap();
    let (sender, id) = (UserId::new("bob").unwrap(), absent().as_uuid().to_owned().into());
    let request = || {
        state
            .add_message(Role::User, Content::text("hi"))
            .thread(thread.id)
            .sender(sender.clone())
            .metadata(metadata())
            .id(id)
            .expect_head(Position::ZERO)
    };
    let message = request().await.unwrap();
    assert_eq!(message.chat_thread_id, thread.id);
    assert_eq!((message.id, message.sender_id.as_ref()), (id, Some(&sender)));
    assert_eq!(message.content.metadata(), Some(&metadata()));
    assert_eq!(message.position.get(), 1);

    assert_eq!(request().await.unwrap(), message, "a retry stores nothing twice");
    let late = state.add_message(Role::User, "late").thread(thread.id).expect_head(Position::ZERO);
    assert!(matches!(late.await.unwrap_err(), Error::Store(StoreError::Conflict { .. })));
    assert_eq!(state.message(id).thread(thread.id).get().await.unwrap(), message);
}

#[tokio::test]
async fn messages_are_read_in_order_whatever_is_left_out() {
    let state = memory();
    let thread = state.create_thread("long").await.unwrap().id;
    let batch = (0..2_500).map(|number| (Role::User, number.to_string()));
    let stored = state.add_messages(batch).await.unwrap();
    state.add_message(Role::Assistant, "answer").await.unwrap();

    let all = state.get_messages().await.unwrap();
    assert_eq!((all.len(), &all[..2_500]), (2_501, &stored[..]));
    assert_eq!(state.get_messages().limit(2).offset(1_500).await.unwrap(), all[1_500..1_502]);
    assert_eq!(state.get_messages().limit(0).await.unwrap(), []);
    assert_eq!(state.get_messages().last(1_200).await.unwrap(), all[1_301..]);
    assert_eq!(state.get_messages().last(2).offset(1).await.unwrap(), all[2_498..2_500]);
    assert_eq!(state.get_messages().role(Role::Assistant).await.unwrap(), all[2_500..]);
    let (after, before) = (all[10].position, all[13].position);
    assert_eq!(state.get_messages().after(after).before(before).await.unwrap(), all[11..13]);
    let later = all[2_500].created_at + std::time::Duration::from_secs(1);
    assert_eq!(state.get_messages().created(later, None).await.unwrap(), []);
    assert_eq!(state.get_messages().created(None, later).thread(thread).await.unwrap(), all);

    let page = state.get_messages().limit(2_000).page(None).await;
    assert!(matches!(page, Err(Error::Store(StoreError::InvalidArgument(_)))));
    let page = state.get_messages().limit(1_000).offset(1_000).page(None).await.unwrap();
    let next = state.get_messages().limit(1_000).page(page.next).await.unwrap();
    assert_eq!((page.items, next.items), (all[1_000..2_000].to_vec(), all[2_000..2_501].to_vec()));
    let newest = state.get_messages().newest_first().limit(1).page(None).await.unwrap();
    assert_eq!(newest.items, all[2_500..]);
}

#[tokio::test]
async fn conversion_loses_nothing() {
    let state = memory();
    state.create_thread("x").await.unwrap();
    let odd = Content::from_value(json!({"type": "poll", "options": ["a"], "metadata": 7})).unwrap();
    let input = MessageInput::new(Role::Tool, odd.clone());
    state.add_messages([input, (Role::User, "hi").into()]).await.unwrap();
    let messages = state.load_conversation_history(None).await.unwrap();
    assert_eq!((messages[0].role, &messages[0].content), (Role::Tool, &odd));
    assert_eq!(text(&messages[1]), "hi");
    let stored = state.get_messages().await.unwrap();
    assert_eq!(state.convert_to_conversation_messages(&stored), messages);
}

#[tokio::test]
async fn threads_and_messages_are_changed_in_place() {
    let state = memory();
    let thread = state.create_thread("old").metadata(metadata()).await.unwrap();
    let renamed = state.rename_thread("new").await.unwrap();
    assert_eq!((renamed.name.as_str(), &renamed.metadata), ("new", &metadata()));
    let tagged = state.update_thread().thread(thread.id).metadata(Metadata::new()).await.unwrap();
    assert_eq!((tagged.name.as_str(), tagged.metadata.len()), ("new", 0));

    let first = state.add_message(Role::User, "frist").await.unwrap();
    let edited = state.message(first.id).edit("first").await.unwrap();
    assert_eq!(edited.content, Content::text("first"));
    let revisions = state.message(first.id).revisions().await.unwrap();
    assert_eq!(revisions[0].content, first.content);

    let whole = state.get_thread_with_messages(thread.id).await.unwrap().unwrap();
    assert_eq!((whole.thread.id, whole.messages), (thread.id, vec![edited]));
    assert_eq!(state.get_thread_with_messages(absent()).await.unwrap(), None);

    assert!(state.message(first.id).delete().await.unwrap());
    assert!(!state.message(first.id).delete().await.unwrap());
    state.add_message(Role::User, "second").await.unwrap();
    assert_eq!(state.clear_thread(None).await.unwrap(), 1);
    assert!(state.get_current_thread().await.unwrap().is_some());
}

#[tokio::test]
async fn a_store_that_fails_is_the_callers_error() {
    let mut mock = MockConversationRepository::new();
    mock.expect_get_thread().returning(|_, _| Err(unavailable()));
    mock.expect_delete_thread().returning(|_, _| Err(unavailable()));
    mock.expect_append().returning(|_, _, _| Err(unavailable()));
    let state = mocked(mock);
    assert!(state.get_thread(absent()).await.unwrap_err().is_transient());
    assert!(state.set_current_thread(absent()).await.unwrap_err().is_transient());
    assert!(state.delete_thread(absent()).await.unwrap_err().is_transient());
    let error = state.add_message(Role::User, "secret").thread(absent()).await.unwrap_err();
    assert!(error.is_transient());
    let said: Metadata = serde_json::from_value(json!({"secret": "secret"})).unwrap();
    let add = state.add_message(Role::User, "secret").metadata(said.clone());
    let create = state.create_thread("secret").metadata(said.clone());
    let update = state.update_thread().name("secret").metadata(said);
    let text = format!("{error} {error:?} {add:?} {create:?} {update:?}");
    assert!(!text.contains("secret"), "{text}");
    assert!(text.contains("name: 6 bytes") && text.contains("metadata: 1 keys"), "{text}");
}
