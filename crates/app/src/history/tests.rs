use std::future::IntoFuture;
use std::sync::atomic::Ordering;

use chatkeep_domain::{
    Content, Entity, Message, MessageQuery, Metadata, Order, Role, StoreError, TokenCounter,
};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::yield_now;

use super::ConversationHistory;
use crate::conversation::Conversation;
use crate::error::Error;
use crate::history::load::Loaded;
use crate::testing::{Faulty, text};
use crate::write_behind::WriteBehindConfig;

fn texts(history: &ConversationHistory) -> Vec<&str> {
    history.iter().map(text).collect()
}

fn persisted(chat: &Conversation) -> ConversationHistory {
    ConversationHistory::builder().conversation(chat.clone()).persist_to_db(true).build().unwrap()
}

fn metadata() -> Metadata {
    serde_json::from_value(json!({"tool_name": "m"})).unwrap()
}

#[derive(Debug)]
struct One;

impl TokenCounter for One {
    fn count(&self, _: &Message) -> usize {
        1
    }
}

#[tokio::test]
async fn the_window_keeps_what_fits_and_counts_it() {
    let mut history = ConversationHistory::builder().max_tokens(3).build().unwrap();
    for text in ["12345678", "1234", "1234"] {
        history.add_user_message(text).await.unwrap();
    }
    assert_eq!((history.len(), history.token_count()), (2, 2));

    let mut history = ConversationHistory::builder().max_tokens(2).token_counter(One).build().unwrap();
    for text in ["one is long", "two is long", "three is long"] {
        history.add_assistant_message(text).await.unwrap();
    }
    assert_eq!(texts(&history), ["two is long", "three is long"]);
    history.clear();
    assert!(history.is_empty());
    assert_eq!(history.token_count(), 0);
}

#[tokio::test]
async fn limits_of_zero_and_persistence_without_a_conversation_are_refused() {
    let error = ConversationHistory::builder().max_messages(0).build().unwrap_err();
    assert!(error.to_string().starts_with("max_messages must be at least 1"));
    for builder in [
        ConversationHistory::builder().persist_to_db(true),
        ConversationHistory::builder().write_behind(WriteBehindConfig::default()),
    ] {
        let error = builder.build().unwrap_err();
        assert!(matches!(error, Error::Store(StoreError::InvalidArgument(_))));
        assert!(error.to_string().starts_with("conversation must be given"), "{error}");
    }
    let mut alone = ConversationHistory::default();
    assert!(alone.conversation().is_none());
    let error = alone.load_from_db().await.unwrap_err();
    assert!(error.to_string().starts_with("conversation must be given"), "{error}");
}

#[tokio::test]
async fn prompts_read_as_the_forerunners_did() {
    let mut history = ConversationHistory::default();
    history.add_system_message("rule").await.unwrap();
    history.add_user_message("question").await.unwrap();
    history.add_tool_call("c", "weather", json!({"city": "Oslo"})).await.unwrap();
    history.add_tool_result("weather", "rain").await.unwrap();
    history.add_message(Role::Tool, "plain").metadata(metadata()).await.unwrap();
    history.add_message(Role::Tool, "plainer").await.unwrap();
    history.add_assistant_message("answer").await.unwrap();
    let body = "User: question\n\
                Assistant: weather({\"city\":\"Oslo\"})\n\
                Tool (weather): rain\n\
                Tool (m): plain\n\
                Tool (unknown): plainer\n\
                Assistant: answer";
    assert_eq!(history.format_for_prompt(false, None), body);
    assert_eq!(history.format_for_prompt(true, None), format!("System: rule\n{body}"));
    assert_eq!(history.format_for_prompt(false, 1), "Assistant: answer");
    // The call with all that belongs to it is four messages: nothing of it comes with three.
    assert_eq!(history.format_for_prompt(false, 4), "Assistant: answer");
    assert_eq!(history.get_messages(5).len(), 5);
    assert_eq!(history.format_for_prompt(false, 0), "");
}

#[tokio::test]
async fn a_result_answers_the_oldest_open_call_of_its_tool() {
    let mut history = ConversationHistory::default();
    for (id, tool) in [("a", "x"), ("b", "y"), ("c", "x")] {
        history.add_tool_call(id, tool, json!({})).await.unwrap();
    }
    let pending = |history: &ConversationHistory| -> Vec<String> {
        history.pending_tool_calls().iter().map(|call| call.id.to_owned()).collect()
    };
    history.add_tool_result("x", "1").await.unwrap();
    assert_eq!(pending(&history), ["b", "c"]);
    history.add_tool_result_for("b", "y", "2").await.unwrap();
    history.add_tool_result("x", "3").await.unwrap();
    assert_eq!(pending(&history), [""; 0]);
    let ids: Vec<_> = history
        .iter()
        .flat_map(|message| message.content.tool_results().into_iter().map(|result| result.tool_call_id))
        .collect();
    assert_eq!(ids, ["a", "b", "c"]);

    assert!(history.add_tool_result("x", "4").await.is_err());
    assert!(!history.add_tool_result_for("gone", "x", "5").await.unwrap().in_window);
}

#[tokio::test]
async fn what_is_added_is_stored_first_and_with_everything() {
    let chat = Faulty::new().conversation().await;
    let mut history = persisted(&chat);
    let sender = chatkeep_domain::UserId::new("bob").unwrap();
    let added = history.add_user_message("hi").metadata(metadata()).sender(sender.clone()).await.unwrap();
    let stored = chat.get_messages().await.unwrap();
    assert_eq!((added.id, added.position), (Some(stored[0].id), Some(stored[0].position)));
    assert_eq!((stored[0].content.metadata(), &stored[0].sender_id), (Some(&metadata()), &Some(sender)));
    assert_eq!(history.get_messages(None), [Message::from(&stored[0])]);
    assert_eq!(history.conversation().unwrap().thread_id(), chat.thread_id());

    // An orphan is kept in the store, though not in the window.
    let orphan = history.add_tool_result_for("gone", "x", "1").await.unwrap();
    assert!(!orphan.in_window);
    assert_eq!(chat.get_messages().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_message_that_was_not_stored_is_not_in_the_window() {
    let store = Faulty::new();
    let chat = store.conversation().await;
    let mut history = persisted(&chat);
    Faulty::set(&store.loses_answers, true);
    let id = chat.state_manager().ids().message_id();
    assert!(history.add_user_message("x").id(id).await.unwrap_err().is_transient());
    assert!(history.is_empty());
    Faulty::set(&store.loses_answers, false);
    history.add_user_message("x").id(id).await.unwrap();
    assert_eq!((history.len(), chat.get_messages().await.unwrap().len()), (1, 1));
}

#[tokio::test]
async fn each_history_writes_to_its_own_conversation_and_loads_it_after_a_clear() {
    let state = Faulty::new().state();
    let first = state.conversation(state.create_thread("first").await.unwrap().id);
    let second = state.conversation(state.create_thread("second").await.unwrap().id);
    let (mut one, mut two) = (persisted(&first), persisted(&second));
    for number in ["1", "2", "3"] {
        one.add_user_message(format!("one {number}")).await.unwrap();
        two.add_user_message(format!("two {number}")).await.unwrap();
    }
    for (history, expected) in
        [(&mut one, ["one 1", "one 2", "one 3"]), (&mut two, ["two 1", "two 2", "two 3"])]
    {
        history.clear();
        assert!(history.is_empty());
        history.load_from_db().await.unwrap();
        assert_eq!(texts(history), expected);
    }
    assert_eq!(first.get_messages().await.unwrap().len(), 3);
}

#[tokio::test]
async fn loading_settles_a_request_that_was_dropped_or_whose_answer_was_lost() {
    let store = Faulty::new();
    let mut history = persisted(&store.conversation().await);
    store.gate.forget_permits(usize::MAX);
    tokio::select! {
        biased;
        _ = history.add_user_message("dropped").into_future() => panic!("the gate is shut"),
        () = yield_now() => {}
    }
    store.gate.add_permits(Semaphore::MAX_PERMITS);
    history.load_from_db().await.unwrap();
    assert!(history.is_empty());

    Faulty::set(&store.loses_answers, true);
    assert!(history.add_user_message("lost").await.unwrap_err().is_transient());
    Faulty::set(&store.loses_answers, false);
    assert!(history.is_empty());
    history.load_from_db().await.unwrap();
    assert_eq!(texts(&history), ["lost"]);
}

#[tokio::test]
async fn loading_brings_what_fits_with_all_system_messages_and_open_calls() {
    let chat = Faulty::new().conversation().await;
    chat.add_message(Role::System, "first rule").await.unwrap();
    let batch = (0..3_000).map(|number| (Role::User, number.to_string()));
    chat.add_messages(batch).await.unwrap();
    chat.add_message(Role::System, "second rule").await.unwrap();
    let call = |id| (Role::Assistant, Content::tool_call(id, "x", json!({})));
    let result = |id| (Role::Tool, Content::tool_result(id, "x", "done"));
    chat.add_messages([call("a"), result("a"), call("b")]).await.unwrap();

    let load = async |history: &mut ConversationHistory| {
        history.load_from_db().await.unwrap();
        let calls: Vec<_> = history.pending_tool_calls().iter().map(|call| call.id.to_owned()).collect();
        assert_eq!(calls, ["b"]);
        let whole: Vec<_> = history.iter().map(|message| message.content.to_plain_text()).collect();
        whole
    };
    let rules = ["first rule", "second rule"];
    let build = |most: usize| {
        ConversationHistory::builder().max_messages(most).conversation(chat.clone()).build().unwrap()
    };
    assert_eq!(
        load(&mut build(6)).await,
        [&rules[..1], &["2999"], &rules[1..], &["x({})", "done", "x({})"]].concat()
    );
    assert_eq!(load(&mut build(5)).await, [&rules[..], &["x({})", "done", "x({})"]].concat());
    assert_eq!(load(&mut build(4)).await, [&rules[..], &["x({})"]].concat());

    let mut by_tokens = ConversationHistory::builder()
        .max_tokens(300)
        .token_counter(One)
        .conversation(chat.clone())
        .build()
        .unwrap();
    assert_eq!(load(&mut by_tokens).await.len(), 300);
    let mut all = ConversationHistory::builder().conversation(chat.clone()).build().unwrap();
    assert_eq!(load(&mut all).await.len(), 3_005);
    let before: Vec<Message> = all.get_messages(None);
    chat.delete().await.unwrap();
    assert!(all.load_from_db().await.unwrap_err().is_not_found());
    assert_eq!(all.get_messages(None), before);
}

#[tokio::test]
async fn loading_reads_no_more_of_a_long_thread_than_the_window_may_hold() {
    let store = Faulty::new();
    let chat = store.conversation().await;
    chat.add_message(Role::System, "rule").await.unwrap();
    for _ in 0..10 {
        chat.add_messages((0..1_000).map(|number| (Role::User, number.to_string()))).await.unwrap();
    }
    let builder = || ConversationHistory::builder().conversation(chat.clone()).token_counter(One);
    // The first tells that the window is full; the rule, which is pinned, is read besides.
    for (builder, pages, messages) in [
        (builder().max_messages(10), 1, 11),
        (builder().max_messages(1_500), 2, 2_000),
        (builder().max_tokens(300), 2, 400),
        (builder().max_messages(10).max_tokens(300), 1, 11),
    ] {
        let before = store.listed.swap(0, Ordering::SeqCst);
        store.lists.lock().unwrap().clear();
        let mut history = builder.build().unwrap();
        history.load_from_db().await.unwrap();
        assert_eq!(texts(&history).last(), Some(&"999"), "after {before}");
        assert_eq!(store.listed.load(Ordering::SeqCst), messages + 1);
        let lists = store.lists.lock().unwrap();
        assert_eq!(lists.len(), pages + 1);
        assert!(lists.iter().all(|query| query.order == Order::NewestFirst));
    }
}

#[tokio::test]
async fn a_stream_gives_all_of_the_conversation_and_what_waited() {
    let store = Faulty::new();
    let chat = store.conversation().await;
    let builder = ConversationHistory::builder().conversation(chat.clone()).max_messages(1);
    let mut history = builder.write_behind(WriteBehindConfig::default()).build().unwrap();
    for text in ["1", "2", "3"] {
        history.add_user_message(text).await.unwrap();
    }

    let mut stream = history.stream_messages(MessageQuery::first(2)).await.unwrap();
    let mut said = Vec::new();
    while let Some(message) = stream.next().await {
        said.push(message.unwrap().content.to_plain_text());
    }
    assert_eq!(said, ["1", "2", "3"]);

    Faulty::set(&store.broken, true);
    history.add_user_message("4").await.unwrap();
    assert!(matches!(
        history.stream_messages(MessageQuery::default()).await.unwrap_err(),
        Error::WriteBehind { unsaved: 1, .. }
    ));
    let error = ConversationHistory::default().stream_messages(MessageQuery::default()).await.unwrap_err();
    assert!(error.to_string().starts_with("conversation must be given"), "{error}");
}

#[tokio::test]
async fn write_behind_stores_the_same_and_loads_after_a_flush() {
    let store = Faulty::new();
    let chat = store.conversation().await;
    let mut history = ConversationHistory::builder()
        .conversation(chat.clone())
        .write_behind(WriteBehindConfig::default())
        .build()
        .unwrap();
    let added = history.add_user_message("1").await.unwrap();
    history.add_user_message("2").await.unwrap();
    assert_eq!((texts(&history), added.position), (vec!["1", "2"], None));
    history.load_from_db().await.unwrap();
    assert_eq!(texts(&history), ["1", "2"]);
    assert_eq!(chat.get_messages().await.unwrap()[0].id, added.id.unwrap());
    assert_eq!(store.appends.load(Ordering::SeqCst), 1);

    Faulty::set(&store.broken, true);
    history.add_user_message("3").await.unwrap();
    assert!(matches!(history.flush().await.unwrap_err(), Error::WriteBehind { unsaved: 1, .. }));
    let failed = history.take_failed().await;
    assert_eq!(failed[0].message.content, Content::text("3"));
    history.close().await.unwrap();
    assert!(matches!(history.add_user_message("4").await.unwrap_err(), Error::Closed { .. }));
    assert_eq!(texts(&history), ["1", "2", "3"]);
}

#[tokio::test]
async fn what_is_configured_persists_unless_the_builder_says_otherwise() {
    for (configured, said, stored) in
        [(true, None, 1), (false, None, 0), (true, Some(false), 0), (false, Some(true), 1)]
    {
        let state = Faulty::new().state().with_persistence(configured);
        let chat = state.conversation(state.create_thread("x").await.unwrap().id);
        let builder = ConversationHistory::builder().conversation(chat.clone());
        let builder = match said {
            Some(on) => builder.persist_to_db(on),
            None => builder,
        };
        builder.build().unwrap().add_user_message("x").await.unwrap();
        assert_eq!(chat.get_messages().await.unwrap().len(), stored, "{configured} {said:?}");
    }
    ConversationHistory::builder().build().unwrap().add_user_message("x").await.unwrap();
}

#[tokio::test]
async fn loading_passes_over_corrupt_messages_and_reports_them() {
    let store = Faulty::new();
    let chat = store.conversation().await;
    let mut history = persisted(&chat);
    history.add_system_message("one").await.unwrap();
    history.add_system_message("two").await.unwrap();
    for text in ["three", "four", "five", "six"] {
        history.add_user_message(text).await.unwrap();
    }
    *store.corrupt.lock().unwrap() = vec![1, 4, 6];
    let positions = |loaded: &Loaded| -> Vec<i64> {
        loaded.corrupt.iter().map(|message| message.position.get()).collect()
    };
    let loaded = history.load_from_db().await.unwrap();
    assert_eq!(texts(&history), ["two", "three", "five"]);
    assert_eq!(positions(&loaded), [6, 4, 1]);
    assert!(matches!(&loaded.corrupt[0].error, StoreError::CorruptRow { .. }));

    // A window that is full reads no further than it needs, and then the system messages.
    let builder = ConversationHistory::builder().conversation(chat.clone()).max_messages(2);
    let mut history = builder.build().unwrap();
    let loaded = history.load_from_db().await.unwrap();
    assert_eq!(texts(&history), ["two", "five"]);
    assert_eq!(positions(&loaded), [6, 4, 1]);
}

#[tokio::test]
async fn a_corrupt_call_or_result_is_missing_to_the_window() {
    let store = Faulty::new();
    let chat = store.conversation().await;
    let mut history = persisted(&chat);
    history.add_tool_call("a", "weather", json!({})).await.unwrap();
    history.add_tool_result_for("a", "weather", "rain").await.unwrap();
    history.add_tool_call("b", "clock", json!({})).await.unwrap();
    history.add_tool_result_for("b", "clock", "nine").await.unwrap();
    *store.corrupt.lock().unwrap() = vec![1, 4];
    let loaded = history.load_from_db().await.unwrap();
    assert_eq!(loaded.corrupt.len(), 2);
    assert_eq!(history.len(), 1, "the result of a call that cannot be read is none");
    assert_eq!(history.pending_tool_calls()[0].id, "b");
}

#[tokio::test]
async fn a_corrupt_message_without_a_place_ends_the_loading() {
    let store = Faulty::new();
    let chat = store.conversation().await;
    let mut history = persisted(&chat);
    history.add_user_message("one").await.unwrap();
    *store.check_page.lock().unwrap() =
        |_, _| Err(StoreError::corrupt_row(Entity::Message, "of unknown id", "no number"));
    let error = history.load_from_db().await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::CorruptRow { .. })));
    assert_eq!(texts(&history), ["one"], "the window is as it was");
}
