//! Results without ids beside results with ids: one call may be meant by both.

use chatkeep_domain::window::{Window, WindowLimits};
use chatkeep_domain::{Content, Message, Role};
use serde_json::{Value, json};

use crate::examples::{call, kept, result, user};

fn content(value: Value) -> Content {
    Content::from_value(value).unwrap()
}

/// A result of `tool` without an id.
fn result_by_name() -> Message {
    let function = json!({"type": "message", "role": "function", "name": "tool", "content": "done"});
    Message::new(Role::Tool, content(function))
}

/// A message of Anthropic's blocks.
fn blocks(blocks: &Value) -> Message {
    Message::new(Role::Assistant, content(json!({"type": "message", "content": blocks})))
}

/// What stays without limits; of that, all stays, in the same order.
fn all(messages: &[Message]) -> Vec<usize> {
    let first = kept(messages, &WindowLimits::UNLIMITED);
    let shown: Vec<Message> = first.iter().map(|at| messages[*at].clone()).collect();
    assert!(kept(&shown, &WindowLimits::UNLIMITED).into_iter().eq(0..first.len()));
    first
}

fn pending(messages: &[Message]) -> Vec<String> {
    let mut window = Window::default();
    for message in messages {
        window.push(None, message.clone(), 1);
    }
    window.pending_tool_calls().iter().map(|call| call.id.to_owned()).collect()
}

#[test]
fn the_result_of_a_message_that_calls_on_stays_when_one_without_an_id_comes_to_stand_before_it() {
    let calls = blocks(&json!([{"type": "tool_use", "id": "a", "name": "tool", "input": {}}]));
    let goes_on = blocks(&json!([
        {"type": "tool_result", "tool_use_id": "a", "content": "done"},
        {"type": "tool_use", "id": "c", "name": "other", "input": {}}]));
    let messages = [user("go"), calls, call("b"), goes_on, result_by_name()];
    // Both calls stand before what goes on from them. There the result without an id could be either's.
    assert_eq!((all(&messages), pending(&messages)), (vec![0, 1, 2, 4, 3], vec!["c".to_owned()]));
}

#[test]
fn a_result_without_an_id_makes_room_for_one_with_the_id_of_its_call() {
    let messages = [call("a"), call("b"), result_by_name(), result("a"), user("thanks")];
    assert_eq!((all(&messages), pending(&messages)), (vec![0, 3, 1, 2, 4], vec![]));
    // In any order, and in any number.
    let messages = [call("a"), call("b"), call("c"), result_by_name(), result_by_name(), result("b")];
    assert_eq!((all(&messages), pending(&messages)), (vec![0, 3, 1, 5, 2, 4], vec![]));
}

#[test]
fn a_result_with_an_id_makes_room_where_another_call_has_the_id_and_no_name() {
    let nameless = content(json!({"type": "computer_call", "call_id": "a", "action": {}}));
    let messages = [call("a"), Message::new(Role::Assistant, nameless), result("a"), result_by_name()];
    assert_eq!((all(&messages), pending(&messages)), (vec![0, 3, 1, 2], vec![]));
}

#[test]
fn in_one_message_results_with_ids_find_their_calls_first() {
    let calls = Message::new(Role::Assistant, Content::parts(["a", "b"].map(|id| call(id).content)));
    let results = json!({"type": "parts", "parts": [
        {"type": "tool_result", "name": "tool", "content": "done"},
        {"type": "tool_result", "tool_call_id": "a", "name": "tool", "content": "done"}]});
    let results = Message::new(Role::Tool, content(results));
    // The results may come before the calls, too.
    for messages in [[calls.clone(), results.clone()], [results, calls]] {
        assert_eq!((all(&messages).len(), pending(&messages)), (2, vec![]));
    }
}

#[test]
fn calls_whose_results_made_room_stay_together() {
    let other = |content| Message::new(Role::Assistant, content);
    let messages = [
        call("a"),
        other(Content::tool_call("x", "other", json!({}))),
        Message::new(Role::Tool, Content::tool_result("x", "other", "done")),
        call("b"),
        result_by_name(),
        result("b"),
    ];
    let shown = [0, 4, 1, 2, 3, 5];
    assert_eq!((all(&messages), pending(&messages)), (shown.to_vec(), vec![]));
    assert_eq!(kept(&messages, &WindowLimits::new(3, None).unwrap()), shown);
}

#[test]
fn a_result_without_an_id_makes_no_room_across_what_was_said() {
    let messages = [call("a"), user("again"), call("b"), result_by_name(), result("b"), user("thanks")];
    // The second result of the later call repeats the first. The earlier call was given up.
    assert_eq!((all(&messages), pending(&messages)), (vec![0, 1, 2, 3, 5], vec!["a".to_owned()]));
}

#[test]
fn the_result_of_a_message_that_calls_on_goes_to_no_later_call() {
    let goes_on = blocks(&json!([
        {"type": "tool_result", "name": "tool", "content": "done"},
        {"type": "tool_use", "id": "x", "name": "other", "input": {}}]));
    let messages = [call("a"), goes_on, call("b"), result("a")];
    assert_eq!((all(&messages), pending(&messages)), (vec![0, 1, 2], vec!["x".to_owned(), "b".to_owned()]));
}
