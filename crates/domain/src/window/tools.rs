//! A message's calls and results, as the window sees them.

use std::collections::{HashMap, VecDeque};

use crate::content::Tools as Found;
use crate::content::{ToolCall, ToolResult};

/// A message's calls, and those of its results that answer calls of other messages.
pub(super) struct Tools<'a> {
    /// With whether the message answers it itself.
    pub(super) calls: Vec<(ToolCall<'a>, bool)>,
    pub(super) results: Vec<ToolResult<'a>>,
}

impl<'a> Tools<'a> {
    pub(super) fn new(found: Found<'a>) -> Self {
        let Found { calls, mut results } = found;
        // An id means one call, and a name whichever is left.
        results.sort_by_key(|result| result.tool_call_id.is_empty());
        let mut calls: Vec<_> = calls.into_iter().map(|call| (call, false)).collect();
        if !calls.is_empty() && !results.is_empty() {
            let mut own: HashMap<(bool, &str), VecDeque<usize>> = HashMap::new();
            for (index, (call, _)) in calls.iter().enumerate() {
                own.entry((true, call.id)).or_default().push_back(index);
                own.entry((false, call.name)).or_default().push_back(index);
            }
            results.retain(|result| {
                let key = match result.tool_call_id {
                    "" => (false, result.name),
                    id => (true, id),
                };
                let Some(same) = own.get_mut(&key) else { return true };
                let mut open = std::iter::from_fn(|| same.pop_front());
                if let Some(index) = open.find(|index| !calls[*index].1) {
                    calls[index].1 = true;
                }
                false
            });
        }
        Self { calls, results }
    }

    /// Whether it makes a call that it does not answer.
    pub(super) fn calls_out(&self) -> bool {
        self.calls.iter().any(|(_, answered)| !answered)
    }
}
