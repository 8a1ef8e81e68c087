//! Conversations of programs that give each call an id of its own, stored in any order: what shows is exactly known.

use chatkeep_domain::window::{Candidate, Selection, Window, WindowLimits, select};
use chatkeep_domain::{Message, Role};
use proptest::prelude::*;

use crate::shapes::pair;

/// What a message is to the plain rule.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    Said,
    Rule,
    Call(usize),
    /// The number of the call.
    Result(usize),
}

#[derive(Debug, Clone)]
struct Line {
    part: Part,
    message: Message,
    tokens: usize,
}

/// A call, when it is made, and when its results come: before it, after it, twice or never.
fn call() -> impl Strategy<Value = (usize, usize, Vec<usize>)> {
    (0..100_usize, 0..60_usize, prop::collection::vec(0..80_usize, 0..3))
}

fn conversation() -> impl Strategy<Value = Vec<Line>> {
    let said = prop::collection::vec((0..60_usize, 0..3_usize), 0..12);
    let calls = prop::collection::vec(call(), 0..12);
    (calls, said, prop::collection::vec(0..6_usize, 60)).prop_map(|(calls, said, tokens)| {
        let mut lines: Vec<(usize, Part, Message)> = Vec::new();
        for (number, (shape, when, results)) in calls.into_iter().enumerate() {
            let pair = pair(shape, &format!("call_{number}"), &format!("tool_{number}"));
            lines.push((when, Part::Call(number), Message::new(Role::Assistant, pair.call)));
            let result = |when| (when, Part::Result(number), Message::new(pair.role, pair.result.clone()));
            lines.extend(results.into_iter().map(result));
        }
        for (when, role) in said {
            let (part, role) =
                [(Part::Said, Role::User), (Part::Said, Role::Assistant), (Part::Rule, Role::System)][role]
                    .clone();
            lines.push((when, part, Message::new(role, "said")));
        }
        lines.sort_by_key(|(when, ..)| *when);
        let with_tokens = lines.into_iter().zip(tokens.into_iter().cycle());
        with_tokens.map(|((_, part, message), tokens)| Line { part, message, tokens }).collect()
    })
}

fn limits() -> impl Strategy<Value = WindowLimits> {
    (prop::option::of(1..20_usize), prop::option::of(1..40_usize))
        .prop_map(|(messages, tokens)| WindowLimits::new(messages, tokens).unwrap())
}

/// The groups in order, each with its messages in order; a rule is a group that may not leave.
fn groups(lines: &[Line]) -> Vec<Vec<usize>> {
    let made = |number| lines.iter().position(|line| line.part == Part::Call(number));
    let first_result = |number| lines.iter().position(|line| line.part == Part::Result(number));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut run = None;
    for (at, line) in lines.iter().enumerate() {
        match line.part {
            Part::Rule => groups.push(vec![at]),
            Part::Said => {
                groups.push(vec![at]);
                run = None;
            }
            Part::Call(number) => {
                let run = *run.get_or_insert_with(|| {
                    groups.push(Vec::new());
                    groups.len() - 1
                });
                groups[run].push(at);
                groups[run].extend(first_result(number));
            }
            // A result that answers a call ends a run; an early or a repeated one is not seen.
            Part::Result(number) => {
                if made(number).is_some_and(|call| call < at) && first_result(number) == Some(at) {
                    run = None;
                }
            }
        }
    }
    groups
}

fn expected(lines: &[Line], limits: &WindowLimits) -> Vec<usize> {
    let mut groups = groups(lines);
    let is_rule = |group: &Vec<usize>| lines[group[0]].part == Part::Rule;
    let over = |groups: &[Vec<usize>]| {
        let messages = groups.iter().flatten().count();
        let tokens: usize = groups.iter().flatten().map(|at| lines[*at].tokens).sum();
        limits.max_messages().is_some_and(|most| messages > most)
            || limits.max_tokens().is_some_and(|most| tokens > most)
    };
    while over(&groups) && groups.iter().filter(|group| !is_rule(group)).count() > 1 {
        let oldest = groups.iter().position(|group| !is_rule(group)).unwrap();
        groups.remove(oldest);
    }
    groups.concat()
}

fn choose(lines: &[Line], limits: &WindowLimits) -> Selection {
    let candidates =
        lines.iter().map(|line| Candidate::new(line.message.role, &line.message.content, line.tokens));
    select(candidates, limits)
}

fn messages(lines: &[Line], kept: &[usize]) -> Vec<Message> {
    kept.iter().map(|at| lines[*at].message.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn each_result_stands_behind_its_call_and_all_that_fits_shows(lines in conversation(), limits in limits()) {
        prop_assert_eq!(choose(&lines, &limits).kept, expected(&lines, &limits));
    }

    #[test]
    fn a_window_filled_one_by_one_shows_the_same(lines in conversation(), limits in limits()) {
        let mut window = Window::new(limits);
        for (count, line) in lines.iter().enumerate() {
            window.push(None, line.message.clone(), line.tokens);
            let shown: Vec<Message> = window.messages().cloned().collect();
            let kept = choose(&lines[..=count], &limits).kept;
            prop_assert_eq!(window.len(), kept.len());
            prop_assert_eq!(window.tokens(), kept.iter().map(|at| lines[*at].tokens).sum::<usize>());
            prop_assert_eq!(shown, messages(&lines, &kept));
        }
    }

    #[test]
    fn what_has_no_result_yet_is_pending(lines in conversation()) {
        let mut window = Window::default();
        for line in &lines {
            window.push(None, line.message.clone(), line.tokens);
        }
        let answered = |number| lines.iter().any(|line| line.part == Part::Result(number));
        let waiting = lines.iter().filter(|line| matches!(line.part, Part::Call(number) if !answered(number)));
        prop_assert_eq!(window.pending_tool_calls().len(), waiting.count());
    }

    #[test]
    fn the_first_early_result_is_told(lines in conversation()) {
        let early = lines.iter().enumerate().position(|(at, line)| match line.part {
            Part::Result(_) => {
                let first = lines.iter().position(|other| other.part == line.part) == Some(at);
                let Part::Result(number) = line.part else { return false };
                let call = lines.iter().position(|other| other.part == Part::Call(number));
                first && call.is_some_and(|call| call > at)
            }
            _ => false,
        });
        prop_assert_eq!(choose(&lines, &WindowLimits::UNLIMITED).early, early);
    }
}
