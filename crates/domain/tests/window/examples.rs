//! Conversations whose order in the store is not the one that a model may see.

use chatkeep_domain::window::{Candidate, Selection, Window, WindowLimits, select};
use chatkeep_domain::{Content, Message, MessageId, Role};
use serde_json::json;
use uuid::Uuid;

pub(crate) fn user(text: &str) -> Message {
    Message::new(Role::User, text)
}

pub(crate) fn call(id: &str) -> Message {
    Message::new(Role::Assistant, Content::tool_call(id, "tool", json!({})))
}

pub(crate) fn result(id: &str) -> Message {
    Message::new(Role::Tool, Content::tool_result(id, "tool", "done"))
}

fn choose(messages: &[Message], limits: &WindowLimits) -> Selection {
    let candidates = messages.iter().map(|message| Candidate::new(message.role, &message.content, 1));
    select(candidates, limits)
}

pub(crate) fn kept(messages: &[Message], limits: &WindowLimits) -> Vec<usize> {
    choose(messages, limits).kept
}

fn all(messages: &[Message]) -> Vec<usize> {
    kept(messages, &WindowLimits::UNLIMITED)
}

#[test]
fn what_was_stored_between_a_call_and_its_result_comes_after() {
    let rule = Message::new(Role::System, "rule");
    assert_eq!(all(&[call("a"), user("hurry"), rule, result("a"), user("thanks")]), [0, 3, 1, 2, 4]);
}

#[test]
fn results_come_in_the_order_of_the_calls() {
    let calls = ["a", "b", "c"].map(|id| Content::tool_call(id, "tool", json!({})));
    let together = Message::new(Role::Assistant, Content::parts(calls));
    assert_eq!(all(&[together, result("c"), result("a"), result("b")]), [0, 2, 3, 1]);
}

#[test]
fn a_result_that_was_stored_before_its_call_joins_it() {
    assert_eq!(all(&[user("go"), result("a"), call("a"), user("thanks")]), [0, 2, 1, 3]);
}

#[test]
fn a_call_is_answered_once() {
    // Two workers ran the tool: a strict provider refuses a second result.
    assert_eq!(all(&[call("a"), result("a"), result("a"), user("thanks")]), [0, 1, 3]);
}

fn most(messages: usize) -> WindowLimits {
    WindowLimits::new(messages, None).unwrap()
}

fn rule() -> Message {
    Message::new(Role::System, "rule")
}

fn fill(limits: WindowLimits, messages: &[Message]) -> Window {
    let mut window = Window::new(limits);
    for message in messages {
        window.push(None, message.clone(), 1);
    }
    window
}

fn pending(window: &Window) -> Vec<&str> {
    window.pending_tool_calls().iter().map(|call| call.id).collect()
}

#[test]
fn parallel_calls_leave_with_all_their_results() {
    let turn = [rule(), user("go"), call("a"), call("b"), result("b"), result("a"), user("thanks")];
    assert_eq!(kept(&turn, &most(6)), [0, 2, 5, 3, 4, 6]);
    assert_eq!(kept(&turn, &most(5)), [0, 6]);
    assert_eq!(kept(&turn, &most(1)), [0, 6]);
    // The rule, both calls and one result are pinned and newest together, though the limit is 2.
    let window = fill(most(2), &turn[..5]);
    assert_eq!((window.len(), pending(&window)), (4, vec!["a"]));
}

#[test]
fn an_id_that_is_used_again_is_matched_to_its_latest_call() {
    let messages = [call("a"), result("a"), user("again"), call("a"), result("a")];
    assert_eq!(kept(&messages, &most(3)), [2, 3, 4]);
}

#[test]
fn a_group_is_as_old_as_its_call() {
    let late = [call("a"), user("still there?"), Message::new(Role::Assistant, "wait"), result("a")];
    assert_eq!(kept(&late, &most(3)), [1, 2]);
    let early = [result("a"), user("go"), user("now"), call("a")];
    assert_eq!(kept(&early, &most(3)), [2, 3, 0]);
    assert_eq!(choose(&early, &most(3)).early, Some(0));
}

#[test]
fn without_ids_parallel_calls_of_a_tool_are_answered_in_order() {
    let content = |value| Content::from_value(value).unwrap();
    let weather = |city| json!({"functionCall": {"name": "weather", "args": {"city": city}}});
    let calls = json!({"type": "content", "parts": [weather("Oslo"), weather("Bergen")]});
    let answer = |sky: &str| json!({"functionResponse": {"name": "weather", "response": {"sky": sky}}});
    let part = |sky| Message::new(Role::User, content(json!({"type": "content", "parts": [answer(sky)]})));
    let turn = [Message::new(Role::Assistant, content(calls)), part("rain"), part("sun"), user("thanks")];
    let mut window = fill(WindowLimits::UNLIMITED, &turn[..2]);
    let cities: Vec<_> =
        window.pending_tool_calls().iter().map(|call| call.arguments["city"].clone()).collect();
    assert_eq!((cities, window.oldest_open_call("weather")), (vec![json!("Bergen")], Some("")));
    window.push(None, turn[2].clone(), 1);
    assert_eq!((pending(&window), window.len()), (vec![], 3));
    assert_eq!(all(&turn), [0, 1, 2, 3]);
}

#[test]
fn a_message_that_answers_a_call_and_waits_for_another_shows_with_both() {
    let both = Content::parts(["a", "b"].map(|id| Content::tool_result(id, "tool", "done")));
    let both = Message::new(Role::User, both);
    let messages = [call("a"), user("hurry"), both, call("b"), user("thanks")];
    let mut window = fill(WindowLimits::UNLIMITED, &messages[..3]);
    // The call is answered: it is not pending, though it cannot show yet.
    assert_eq!((pending(&window), window.len()), (vec![], 1));
    window.push(None, messages[3].clone(), 1);
    assert_eq!((pending(&window), window.len()), (vec![], 4));
    assert_eq!(all(&messages), [0, 3, 2, 1, 4]);
}

#[test]
fn a_tools_message_without_an_id_goes_with_the_message_before_it() {
    let note = || Message::new(Role::Tool, "still running");
    assert_eq!(all(&[call("a"), note(), user("hurry"), result("a")]), [0, 3, 1, 2]);
    assert_eq!(kept(&[user("go"), note(), user("1"), user("2")], &most(3)), [2, 3]);
    assert_eq!(all(&[result("gone"), note(), user("1")]), [2]);
}

#[test]
fn a_call_that_left_is_known_and_its_late_result_is_not_an_early_one() {
    let mut window = fill(most(1), &[call("a"), user("still there?")]);
    assert_eq!((pending(&window), window.oldest_open_call("tool")), (vec![], Some("a")));
    assert!(!window.push(None, result("a"), 1));
    assert_eq!(window.oldest_open_call("tool"), None);
    window.push(None, call("a"), 1);
    assert_eq!(pending(&window), ["a"]);
}

#[test]
fn what_waits_at_the_beginning_of_a_part_can_be_given_up() {
    let mut window = fill(WindowLimits::UNLIMITED, &[result("a"), user("go")]);
    window.give_up_waiting();
    window.push(None, call("a"), 1);
    assert_eq!((pending(&window), window.len()), (vec!["a"], 2));
}

#[test]
fn no_more_than_a_thousand_results_wait() {
    let results: Vec<Message> = (0..1_001).map(|number| result(&number.to_string())).collect();
    let mut window = fill(WindowLimits::UNLIMITED, &results);
    assert!(window.is_empty());
    window.push(None, call("0"), 1);
    window.push(None, call("1"), 1);
    assert_eq!((pending(&window), window.len()), (vec!["0"], 3));
}

#[test]
fn the_first_message_of_an_id_stays_also_when_it_left() {
    let id = |number| MessageId::from(Uuid::from_u128(number));
    let mut window = Window::new(most(2));
    assert!(window.push(id(1), user("first"), 1));
    assert!(window.push(id(1), user("edited"), 1));
    assert!(window.messages().eq([&user("first")]));
    window.push(id(2), user("2"), 1);
    window.push(id(3), user("3"), 1);
    assert!(!window.push(id(1), user("first"), 1));
    assert!(window.messages().eq([&user("2"), &user("3")]));
    assert_eq!((window.knows(id(1)), window.shows(id(1)), window.knows(id(4))), (true, false, false));
    for number in 4..10_004 {
        window.push(id(number), user("more"), 1);
    }
    assert_eq!((window.knows(id(1)), window.knows(id(3))), (false, true));
    window.clear();
    assert!(window.push(id(10_003), user("more"), 1));
}

#[test]
fn limits_of_zero_are_refused() {
    for (limits, field) in
        [(WindowLimits::new(0, None), "max_messages"), (WindowLimits::new(None, 0), "max_tokens")]
    {
        assert_eq!(limits.unwrap_err().field, field);
    }
}
