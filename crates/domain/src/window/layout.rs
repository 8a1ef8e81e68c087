//! The order of the messages of one group.

use std::collections::{BTreeMap, BTreeSet};

use crate::window::call::Call;

/// Orders the members of a group, given the calls that they make in the order in which they were made.
///
/// Each message that makes calls has their results right behind it, in the order of its calls. Where one message
/// answers calls of several, these come first, and then the results of all of them. A message that both answers and
/// calls stands among those that call. What neither calls nor answers comes last.
pub(super) fn lay_out<'a>(members: &[usize], calls: impl IntoIterator<Item = &'a Call>) -> Vec<usize> {
    if members.len() < 2 {
        return members.to_vec();
    }
    let calls: Vec<&Call> = calls.into_iter().collect();
    let callers: BTreeSet<usize> = calls.iter().map(|call| call.at).collect();
    let mut results: BTreeMap<usize, Answers> = BTreeMap::new();
    for (order, call) in calls.iter().enumerate() {
        if let Some(at) = call.answer.filter(|at| !callers.contains(at)) {
            let answers = results.entry(at).or_insert(Answers { at, order, first: call.at, last: call.at });
            answers.first = answers.first.min(call.at);
            answers.last = answers.last.max(call.at);
        }
    }
    let mut others: Vec<usize> =
        members.iter().copied().filter(|at| !callers.contains(at) && !results.contains_key(at)).collect();
    others.sort_unstable();
    let mut laid_out = behind_their_calls(&callers, results.into_values().collect());
    laid_out.append(&mut others);
    laid_out
}

/// A message that answers and does not call.
struct Answers {
    at: usize,
    /// The first call that it answers.
    order: usize,
    /// The places of the first and the last message whose calls it answers.
    first: usize,
    last: usize,
}

fn behind_their_calls(callers: &BTreeSet<usize>, mut results: Vec<Answers>) -> Vec<usize> {
    results.sort_unstable_by_key(|answers| (answers.first, answers.order));
    let mut results = results.into_iter().peekable();
    let mut laid_out = Vec::new();
    let mut ready: Vec<Answers> = Vec::new();
    let mut until = 0;
    for caller in callers {
        if *caller > until {
            place(&mut ready, &mut laid_out);
        }
        laid_out.push(*caller);
        while let Some(answers) = results.next_if(|answers| answers.first == *caller) {
            until = until.max(answers.last);
            ready.push(answers);
        }
    }
    place(&mut ready, &mut laid_out);
    laid_out
}

fn place(ready: &mut Vec<Answers>, laid_out: &mut Vec<usize>) {
    ready.sort_unstable_by_key(|answers| answers.order);
    laid_out.extend(ready.drain(..).map(|answers| answers.at));
}
