//! Which messages fit a model's context window.
//!
//! A model refuses a prompt that holds a tool's result without its call, or a call in the middle without its
//! result. So messages stay or leave in groups:
//!
//! - System messages are pinned: they always stay, they count toward the limits, and they take no part in groups.
//! - A tool call and its results are one group. So are parallel calls: several in one message, or in consecutive
//!   assistant messages. A result belongs to the latest call of its id that is not answered yet, or else to the
//!   latest one that is.
//! - A tool message that answers no id belongs to the group of the message before it.
//! - Every other message is a group of its own.
//!
//! Groups leave oldest first, by their first message, until both limits hold. The newest group always stays: a
//! window is over a limit only where the pinned messages and the newest group alone are.
//!
//! A result whose call is not there never enters. Where a message also answers a call that is there, that call's
//! group leaves with it, for no part of it would make a prompt. A call that nothing answered yet stays: its tool may
//! be running. [`Window::pending_tool_calls`] tells.

mod groups;

use std::collections::{BTreeMap, HashSet};

use self::groups::{Groups, Place};
use crate::{Content, InvalidArgument, Message, Role, ToolCall};

/// The limits of a window; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct WindowLimits {
    max_messages: Option<usize>,
    max_tokens: Option<usize>,
}

impl WindowLimits {
    /// No limits: nothing but orphans ever leaves.
    pub const UNLIMITED: Self = Self { max_messages: None, max_tokens: None };

    /// Limits in messages and in tokens, as the caller's [`TokenCounter`](crate::TokenCounter) counts them.
    ///
    /// # Errors
    /// [`InvalidArgument`] for 0: nothing would ever fit.
    pub fn new(
        max_messages: impl Into<Option<usize>>,
        max_tokens: impl Into<Option<usize>>,
    ) -> Result<Self, InvalidArgument> {
        let limits = Self { max_messages: max_messages.into(), max_tokens: max_tokens.into() };
        for (field, limit) in [("max_messages", limits.max_messages), ("max_tokens", limits.max_tokens)] {
            if limit == Some(0) {
                return Err(InvalidArgument::new(
                    field,
                    "must be at least 1; leave it out for no limit",
                    "0",
                ));
            }
        }
        Ok(limits)
    }

    /// The most messages.
    pub const fn max_messages(&self) -> Option<usize> {
        self.max_messages
    }

    /// The most tokens.
    pub const fn max_tokens(&self) -> Option<usize> {
        self.max_tokens
    }

    fn hold(&self, messages: usize, tokens: u128) -> bool {
        self.max_messages.is_none_or(|limit| messages <= limit)
            && self.max_tokens.is_none_or(|limit| tokens <= limit as u128)
    }
}

/// What a window decides by: a message's role and content, and the tokens that it takes.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Who speaks.
    pub role: Role,
    /// What is said; only its tool calls and results are looked at.
    pub content: &'a Content,
    /// What it takes in a prompt.
    pub tokens: usize,
}

/// What [`select`] decided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// The places of the messages that stay, in order.
    pub kept: Vec<usize>,
    /// Whether a limit drove out a message. If so, no older message can stay either, system messages aside.
    pub full: bool,
}

/// Which of these messages stay, given in the order in which they were said. Takes `n log n` time.
///
/// ```
/// use chatkeep_domain::window::{Candidate, WindowLimits, select};
/// use chatkeep_domain::{Content, Role};
/// use serde_json::json;
///
/// let messages = [
///     (Role::System, Content::text("Be brief.")),
///     (Role::User, Content::text("Weather in Oslo?")),
///     (Role::Assistant, Content::tool_call("call_1", "weather", json!({"city": "Oslo"}))),
///     (Role::Tool, Content::tool_result("call_1", "weather", "rain")),
///     (Role::Assistant, Content::text("Rain.")),
/// ];
/// let candidates = messages.iter().map(|(role, content)| Candidate { role: *role, content, tokens: 1 });
/// // The call leaves, so its result leaves as well, though there would be room for it.
/// assert_eq!(select(candidates, &WindowLimits::new(3, None)?).kept, [0, 4]);
/// # Ok::<(), chatkeep_domain::InvalidArgument>(())
/// ```
pub fn select<'a>(candidates: impl IntoIterator<Item = Candidate<'a>>, limits: &WindowLimits) -> Selection {
    let mut groups = Groups::default();
    let mut out = HashSet::new();
    let mut count = 0;
    for (at, candidate) in candidates.into_iter().enumerate() {
        count = at + 1;
        if let Place::Orphan { taken_along } = groups.push(at, candidate) {
            out.insert(at);
            out.extend(taken_along);
        }
    }
    let left = groups.shrink(limits);
    let full = !left.is_empty();
    out.extend(left);
    Selection { kept: (0..count).filter(|at| !out.contains(at)).collect(), full }
}

/// A window that is filled one message at a time and holds only what is in it.
///
/// ```
/// use chatkeep_domain::window::{Window, WindowLimits};
/// use chatkeep_domain::{Message, Role};
///
/// let mut window = Window::new(WindowLimits::new(2, None)?);
/// for text in ["one", "two", "three"] {
///     window.push(Message::new(Role::User, text), 1);
/// }
/// let texts: Vec<_> = window.messages().filter_map(|message| message.content.as_text()).collect();
/// assert_eq!(texts, ["two", "three"]);
/// # Ok::<(), chatkeep_domain::InvalidArgument>(())
/// ```
#[derive(Debug, Default)]
pub struct Window {
    limits: WindowLimits,
    groups: Groups,
    messages: BTreeMap<usize, Message>,
    next: usize,
}

impl Window {
    /// An empty window.
    pub fn new(limits: WindowLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes in a message that takes `tokens` in a prompt; what no longer fits leaves. Whether it is in the window
    /// now: a result whose call is not there is not.
    pub fn push(&mut self, message: Message, tokens: usize) -> bool {
        let at = self.next;
        self.next += 1;
        let candidate = Candidate { role: message.role, content: &message.content, tokens };
        let left = match self.groups.push(at, candidate) {
            Place::Member => {
                self.messages.insert(at, message);
                self.groups.shrink(&self.limits)
            }
            Place::Orphan { taken_along } => taken_along,
        };
        for at in left {
            self.messages.remove(&at);
        }
        self.messages.contains_key(&at)
    }

    /// Empties it.
    pub fn clear(&mut self) {
        *self = Self::new(self.limits);
    }

    /// Its limits.
    pub const fn limits(&self) -> &WindowLimits {
        &self.limits
    }

    /// The messages in it, in the order in which they were said.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.values()
    }

    /// The newest whole groups of at most `count` messages together, in the order in which they were said; none
    /// where the newest group alone has more. A system message counts like any other here: it is not pinned.
    pub fn last(&self, count: usize) -> Vec<&Message> {
        let mut chosen = self.groups.last(count);
        chosen.sort_unstable();
        chosen.iter().filter_map(|at| self.messages.get(at)).collect()
    }

    /// How many messages are in it.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether none is in it.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The tokens of all the messages in it.
    pub fn tokens(&self) -> usize {
        self.groups.tokens()
    }

    /// The calls in it that no result answered yet, oldest first.
    pub fn pending_tool_calls(&self) -> Vec<ToolCall<'_>> {
        let call = |(id, at)| {
            let calls = self.messages.get(&at)?.content.tool_calls();
            calls.into_iter().rfind(|call| call.id == id)
        };
        self.groups.pending().filter_map(call).collect()
    }
}
