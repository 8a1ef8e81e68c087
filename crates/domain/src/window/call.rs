//! A call, and what pairs it with its result.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::content::{ToolCall, ToolResult};

/// A call's number, in the order in which calls were made.
pub(super) type CallNumber = usize;

/// What pairs a result with its call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Id(Arc<str>),
    /// Of the tool. For results without an id.
    Name(Arc<str>),
}

impl Key {
    pub(super) fn of_result(result: &ToolResult<'_>) -> Self {
        match result.tool_call_id {
            "" => Self::Name(result.name.into()),
            id => Self::Id(id.into()),
        }
    }

    pub(super) fn of_call(call: &ToolCall<'_>) -> Vec<Self> {
        let id = (!call.id.is_empty()).then(|| Self::Id(call.id.into()));
        let name = (!call.name.is_empty()).then(|| Self::Name(call.name.into()));
        id.into_iter().chain(name).collect()
    }
}

/// When it is a call's turn to be answered. The greatest comes first: of the latest run, the first call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    /// The same for calls with nothing said between them.
    pub(super) stretch: usize,
    /// The same for parallel calls.
    pub(super) run: usize,
    pub(super) number: Reverse<CallNumber>,
}

#[derive(Debug)]
pub(super) struct Call {
    /// The place of the message that makes it, and which of that message's calls it is.
    pub(super) at: usize,
    pub(super) index: usize,
    /// The place of the message that answers it.
    pub(super) answer: Option<usize>,
    /// What paired it with its answer, unless its own message answers it.
    pub(super) by: Option<Key>,
    pub(super) turn: Turn,
    pub(super) keys: Vec<Key>,
}

impl Call {
    pub(super) fn id(&self) -> &str {
        match self.keys.first() {
            Some(Key::Id(id)) => id,
            _ => "",
        }
    }
}
