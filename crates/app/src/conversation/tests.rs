use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use chatkeep_domain::{
    Content, MessageFilter, MessageQuery, Metadata, MockConversationRepository, OrgId, Position, Role, Scope,
    StoreError, ThreadId, UserId,
};
use chatkeep_memory::MemoryRepository;
use serde_json::json;
use tokio::task::yield_now;

use super::Conversation;
use crate::error::Error;
use crate::input::MessageInput;
use crate::state_manager::StateManager;
use crate::testing::{scope, text, unavailable};

fn memory() -> StateManager {
    StateManager::new(Arc::new(MemoryRepository::new()), scope())
}

async fn conversation() -> Conversation {
    let state = memory();
    state.conversation(state.create_thread("x").await.unwrap().id)
}

fn absent() -> ThreadId {
    "0198c0de-0000-7000-8000-000000000001".parse().unwrap()
}

fn metadata() -> Metadata {
    serde_json::from_value(json!({"model": "m"})).unwrap()
}

/// With a current thread that clones share, 35 of these 40 messages go to the thread that was made last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clone_for_each_request_writes_to_the_requests_own_thread() {
    let state = memory();
    let requests: Vec<_> = (0..8)
        .map(|request: usize| {
            let state = state.clone();
            tokio::spawn(async move {
                let thread = state.create_thread(request.to_string()).await.unwrap();
                let chat = state.conversation(thread.id);
                for _ in 0..5 {
                    yield_now().await;
                    chat.add_message(Role::User, request.to_string()).await.unwrap();
                }
                thread
            })
        })
        .collect();
    for request in requests {
        let thread = request.await.unwrap();
        let said = state.conversation(thread.id).load_conversation_history().await.unwrap();
        assert_eq!(said.iter().map(text).collect::<Vec<_>>(), [thread.name.as_str(); 5]);
    }
}

/// Two tasks with clones of one handle, while the manager goes on with other threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handle_and_its_clones_stay_with_their_thread() {
    let chat = conversation().await;
    let tasks = ["one", "two"].map(|text| {
        let chat = chat.clone();
        tokio::spawn(async move {
            for _ in 0..20 {
                let other = chat.state_manager().create_thread("other").await.unwrap();
                chat.add_message(Role::User, text).await.unwrap();
                chat.state_manager().delete_thread(other.id).await.unwrap();
            }
        })
    });
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(chat.get_messages().await.unwrap().len(), 40);
    assert_eq!(chat.get_thread().await.unwrap().id, chat.thread_id());
}

#[tokio::test]
async fn a_request_outlives_the_handle_that_made_it() {
    let state = memory();
    let thread = state.create_thread("x").await.unwrap().id;
    let request = state.conversation(thread).add_message(Role::User, "hi");
    let added = tokio::spawn(request.into_future()).await.unwrap().unwrap();
    let message = state.conversation(thread).message(added.id);
    let mut stream = state.conversation(thread).stream_messages(MessageQuery::default()).unwrap();
    drop(state);
    assert_eq!(message.get().await.unwrap(), added);
    assert_eq!(stream.next().await.unwrap().unwrap(), added);
}

#[tokio::test]
async fn a_thread_that_is_not_there_is_told_by_the_first_call_that_needs_it() {
    let state = memory();
    let id = state.ids().message_id();
    let elsewhere = StateManager::new(
        Arc::clone(state.repository()),
        Scope::user(OrgId::new("acme").unwrap(), UserId::new("bob").unwrap()),
    );
    let hers = state.create_thread("ada's").await.unwrap().id;
    for chat in [state.conversation(absent()), elsewhere.conversation(hers)] {
        let errors = [
            chat.get_thread().await.unwrap_err(),
            chat.add_message(Role::User, "x").await.unwrap_err(),
            chat.add_messages([(Role::User, "x")]).await.unwrap_err(),
            chat.get_messages().await.unwrap_err(),
            chat.get_messages().page(None).await.unwrap_err(),
            chat.messages_between(None, None).await.unwrap_err(),
            chat.load_conversation_history().await.unwrap_err(),
            chat.stream_messages(MessageQuery::default()).unwrap().next().await.unwrap().unwrap_err(),
            chat.search("x").await.unwrap_err(),
            chat.message(id).get().await.unwrap_err(),
            chat.message(id).edit("x").await.unwrap_err(),
            chat.message(id).revisions().await.unwrap_err(),
            chat.update().metadata(metadata()).await.unwrap_err(),
            chat.rename("x").await.unwrap_err(),
            chat.clear().await.unwrap_err(),
        ];
        for error in errors {
            assert!(error.is_not_found(), "{error}");
            assert!(error.to_string().contains(&chat.thread_id().to_string()), "{error}");
        }
        assert!(!chat.message(id).delete().await.unwrap());
        assert!(!chat.delete().await.unwrap());
    }
    assert_eq!(state.get_thread(hers).await.unwrap().unwrap().name, "ada's");
}

#[tokio::test]
async fn a_message_carries_everything_that_the_request_says() {
    let chat = conversation().await;
    let (sender, id) = (UserId::new("bob").unwrap(), absent().as_uuid().to_owned().into());
    let request = || {
        chat.add_message(Role::User, Content::text("hi"))
            .sender(sender.clone())
            .metadata(metadata())
            .id(id)
            .expect_head(Position::ZERO)
    };
    let message = request().await.unwrap();
    assert_eq!(message.chat_thread_id, chat.thread_id());
    assert_eq!((message.id, message.sender_id.as_ref()), (id, Some(&sender)));
    assert_eq!(message.content.metadata(), Some(&metadata()));
    assert_eq!(message.position.get(), 1);

    assert_eq!(request().await.unwrap(), message, "a retry stores nothing twice");
    let late = chat.add_message(Role::User, "late").expect_head(Position::ZERO);
    assert!(matches!(late.await.unwrap_err(), Error::Store(StoreError::Conflict { .. })));
    let late = chat.add_messages([(Role::User, "late")]).expect_head(Position::ZERO);
    assert!(matches!(late.await.unwrap_err(), Error::Store(StoreError::Conflict { .. })));
    assert_eq!(chat.message(id).get().await.unwrap(), message);
}

#[tokio::test]
async fn messages_are_read_in_order_whatever_is_left_out() {
    let chat = conversation().await;
    let batch = (0..2_500).map(|number| (Role::User, number.to_string()));
    let stored = chat.add_messages(batch).await.unwrap();
    chat.add_message(Role::Assistant, "answer").await.unwrap();

    let all = chat.get_messages().await.unwrap();
    assert_eq!((all.len(), &all[..2_500]), (2_501, &stored.messages[..]));
    assert_eq!(chat.get_messages().limit(2).offset(1_500).await.unwrap(), all[1_500..1_502]);
    assert_eq!(chat.get_messages().limit(0).await.unwrap(), []);
    assert_eq!(chat.get_messages().last(1_200).await.unwrap(), all[1_301..]);
    assert_eq!(chat.get_messages().last(2).offset(1).await.unwrap(), all[2_498..2_500]);
    assert_eq!(
        chat.get_messages().filter(MessageFilter::new().role(Role::Assistant)).await.unwrap(),
        all[2_500..]
    );
    let (after, before) = (all[10].position, all[13].position);
    assert_eq!(chat.get_messages().after(after).before(before).await.unwrap(), all[11..13]);
    let later = all[2_500].created_at + Duration::from_secs(1);
    assert_eq!(chat.messages_between(later, None).await.unwrap(), []);
    assert_eq!(chat.messages_between(None, later).await.unwrap(), all);

    let page = chat.get_messages().limit(2_000).page(None).await;
    assert!(matches!(page, Err(Error::Store(StoreError::InvalidArgument(_)))));
    let page = chat.get_messages().limit(1_000).offset(1_000).page(None).await.unwrap();
    let next = chat.get_messages().limit(1_000).page(page.next).await.unwrap();
    assert_eq!((page.items, next.items), (all[1_000..2_000].to_vec(), all[2_000..2_501].to_vec()));
    let newest = chat.get_messages().newest_first().limit(1).page(None).await.unwrap();
    assert_eq!(newest.items, all[2_500..]);
}

#[tokio::test]
async fn conversion_loses_nothing() {
    let chat = conversation().await;
    let odd = Content::from_value(json!({"type": "poll", "options": ["a"], "metadata": 7})).unwrap();
    let input = MessageInput::new(Role::Tool, odd.clone());
    chat.add_messages([input, (Role::User, "hi").into()]).await.unwrap();
    let messages = chat.load_conversation_history().await.unwrap();
    assert_eq!((messages[0].role, &messages[0].content), (Role::Tool, &odd));
    assert_eq!(text(&messages[1]), "hi");
    let stored = chat.get_messages().await.unwrap();
    assert_eq!(chat.state_manager().convert_to_conversation_messages(&stored), messages);
}

#[tokio::test]
async fn threads_and_messages_are_changed_in_place() {
    let state = memory();
    let thread = state.create_thread("old").metadata(metadata()).await.unwrap();
    let chat = state.conversation(thread.id);
    let renamed = chat.rename("new").await.unwrap();
    assert_eq!((renamed.name.as_str(), &renamed.metadata), ("new", &metadata()));
    let tagged = chat.update().metadata(Metadata::new()).await.unwrap();
    assert_eq!((tagged.name.as_str(), tagged.metadata.len()), ("new", 0));

    let first = chat.add_message(Role::User, "frist").await.unwrap();
    let message = chat.message(first.id);
    let edited = message.edit("first").await.unwrap();
    assert_eq!(edited.content, Content::text("first"));
    assert_eq!(message.revisions().await.unwrap()[0].content, first.content);
    assert_eq!(message.get().await.unwrap(), edited);
    assert!(message.delete().await.unwrap());
    assert!(!message.delete().await.unwrap());

    chat.add_message(Role::User, "second").await.unwrap();
    assert_eq!(chat.clear().await.unwrap(), 1);
    assert_eq!(chat.get_thread().await.unwrap().name, "new");
    assert!(chat.delete().await.unwrap());
    assert!(!chat.delete().await.unwrap());
    assert_eq!(state.get_thread(thread.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_store_that_fails_is_the_callers_error_and_shows_nothing_of_what_is_said() {
    let mut mock = MockConversationRepository::new();
    mock.expect_append().returning(|_, _, _| Err(unavailable()));
    mock.expect_get_thread().returning(|_, _| Err(unavailable()));
    mock.expect_delete_message().returning(|_, _, _, _| Err(unavailable()));
    let chat = StateManager::new(Arc::new(mock), scope()).conversation(absent());
    assert!(chat.get_thread().await.unwrap_err().is_transient());
    assert!(chat.message(chat.state_manager().ids().message_id()).delete().await.unwrap_err().is_transient());
    let error = chat.add_message(Role::User, "secret").await.unwrap_err();
    assert!(error.is_transient());
    let said: Metadata = serde_json::from_value(json!({"secret": "secret"})).unwrap();
    let add = chat.add_message(Role::User, "secret").metadata(said.clone());
    let update = chat.rename("secret").metadata(said);
    let text = format!("{error} {error:?} {add:?} {update:?}");
    assert!(!text.contains("secret"), "{text}");
    assert!(text.contains("metadata: Some(1 keys)"), "{text}");
}
