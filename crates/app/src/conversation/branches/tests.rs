use std::sync::Arc;

use chatkeep_domain::{
    BranchId, Entity, IdGenerator as _, MockConversationRepository, Position, Role, StoreError,
    UuidV7Generator,
};
use chatkeep_memory::MemoryRepository;

use super::{Conversation, Siblings};
use crate::error::Error;
use crate::history::ConversationHistory;
use crate::state_manager::StateManager;
use crate::testing::scope;
use crate::write_behind::{WriteBehind, WriteBehindConfig};

/// A question and an answer, twice.
async fn chat() -> Conversation {
    let state = StateManager::new(Arc::new(MemoryRepository::new()), scope());
    let chat = state.conversation(state.create_thread("x").await.unwrap().id);
    for text in ["q1", "a1", "q2", "a2"] {
        let role = if text.starts_with('q') { Role::User } else { Role::Assistant };
        chat.add_message(role, text).await.unwrap();
    }
    chat
}

async fn heard(chat: &Conversation) -> String {
    let messages = chat.get_messages().await.unwrap();
    messages.iter().filter_map(|message| message.content.as_text()).collect::<Vec<_>>().join(" ")
}

fn told(siblings: &Siblings) -> (usize, usize, Vec<&str>) {
    let texts = siblings.all().iter().filter_map(|sibling| sibling.message.content.as_text()).collect();
    (siblings.place(), siblings.count(), texts)
}

#[tokio::test]
async fn an_answer_is_regenerated_again_and_again() {
    let chat = chat().await;
    let first = chat.get_messages().await.unwrap()[3].id;
    let other = chat.regenerate_from(first).name("again").await.unwrap();
    let second = other.add_message(Role::Assistant, "b2").await.unwrap();
    // From the new branch too: the alternatives are those of one place, whichever they were made from.
    let third = other.regenerate_from(second.id).await.unwrap();
    let last = third.add_message(Role::Assistant, "c2").await.unwrap();
    third.add_message(Role::User, "q3").await.unwrap();
    assert_eq!((&*heard(&chat).await, &*heard(&other).await), ("q1 a1 q2 a2", "q1 a1 q2 b2"));
    assert_eq!(heard(&third).await, "q1 a1 q2 c2 q3");

    for (on, id, place) in [(&chat, first, 1), (&other, second.id, 2), (&third, last.id, 3)] {
        let siblings = on.siblings(id).await.unwrap();
        assert_eq!(told(&siblings), (place, 3, vec!["a2", "b2", "c2"]));
    }
    let siblings = other.siblings(second.id).await.unwrap();
    let (previous, next) = (siblings.previous().unwrap(), siblings.next().unwrap());
    assert_eq!((previous.branch, next.branch), (chat.branch_id(), third.branch_id()));
    assert_eq!(heard(&chat.on_branch(next.branch)).await, "q1 a1 q2 c2 q3");
    assert_eq!(chat.siblings(first).await.unwrap().previous(), None);
    assert_eq!(third.siblings(last.id).await.unwrap().next(), None);
    // What is behind one of them has none.
    let behind = third.get_messages().last(1).await.unwrap()[0].id;
    assert_eq!(told(&third.siblings(behind).await.unwrap()), (1, 1, vec!["q3"]));
}

#[tokio::test]
async fn a_question_is_rewritten() {
    let chat = chat().await;
    let messages = chat.get_messages().await.unwrap();
    let request = UuidV7Generator.request_id();
    let (other, rewritten) =
        chat.edit_and_branch(messages[0].id, "Q1").name("rewritten").request(request).await.unwrap();
    assert_eq!((rewritten.sender_role, rewritten.branch), (Role::User, other.branch_id()));
    assert_eq!((&*heard(&chat).await, &*heard(&other).await), ("q1 a1 q2 a2", "Q1"));
    // Again: one branch, one message.
    let (again, same) = chat.edit_and_branch(messages[0].id, "Q1").request(request).await.unwrap();
    assert_eq!((again.branch_id(), same), (other.branch_id(), rewritten.clone()));
    assert_eq!(told(&other.siblings(rewritten.id).await.unwrap()), (2, 2, vec!["q1", "Q1"]));
    assert_eq!(chat.branches().await.unwrap().len(), 2);

    let (deep, _) = chat.edit_and_branch(messages[2].id, "Q2").await.unwrap();
    assert_eq!(heard(&deep).await, "q1 a1 Q2");
    assert_eq!(told(&chat.siblings(messages[2].id).await.unwrap()), (1, 2, vec!["q2", "Q2"]));
    assert_eq!(told(&chat.siblings(messages[1].id).await.unwrap()), (1, 1, vec!["a1"]));
}

#[tokio::test]
async fn a_later_session_resumes_the_branch_that_was_chosen() {
    let chat = chat().await;
    let (state, thread) = (chat.state_manager(), chat.thread_id());
    assert_eq!(state.resume_conversation(thread).await.unwrap().branch_id(), BranchId::MAIN);
    let other = chat.create_branch(Position::new(2).unwrap()).await.unwrap();
    other.switch_branch().await.unwrap();
    let resumed = state.resume_conversation(thread).await.unwrap();
    assert_eq!((resumed.branch_id(), &*heard(&resumed).await), (other.branch_id(), "q1 a1"));
    let absent = chat.on_branch(BranchId::new(7));
    let error = absent.switch_branch().await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::NotFound { entity: Entity::Branch, .. })), "{error:?}");
}

#[tokio::test]
async fn everything_that_a_handle_does_is_on_its_branch() {
    let chat = chat().await;
    let other = chat.create_branch(Position::new(2).unwrap()).await.unwrap();
    other.add_messages([(Role::User, "p2"), (Role::Assistant, "o2")]).await.unwrap();
    assert_eq!(other.load_conversation_history().await.unwrap().len(), 4);
    let page = other.get_messages().limit(3).newest_first().page(None).await.unwrap();
    assert_eq!(page.items[0].content.as_text(), Some("o2"));
    assert_eq!(other.get_messages().page(None).unless(page.version.unwrap()).await.unwrap(), None);
    let mut stream = other.stream_messages(chatkeep_domain::MessageQuery::first(2)).unwrap();
    let mut streamed = 0;
    while let Some(message) = stream.next().await {
        message.unwrap();
        streamed += 1;
    }
    assert_eq!(streamed, 4);
    assert_eq!(
        (other.search("o2").await.unwrap().items.len(), other.search("a2").await.unwrap().items.len()),
        (1, 0)
    );
    assert_eq!(chat.search("a2").await.unwrap().items.len(), 1);

    let mut history =
        ConversationHistory::builder().conversation(other.clone()).persist_to_db(true).build().unwrap();
    history.load_from_db().await.unwrap();
    assert_eq!(history.len(), 4);
    history.add_user_message("p3").await.unwrap();
    assert_eq!((&*heard(&other).await, &*heard(&chat).await), ("q1 a1 p2 o2 p3", "q1 a1 q2 a2"));

    assert_eq!(other.rename_branch("aside").await.unwrap().name, "aside");
    assert_eq!(other.truncate_branch(Position::new(6).unwrap()).await.unwrap(), 1);
    assert_eq!(other.delete_branch().await.unwrap(), 2);
    assert_eq!(chat.branches().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_message_that_the_branch_does_not_show_has_no_siblings_on_it() {
    let chat = chat().await;
    let messages = chat.get_messages().await.unwrap();
    let other = chat.create_branch(Position::new(2).unwrap()).await.unwrap();
    for answer in [
        other.siblings(messages[3].id).await.map(drop),
        other.regenerate_from(messages[3].id).await.map(drop),
        other.edit_and_branch(messages[3].id, "x").await.map(drop),
    ] {
        assert!(matches!(
            answer.unwrap_err(),
            Error::Store(StoreError::NotFound { entity: Entity::Message, .. })
        ));
    }
    assert_eq!(chat.branches().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_fork_is_a_thread_of_its_own() {
    let chat = chat().await;
    let state = chat.state_manager();
    let other = chat.create_branch(Position::new(2).unwrap()).await.unwrap();
    other.add_message(Role::User, "p2").await.unwrap();
    let whole = state.conversation(other.fork("whole").await.unwrap().id);
    let part = state.conversation(chat.fork("part").through(Position::new(3).unwrap()).await.unwrap().id);
    assert_eq!((&*heard(&whole).await, &*heard(&part).await), ("q1 a1 p2", "q1 a1 q2"));
    let forks = state.list_forks(chat.thread_id()).await.unwrap().items;
    assert_eq!(forks.len(), 2);
    assert!(forks.iter().all(|fork| fork.forked_from.is_some_and(|from| from.thread == chat.thread_id())));
    let id = part.thread_id();
    assert_eq!(chat.fork("again").through(Position::new(3).unwrap()).id(id).await.unwrap().name, "part");
}

#[tokio::test]
async fn a_store_that_declines_branches_is_unsupported() {
    let mut mock = MockConversationRepository::new();
    mock.expect_branches().returning(|| None);
    mock.expect_name().return_const("mock");
    let state = StateManager::new(Arc::new(mock), scope());
    let chat = state.conversation(UuidV7Generator.thread_id());
    for error in [
        chat.branches().await.unwrap_err(),
        chat.create_branch(Position::ZERO).await.unwrap_err(),
        chat.rename_branch("x").await.unwrap_err(),
        chat.delete_branch().await.unwrap_err(),
        chat.truncate_branch(Position::ZERO).await.unwrap_err(),
    ] {
        assert!(
            matches!(
                error,
                Error::Store(StoreError::Unsupported { operation: "branches", store: "mock", .. })
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn write_behind_keeps_branches_apart() {
    let chat = chat().await;
    let other = chat.create_branch(Position::new(2).unwrap()).await.unwrap();
    let (thread, absent) = (chat.thread_id(), BranchId::new(9));
    let behind = WriteBehind::new(chat.state_manager().clone(), WriteBehindConfig::default()).unwrap();
    behind.push_to_branch(thread, absent, (Role::User, "lost?")).await.unwrap();
    for text in ["1", "2"] {
        behind.push(thread, (Role::User, text)).await.unwrap();
        behind.push_to_branch(thread, other.branch_id(), (Role::User, text)).await.unwrap();
    }
    let error = behind.flush().await.unwrap_err();
    assert!(matches!(error, Error::WriteBehind { unsaved: 1, .. }), "{error:?}");
    assert_eq!((&*heard(&chat).await, &*heard(&other).await), ("q1 a1 q2 a2 1 2", "q1 a1 1 2"));
    let failed = behind.take_failed().await;
    assert_eq!((failed.len(), failed[0].thread, failed[0].branch), (1, thread, absent));
    assert_eq!(failed[0].message.content.as_text(), Some("lost?"));
    behind.close().await.unwrap();

    let builder =
        ConversationHistory::builder().conversation(other.clone()).write_behind(WriteBehindConfig::default());
    let mut history = builder.build().unwrap();
    history.add_user_message("3").await.unwrap();
    history.close().await.unwrap();
    assert_eq!((&*heard(&chat).await, &*heard(&other).await), ("q1 a1 q2 a2 1 2", "q1 a1 1 2 3"));
}
