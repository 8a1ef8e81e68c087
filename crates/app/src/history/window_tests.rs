//! What the window shows, and what is durable whatever it shows.

use std::sync::Arc;

use chatkeep_domain::{Content, MessageId, Role, StoreError};
use serde_json::json;

use super::ConversationHistory;
use crate::conversation::Conversation;
use crate::error::Error;
use crate::testing::{Faulty, text};
use crate::write_behind::WriteBehindConfig;

fn history(chat: &Conversation, most: impl Into<Option<usize>>) -> ConversationHistory {
    let builder = ConversationHistory::builder().conversation(chat.clone()).persist_to_db(true);
    builder.max_messages(most).build().unwrap()
}

fn texts(history: &ConversationHistory) -> Vec<&str> {
    history.iter().map(text).collect()
}

/// Stores a message, and loses the answer.
async fn lost(history: &mut ConversationHistory, store: &Arc<Faulty>, chat: &Conversation) -> MessageId {
    let id = chat.state_manager().ids().message_id();
    Faulty::set(&store.loses_answers, true);
    assert!(history.add_user_message("lost").id(id).await.unwrap_err().is_transient());
    Faulty::set(&store.loses_answers, false);
    id
}

#[tokio::test]
async fn the_same_add_after_a_load_changes_nothing() {
    let store = Faulty::new();
    let chat = store.conversation().await;
    let mut history = history(&chat, None);
    let id = lost(&mut history, &store, &chat).await;
    history.load_from_db().await.unwrap();
    let added = history.add_user_message("lost").id(id).await.unwrap();
    let stored = chat.get_messages().await.unwrap();
    assert_eq!((added.id, added.position, added.in_window), (Some(id), Some(stored[0].position), true));
    assert_eq!((texts(&history), stored.len()), (vec!["lost"], 1));
}

#[tokio::test]
async fn the_same_add_without_a_store_enters_once() {
    let mut history = ConversationHistory::default();
    let id = "0198c0de-0000-7000-8000-000000000001".parse().unwrap();
    for _ in 0..2 {
        assert!(history.add_user_message("once").id(id).await.unwrap().in_window);
    }
    assert_eq!(texts(&history), ["once"]);
}

#[tokio::test]
async fn the_same_add_of_what_left_or_was_too_old_for_a_load_does_not_come_back() {
    let store = Faulty::new();
    let chat = store.conversation().await;
    let mut history = history(&chat, 2);
    let id = lost(&mut history, &store, &chat).await;
    for text in ["1", "2", "3", "4"] {
        chat.add_message(Role::User, text).await.unwrap();
    }
    history.load_from_db().await.unwrap();
    assert!(!history.add_user_message("lost").id(id).await.unwrap().in_window);
    assert_eq!(texts(&history), ["3", "4"]);

    let left = history.add_user_message("5").await.unwrap().id.unwrap();
    history.add_user_message("6").await.unwrap();
    history.add_user_message("7").await.unwrap();
    assert!(!history.add_user_message("5").id(left).await.unwrap().in_window);
    assert_eq!(texts(&history), ["6", "7"]);
}

#[tokio::test]
async fn a_result_carries_the_id_of_a_call_that_left_the_window() {
    let chat = Faulty::new().conversation().await;
    let mut history = history(&chat, 1);
    history.add_tool_call("call_1", "weather", json!({})).await.unwrap();
    history.add_user_message("still there?").await.unwrap();
    assert_eq!(history.pending_tool_calls(), []);
    history.add_tool_result("weather", "rain").await.unwrap();
    let stored = chat.get_messages().await.unwrap();
    assert_eq!(stored[2].content, Content::tool_result("call_1", "weather", "rain"));
}

#[tokio::test]
async fn a_call_that_was_answered_too_early_is_not_pending_after_a_load() {
    let chat = Faulty::new().conversation().await;
    let result = Content::tool_result("call_1", "weather", "rain");
    let call = Content::tool_call("call_1", "weather", json!({}));
    chat.add_messages([(Role::Tool, result), (Role::Assistant, call)]).await.unwrap();
    let mut history = history(&chat, None);
    history.load_from_db().await.unwrap();
    assert_eq!(history.pending_tool_calls(), []);
    assert_eq!(history.len(), 2);
}

#[tokio::test]
async fn a_result_carries_the_id_of_a_call_that_was_read_and_did_not_fit() {
    let chat = Faulty::new().conversation().await;
    let call = Content::tool_call("call_1", "weather", json!({}));
    chat.add_messages([(Role::Assistant, call), (Role::User, "still there?".into())]).await.unwrap();
    let mut history = history(&chat, 1);
    history.load_from_db().await.unwrap();
    history.add_tool_result("weather", "rain").await.unwrap();
    let stored = chat.get_messages().await.unwrap();
    assert_eq!(stored[2].content, Content::tool_result("call_1", "weather", "rain"));
}

#[tokio::test]
async fn a_result_of_a_tool_that_no_call_waits_for_is_refused_and_not_stored() {
    let chat = Faulty::new().conversation().await;
    let mut history = history(&chat, None);
    let error = history.add_tool_result("weather", "rain").await.unwrap_err();
    assert!(
        matches!(&error, Error::Store(StoreError::InvalidArgument(refused)) if refused.field == "tool_name")
    );
    assert!(chat.get_messages().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_same_result_after_a_load_is_the_one_that_was_stored() {
    let store = Faulty::new();
    let chat = store.conversation().await;
    let mut history = history(&chat, None);
    history.add_tool_call("call_1", "weather", json!({})).await.unwrap();
    let id = chat.state_manager().ids().message_id();
    Faulty::set(&store.loses_answers, true);
    assert!(history.add_tool_result("weather", "rain").id(id).await.unwrap_err().is_transient());
    Faulty::set(&store.loses_answers, false);
    history.load_from_db().await.unwrap();
    let added = history.add_tool_result("weather", "rain").id(id).await.unwrap();
    let stored = chat.get_messages().await.unwrap();
    assert_eq!((added.id, added.position, added.in_window), (Some(id), Some(stored[1].position), true));
    assert_eq!((stored.len(), history.len()), (2, 2));
}

#[tokio::test]
async fn write_behind_shows_the_same_add_once() {
    let chat = Faulty::new().conversation().await;
    let builder = ConversationHistory::builder().conversation(chat.clone());
    let mut history = builder.write_behind(WriteBehindConfig::default()).build().unwrap();
    let id = history.add_user_message("once").await.unwrap().id.unwrap();
    history.add_user_message("once").id(id).await.unwrap();
    history.load_from_db().await.unwrap();
    assert!(history.add_user_message("once").id(id).await.unwrap().in_window);
    history.flush().await.unwrap();
    assert_eq!((texts(&history), chat.get_messages().await.unwrap().len()), (vec!["once"], 1));
}

#[tokio::test]
async fn an_edit_in_the_store_shows_after_the_next_load() {
    let chat = Faulty::new().conversation().await;
    let mut history = history(&chat, None);
    let id = history.add_user_message("first").await.unwrap().id.unwrap();
    chat.message(id).edit("edited").await.unwrap();
    history.add_user_message("first").id(id).await.unwrap();
    assert_eq!(texts(&history), ["first"]);
    history.load_from_db().await.unwrap();
    assert_eq!(texts(&history), ["edited"]);
}

/// Ids as some providers make them, anew in each turn.
#[tokio::test]
async fn a_result_whose_call_was_not_read_answers_no_later_call_of_the_same_id() {
    let chat = Faulty::new().conversation().await;
    let call = || (Role::Assistant, Content::tool_call("call_0", "weather", json!({})));
    let result = (Role::Tool, Content::tool_result("call_0", "weather", "rain"));
    let said = || (Role::User, Content::text("said"));
    chat.add_messages([call(), result, said(), call()]).await.unwrap();
    // The first page ends between the first call and its result.
    let mut loaded = history(&chat, 2);
    loaded.load_from_db().await.unwrap();
    assert_eq!(loaded.pending_tool_calls().len(), 1);

    // As does this one; the next call is made after the load.
    let chat = Faulty::new().conversation().await;
    let result = (Role::Tool, Content::tool_result("call_0", "weather", "rain"));
    chat.add_messages([call(), result, said(), said(), said()]).await.unwrap();
    let builder = ConversationHistory::builder().conversation(chat).max_messages(3).max_tokens(1);
    let mut loaded = builder.build().unwrap();
    loaded.load_from_db().await.unwrap();
    loaded.add_tool_call("call_0", "weather", json!({})).await.unwrap();
    assert_eq!(loaded.pending_tool_calls().len(), 1);
}
