//! What holds for conversations that nobody would think of: ids used again, answered late, early, twice or never, in
//! messages that call and answer at once.

use chatkeep_domain::window::{Candidate, Selection, Window, WindowLimits, select};
use chatkeep_domain::{Message, MessageId, Role};
use proptest::prelude::*;
use uuid::Uuid;

use crate::random::{Line, any_conversation, conversation, tool};

fn limits() -> impl Strategy<Value = WindowLimits> {
    (prop::option::of(1..20_usize), prop::option::of(1..40_usize))
        .prop_map(|(messages, tokens)| WindowLimits::new(messages, tokens).unwrap())
}

fn choose(lines: &[Line], limits: &WindowLimits) -> Selection {
    let candidates =
        lines.iter().map(|(message, tokens)| Candidate::new(message.role, &message.content, *tokens));
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

/// What a strict provider refuses: a result that has no call before it, or something else between the two.
fn refusal(messages: &[&Message]) -> Option<String> {
    for (place, message) in messages.iter().enumerate() {
        for result in message.content.tool_results() {
            let answers = |message: &&Message| {
                let calls = message.content.tool_calls();
                calls.iter().any(|call| match result.tool_call_id {
                    "" => call.name == result.name,
                    id => call.id == id,
                })
            };
            let Some(call) = messages[..=place].iter().rposition(answers) else {
                return Some(format!("the result at {place} has no call before it"));
            };
            let speaks = |message: &Message| {
                message.content.tool_calls().is_empty() && message.content.tool_results().is_empty()
            };
            if messages[call..=place].iter().any(|between| speaks(between)) {
                return Some(format!(
                    "something is said between the call at {call} and its result at {place}"
                ));
            }
        }
    }
    None
}

fn refused(lines: &[Line]) -> Option<String> {
    refusal(&lines.iter().map(|(message, _)| message).collect::<Vec<_>>())
}

fn selecting_again_keeps_all(lines: &[Line], limits: &WindowLimits) -> Result<(), TestCaseError> {
    let kept = at(lines, &choose(lines, limits).kept);
    let Selection { kept: mut again, early, .. } = choose(&kept, &WindowLimits::UNLIMITED);
    again.sort_unstable();
    prop_assert_eq!((again, early), ((0..kept.len()).collect(), None));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn no_strict_provider_refuses_what_shows(lines in any_conversation(), limits in limits()) {
        let kept = at(&lines, &choose(&lines, &limits).kept);
        prop_assert_eq!(refused(&kept), None);
        let mut window = Window::new(limits);
        for (message, tokens) in &lines {
            window.push(None, message.clone(), *tokens);
            let shown: Vec<&Message> = window.messages().collect();
            prop_assert_eq!(window.len(), shown.len());
            prop_assert_eq!(refusal(&shown), None);
        }
    }

    #[test]
    fn a_window_is_over_a_limit_only_where_one_group_and_the_pinned_alone_are(
        lines in any_conversation(),
        limits in limits(),
    ) {
        let kept = at(&lines, &choose(&lines, &limits).kept);
        if over(&kept, &limits) {
            // One group: where a message of it is the limit, all of it stays.
            let one = WindowLimits::new(1, None).unwrap();
            prop_assert_eq!(at(&lines, &choose(&lines, &one).kept), kept);
        }
    }

    #[test]
    fn system_messages_stay_and_each_message_shows_once(lines in any_conversation(), limits in limits()) {
        let mut kept = choose(&lines, &limits).kept;
        kept.sort_unstable();
        prop_assert!(kept.is_sorted_by(|one, next| one < next));
        let mut pinned = (0..lines.len()).filter(|place| lines[*place].0.role == Role::System);
        prop_assert!(pinned.all(|place| kept.contains(&place)));
    }

    #[test]
    fn nothing_leaves_without_need(lines in any_conversation(), limits in limits()) {
        let unlimited = choose(&lines, &WindowLimits::UNLIMITED);
        prop_assert!(!unlimited.full);
        let chosen = choose(&lines, &limits);
        prop_assert_eq!(chosen.full, chosen.kept != unlimited.kept);
        if !over(&at(&lines, &unlimited.kept), &limits) {
            prop_assert!(!chosen.full);
        }
    }

    #[test]
    fn selecting_again_leaves_nothing_out(lines in conversation(), limits in limits()) {
        selecting_again_keeps_all(&lines, &limits)?;
    }

    #[test]
    fn selecting_again_leaves_nothing_out_where_some_have_ids(lines in any_conversation(), limits in limits()) {
        selecting_again_keeps_all(&lines, &limits)?;
    }

    #[test]
    fn without_limits_a_window_filled_one_by_one_shows_the_same(lines in any_conversation()) {
        let mut window = Window::default();
        for (message, tokens) in &lines {
            window.push(None, message.clone(), *tokens);
        }
        let kept = at(&lines, &choose(&lines, &WindowLimits::UNLIMITED).kept);
        prop_assert_eq!(window.tokens(), kept.iter().map(|(_, tokens)| tokens).sum::<usize>());
        prop_assert!(window.messages().eq(kept.iter().map(|(message, _)| message)));
    }

    #[test]
    fn the_call_that_a_tool_answers_next_does_not_depend_on_limits(lines in any_conversation(), limits in limits()) {
        let (mut narrow, mut wide) = (Window::new(limits), Window::default());
        for (message, tokens) in &lines {
            narrow.push(None, message.clone(), *tokens);
            wide.push(None, message.clone(), *tokens);
            for tool in (0..4).map(tool) {
                prop_assert_eq!(narrow.oldest_open_call(&tool), wide.oldest_open_call(&tool));
            }
        }
    }

    #[test]
    fn a_message_that_comes_again_changes_nothing(
        lines in any_conversation(),
        again in prop::collection::vec(any::<prop::sample::Index>(), 40),
        limits in limits(),
    ) {
        let id = |number: usize| MessageId::from(Uuid::from_u128(number as u128));
        let (mut once, mut twice) = (Window::new(limits), Window::new(limits));
        for (number, (message, tokens)) in lines.iter().enumerate() {
            let showed = once.push(id(number), message.clone(), *tokens);
            prop_assert_eq!(twice.push(id(number), message.clone(), *tokens), showed);
            let earlier = again[number].index(number + 1);
            let (message, tokens) = &lines[earlier];
            prop_assert_eq!(twice.push(id(earlier), message.clone(), *tokens), once.shows(id(earlier)));
            prop_assert!(twice.messages().eq(once.messages()));
            prop_assert_eq!(twice.tokens(), once.tokens());
        }
    }

    #[test]
    fn the_last_few_are_whole_groups_and_never_more(lines in any_conversation(), count in 0..12_usize) {
        let mut window = Window::default();
        for (message, tokens) in &lines {
            window.push(None, message.clone(), *tokens);
        }
        let last = window.last(count);
        prop_assert!(last.len() <= count);
        prop_assert_eq!(refusal(&last), None);
        prop_assert!(window.last(lines.len()).into_iter().eq(window.messages()));
    }
}
