//! What a window promises, over conversations that nobody would think of.

use std::collections::HashMap;

use chatkeep_domain::window::{Candidate, Selection, Window, WindowLimits, select};
use chatkeep_domain::{Content, Message, Role};
use proptest::prelude::*;
use serde_json::json;

type Line = (Message, usize);

fn call(id: u8) -> Content {
    Content::tool_call(format!("c{id}"), "tool", json!({}))
}

fn result(id: u8) -> Content {
    Content::tool_result(format!("c{id}"), "tool", "done")
}

/// Any mixture: few ids, so that they are used again, answered late, twice or never.
fn message() -> impl Strategy<Value = Message> {
    let ids = || prop::collection::vec(0..4_u8, 1..4);
    let no_id = Content::from_value(json!({"type": "tool_result", "content": "done"})).unwrap();
    prop_oneof![
        3 => Just(Message::new(Role::User, "question")),
        2 => Just(Message::new(Role::Assistant, "answer")),
        1 => Just(Message::new(Role::System, "rule")),
        4 => (0..4_u8).prop_map(|id| Message::new(Role::Assistant, call(id))),
        5 => (0..4_u8).prop_map(|id| Message::new(Role::Tool, result(id))),
        2 => ids().prop_map(|ids| Message::new(Role::Assistant, Content::parts(ids.into_iter().map(call)))),
        2 => ids().prop_map(|ids| Message::new(Role::User, Content::parts(ids.into_iter().map(result)))),
        1 => (0..4_u8, 0..4_u8)
            .prop_map(|(c, r)| Message::new(Role::Assistant, Content::parts([call(c), result(r)]))),
        1 => Just(Message::new(Role::Tool, no_id)),
    ]
}

fn conversation() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec((message(), 0..6_usize), 0..40)
}

fn limits() -> impl Strategy<Value = WindowLimits> {
    (prop::option::of(1..20_usize), prop::option::of(1..40_usize))
        .prop_map(|(messages, tokens)| WindowLimits::new(messages, tokens).unwrap())
}

fn choose(lines: &[Line], limits: &WindowLimits) -> Selection {
    let candidates = lines.iter().map(|(message, tokens)| Candidate {
        role: message.role,
        content: &message.content,
        tokens: *tokens,
    });
    select(candidates, limits)
}

fn at(lines: &[Line], kept: &[usize]) -> Vec<Line> {
    kept.iter().map(|at| lines[*at].clone()).collect()
}

fn over(lines: &[Line], limits: &WindowLimits) -> bool {
    let tokens: usize = lines.iter().map(|(_, tokens)| tokens).sum();
    limits.max_messages().is_some_and(|limit| lines.len() > limit)
        || limits.max_tokens().is_some_and(|limit| tokens > limit)
}

/// The call that each result of each message answers, by a search that is as plain as the rule; `None` for an
/// orphan. A message with an orphan takes the groups of the calls that it answers with it.
fn answers(lines: &[Line]) -> HashMap<usize, Vec<Option<usize>>> {
    let mut calls: Vec<(usize, String, bool)> = Vec::new();
    let mut group_of: Vec<usize> = (0..lines.len()).collect();
    let mut found = HashMap::new();
    let mut previous = None;
    for (place, (message, _)) in lines.iter().enumerate() {
        if message.role == Role::System {
            continue;
        }
        let made = message.content.tool_calls();
        let before = calls.clone();
        calls.extend(made.iter().map(|call| (place, call.id.to_owned(), false)));
        let mut targets = Vec::new();
        for answer in message.content.tool_results() {
            let matching = |call: &&mut (usize, String, bool)| call.1 == answer.tool_call_id;
            let open = calls.iter_mut().rev().filter(matching).find(|call| !call.2);
            let target = match open {
                Some(call) => {
                    call.2 = true;
                    Some(call.0)
                }
                None => calls.iter_mut().rev().find(matching).map(|call| call.0),
            };
            targets.push(target);
        }
        let mut joined: Vec<usize> = targets.iter().flatten().map(|target| group_of[*target]).collect();
        if targets.contains(&None) {
            calls = before;
            calls.retain(|call| !joined.contains(&group_of[call.0]));
            if joined.iter().any(|group| *group != place) {
                previous = None;
            }
        } else {
            let called = message.role == Role::Assistant && !made.is_empty();
            joined.extend(previous.filter(|_| called).map(|previous: usize| group_of[previous]));
            for group in &mut group_of {
                if joined.contains(group) {
                    *group = place;
                }
            }
            previous = called.then_some(place);
        }
        found.insert(place, targets);
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_window_is_over_a_limit_only_where_one_group_and_the_pinned_alone_are(
        lines in conversation(),
        limits in limits(),
    ) {
        let kept = at(&lines, &choose(&lines, &limits).kept);
        if over(&kept, &limits) {
            // One group: taking any further message away would need the whole of it to go.
            let rest: Vec<Line> = kept.iter().filter(|(message, _)| message.role != Role::System).cloned().collect();
            let one = WindowLimits::new(1, None).unwrap();
            prop_assert_eq!(choose(&rest, &one).kept.len(), rest.len());
        }
    }

    #[test]
    fn system_messages_stay_and_order_is_kept(lines in conversation(), limits in limits()) {
        let kept = choose(&lines, &limits).kept;
        prop_assert!(kept.is_sorted_by(|one, next| one < next));
        let pinned = (0..lines.len()).filter(|place| lines[*place].0.role == Role::System);
        prop_assert!(pinned.into_iter().all(|place| kept.contains(&place)));
    }

    #[test]
    fn no_result_is_without_its_call_in_the_window(lines in conversation(), limits in limits()) {
        let kept = at(&lines, &choose(&lines, &limits).kept);
        let orphans = answers(&kept).values().flatten().filter(|target| target.is_none()).count();
        prop_assert_eq!(orphans, 0);
    }

    #[test]
    fn no_call_stays_whose_result_was_left_out(lines in conversation(), limits in limits()) {
        let kept = choose(&lines, &limits).kept;
        for (place, targets) in answers(&lines) {
            for target in targets.into_iter().flatten() {
                prop_assert_eq!(kept.contains(&place), kept.contains(&target), "result {} of call {}", place, target);
            }
        }
    }

    #[test]
    fn selecting_again_changes_nothing(lines in conversation(), limits in limits()) {
        let kept = at(&lines, &choose(&lines, &limits).kept);
        prop_assert_eq!(choose(&kept, &limits).kept.len(), kept.len());
    }

    #[test]
    fn nothing_but_orphans_leaves_without_need(lines in conversation(), limits in limits()) {
        let unlimited = choose(&lines, &WindowLimits::UNLIMITED);
        prop_assert!(!unlimited.full);
        let whole = at(&lines, &unlimited.kept);
        let chosen = choose(&lines, &limits);
        prop_assert_eq!(chosen.full, chosen.kept != unlimited.kept);
        if !over(&whole, &limits) {
            prop_assert!(!chosen.full);
        }
    }

    #[test]
    fn a_window_filled_one_by_one_keeps_the_same_promises(lines in conversation(), limits in limits()) {
        let mut window = Window::new(limits);
        for (message, tokens) in &lines {
            window.push(message.clone(), *tokens);
            let inside: Vec<Message> = window.messages().cloned().collect();
            prop_assert_eq!(window.len(), inside.len());
            let again: Vec<Line> = inside.into_iter().map(|message| (message, 0)).collect();
            let orphans = answers(&again).values().flatten().filter(|target| target.is_none()).count();
            prop_assert_eq!(orphans, 0);
            prop_assert_eq!(choose(&again, &WindowLimits::UNLIMITED).kept.len(), again.len());
        }
        if limits == WindowLimits::UNLIMITED {
            let kept = choose(&lines, &limits).kept;
            prop_assert_eq!(window.len(), kept.len());
            prop_assert_eq!(window.tokens(), kept.iter().map(|place| lines[*place].1).sum::<usize>());
        }
    }

    #[test]
    fn the_last_few_are_whole_groups_and_never_more(lines in conversation(), count in 0..12_usize) {
        let mut window = Window::default();
        for (message, tokens) in &lines {
            window.push(message.clone(), *tokens);
        }
        let last = window.last(count);
        prop_assert!(last.len() <= count);
        let again: Vec<Line> = last.into_iter().map(|message| (message.clone(), 0)).collect();
        let orphans = answers(&again).values().flatten().filter(|target| target.is_none()).count();
        prop_assert_eq!(orphans, 0);
        prop_assert_eq!(window.last(lines.len()).len(), window.len());
    }
}

fn lines(messages: impl IntoIterator<Item = Message>) -> Vec<Line> {
    messages.into_iter().map(|message| (message, 1)).collect()
}

fn turn() -> Vec<Line> {
    lines([
        Message::new(Role::System, "rule"),
        Message::new(Role::User, "question"),
        Message::new(Role::Assistant, call(1)),
        Message::new(Role::Assistant, call(2)),
        Message::new(Role::Tool, result(2)),
        Message::new(Role::Tool, result(1)),
        Message::new(Role::Assistant, "answer"),
    ])
}

#[test]
fn parallel_calls_leave_with_all_their_results() {
    let limits = |count| WindowLimits::new(count, None).unwrap();
    assert_eq!(choose(&turn(), &limits(6)).kept, [0, 2, 3, 4, 5, 6]);
    assert_eq!(choose(&turn(), &limits(5)).kept, [0, 6]);
    assert_eq!(choose(&turn(), &limits(1)).kept, [0, 6]);
}

#[test]
fn a_call_at_the_end_stays_and_is_pending() {
    let mut window = Window::new(WindowLimits::new(2, None).unwrap());
    for (message, tokens) in &turn()[..5] {
        window.push(message.clone(), *tokens);
    }
    // The rule, both calls and one result: pinned and newest together, though the limit is 2.
    assert_eq!(window.len(), 4);
    let pending: Vec<_> = window.pending_tool_calls().iter().map(|call| call.id).collect();
    assert_eq!(pending, ["c1"]);
}

#[test]
fn an_id_that_is_used_again_is_matched_to_its_latest_call() {
    let messages = lines([
        Message::new(Role::Assistant, call(1)),
        Message::new(Role::Tool, result(1)),
        Message::new(Role::User, "again"),
        Message::new(Role::Assistant, call(1)),
        Message::new(Role::Tool, result(1)),
    ]);
    let limits = WindowLimits::new(3, None).unwrap();
    assert_eq!(choose(&messages, &limits).kept, [2, 3, 4]);
}

#[test]
fn a_group_is_as_old_as_its_first_message() {
    let messages = lines([
        Message::new(Role::Assistant, call(1)),
        Message::new(Role::User, "still there?"),
        Message::new(Role::Assistant, "wait"),
        Message::new(Role::Tool, result(1)),
    ]);
    let limits = WindowLimits::new(3, None).unwrap();
    assert_eq!(choose(&messages, &limits).kept, [1, 2]);
}

#[test]
fn limits_of_zero_are_refused() {
    for (limits, field) in
        [(WindowLimits::new(0, None), "max_messages"), (WindowLimits::new(None, 0), "max_tokens")]
    {
        assert_eq!(limits.unwrap_err().field, field);
    }
}
