//! Random conversations of messages that call and answer in any shape and order.

use chatkeep_domain::{Content, Message, Role};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::shapes::pair;

/// A message, and its tokens.
pub(crate) type Line = (Message, usize);

fn id(number: u8) -> String {
    format!("c{number}")
}

/// The tool of an id: two ids have one.
pub(crate) fn tool(number: u8) -> String {
    format!("tool_{}", number / 2)
}

/// A message of Anthropic's blocks.
fn blocks(results: &[u8], calls: &[u8]) -> Content {
    let results = results
        .iter()
        .map(|number| json!({"type": "tool_result", "tool_use_id": id(*number), "content": ""}));
    let calls =
        calls.iter().map(|number| json!({"type": "tool_use", "id": id(*number), "name": tool(*number)}));
    let text = json!({"type": "text", "text": "said"});
    let content: Vec<_> = results.chain([text]).chain(calls).collect();
    Content::from_value(json!({"type": "message", "content": content})).unwrap()
}

fn message() -> impl Strategy<Value = Message> {
    let ids = || prop::collection::vec(0..4_u8, 1..4);
    let no_id = Content::from_value(json!({"type": "tool_result", "content": "done"})).unwrap();
    prop_oneof![
        3 => Just(Message::new(Role::User, "question")),
        2 => Just(Message::new(Role::Assistant, "answer")),
        1 => Just(Message::new(Role::System, "rule")),
        6 => (0..100_usize, 0..4_u8).prop_map(|(shape, number)| {
            Message::new(Role::Assistant, pair(shape, &id(number), &tool(number)).call)
        }),
        7 => (0..100_usize, 0..4_u8).prop_map(|(shape, number)| {
            let pair = pair(shape, &id(number), &tool(number));
            Message::new(pair.role, pair.result)
        }),
        2 => ids().prop_map(|ids| Message::new(Role::Assistant, blocks(&[], &ids))),
        2 => ids().prop_map(|ids| Message::new(Role::User, blocks(&ids, &[]))),
        1 => (ids(), ids()).prop_map(|(results, calls)| Message::new(Role::Assistant, blocks(&results, &calls))),
        1 => Just(Message::new(Role::Tool, no_id)),
    ]
}

pub(crate) fn conversation() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec((message(), 0..6_usize), 0..40)
}

/// The same, and in half of them messages that name some calls by ids and some by the tool alone.
pub(crate) fn any_conversation() -> impl Strategy<Value = Vec<Line>> {
    let message = prop_oneof![2 => parts(), 1 => message()];
    prop_oneof![conversation(), prop::collection::vec((message, 0..6_usize), 0..40)]
}

/// A message of Gemini's parts: calls, or results, or a result and calls. A result beside calls has an id: without
/// one, nothing says which of several earlier calls it answers once the messages stand in another order, and no
/// program writes that.
fn parts() -> impl Strategy<Value = Message> {
    let some = || {
        let one = (0..4_u8, any::<bool>()).prop_map(|(number, with_id)| named(number, with_id));
        prop::collection::vec(one, 1..4)
    };
    let calls = |of: Vec<Value>| of.into_iter().map(|call| json!({"functionCall": call}));
    let results = |of: Vec<Value>| of.into_iter().map(|result| json!({"functionResponse": result}));
    let message = |role, parts: Vec<Value>| {
        Message::new(role, Content::from_value(json!({"type": "content", "parts": parts})).unwrap())
    };
    prop_oneof![
        3 => some().prop_map(move |of| message(Role::Assistant, calls(of).collect())),
        4 => some().prop_map(move |of| message(Role::User, results(of).collect())),
        1 => (0..4_u8, some()).prop_map(move |(number, of)| {
            message(Role::Assistant, results(vec![named(number, true)]).chain(calls(of)).collect())
        }),
    ]
}

fn named(number: u8, with_id: bool) -> Value {
    let id = if with_id { id(number) } else { String::new() };
    json!({"id": id, "name": tool(number)})
}
