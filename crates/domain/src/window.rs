//! Which messages fit a model's context window, and in which order the model sees them.
//!
//! A model refuses a prompt that holds a tool's result without its call, a call in the middle without its result, or
//! anything between the two. Calls and results are recognized in every shape that [`Content::tool_calls`](crate::Content::tool_calls) names.
//!
//! # Which result answers which call
//!
//! - A result answers the latest unanswered call with its id; of parallel calls with one id, the first. Providers may
//!   use an id again. If a provider gives no ids, the tool's name takes the id's place.
//! - A result may come before its call. It waits without showing, and joins the call when the call comes. If more
//!   than 1,000 results wait, the oldest are given up.
//! - If all calls that a result could answer are answered, an earlier result makes room where it can. So a result
//!   without an id that answered the call of an id goes on to another call of its tool when the result with that id
//!   comes. The other call must be unanswered and made before the result that goes on, with nothing said between the
//!   two calls. Otherwise what shows could lose a message when it is selected from again: in it, results with ids and
//!   without may have changed places.
//! - Of the results of one message, those with ids find their calls first.
//! - Apart from that, a call has one answer: the first. A message that answers a call again does not show.
//! - A result whose call never comes, or has left the window, does not show.
//! - If a message does not show because of one of its results, the groups of its other results do not show either,
//!   because a part of them makes no valid prompt. A message that also makes calls does not wait for the call of a
//!   result: the message is left out, and so is every result of its calls.
//! - A message that holds a call and its result is complete in itself.
//! - A call without a result stays. It is pending: its tool may be running.
//!
//! # What stays together
//!
//! - Messages of the system and the developer are pinned: they always stay, they count toward the limits, and they take no part in groups.
//! - A call and its results are one group. So are parallel calls: several in one message, or in consecutive assistant
//!   messages. So are the calls that a result had one after the other.
//! - A tool message that answers no call belongs to the group of the message before it, and leaves or is left out
//!   with it.
//! - Every other message is a group of its own.
//!
//! Groups leave until both limits hold, the oldest first. The age of a group is that of its first message that makes
//! a call. The newest group always stays. So a window exceeds a limit only if the pinned messages and the newest
//! group alone exceed it.
//!
//! # In which order
//!
//! Messages show in the order in which they were given, except in groups. A whole group stands where its first call
//! stands, and what was said in between comes behind the group. Each message that makes calls has their results right
//! behind it, in the order of its calls. If one message answers the calls of several messages, those messages stand
//! together, and their results follow.
//!
//! # Memory
//!
//! A [`Window`] holds the messages that show or wait. Of the messages that left, the window remembers the last 10,000
//! ids and the last 10,000 calls.

mod alike;
mod call;
mod calls;
mod candidate;
mod groups;
mod ids;
mod layout;
mod limits;
mod said;
mod tools;
mod way;

use std::collections::BTreeMap;

pub use crate::window::candidate::Candidate;
pub use crate::window::limits::WindowLimits;

use crate::content::ToolCall;
use crate::id::MessageId;
use crate::message::Message;
use crate::window::ids::Ids;
use crate::window::said::Said;

/// What [`select`] decided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Selection {
    /// The places of the messages that stay, in the order in which a model is to see them: a result stands behind its
    /// call, wherever it was.
    pub kept: Vec<usize>,
    /// Whether a message had to leave because of a limit. If so, no older message can stay either, except those of
    /// the system and the developer.
    pub full: bool,
    /// The place of the first kept result that was given before its call. If the given messages are not the whole
    /// conversation, the result may belong to an earlier call with the same id instead.
    pub early: Option<usize>,
}

/// Decides which of these messages stay. Give them in the order in which they were stored. Takes `n log n` time.
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
/// let candidates = messages.iter().map(|(role, content)| Candidate::new(*role, content, 1));
/// // The call leaves, so its result leaves as well, though there would be room for it.
/// assert_eq!(select(candidates, &WindowLimits::new(3, None)?).kept, [0, 4]);
/// # Ok::<(), chatkeep_domain::InvalidArgument>(())
/// ```
pub fn select<'a>(candidates: impl IntoIterator<Item = Candidate<'a>>, limits: &WindowLimits) -> Selection {
    let mut said = Said::default();
    for (at, candidate) in candidates.into_iter().enumerate() {
        said.push(at, candidate);
    }
    let full = !said.shrink(limits).is_empty();
    Selection { kept: said.laid_out(), full, early: said.first_early() }
}

/// A window that is filled one message at a time, and holds no message that has left.
///
/// ```
/// use chatkeep_domain::window::{Window, WindowLimits};
/// use chatkeep_domain::{Message, Role};
///
/// let mut window = Window::new(WindowLimits::new(2, None)?);
/// for text in ["one", "two", "three"] {
///     window.push(None, Message::new(Role::User, text), 1);
/// }
/// let texts: Vec<_> = window.messages().filter_map(|message| message.content.as_text()).collect();
/// assert_eq!(texts, ["two", "three"]);
/// # Ok::<(), chatkeep_domain::InvalidArgument>(())
/// ```
#[derive(Debug, Default)]
pub struct Window {
    limits: WindowLimits,
    said: Said,
    messages: BTreeMap<usize, Message>,
    ids: Ids,
    next: usize,
}

impl Window {
    /// An empty window.
    pub fn new(limits: WindowLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Adds a message that takes `tokens` in a prompt. Messages that no longer fit leave. Returns whether the message
    /// shows now: a result whose call is not there does not show.
    ///
    /// A message whose id the window [knows](Self::knows) changes nothing, even if its content is another: the first
    /// one stays.
    pub fn push(&mut self, id: impl Into<Option<MessageId>>, message: Message, tokens: usize) -> bool {
        let id = id.into();
        if let Some(known) = id.filter(|id| self.knows(*id)) {
            return self.shows(known);
        }
        let at = self.next;
        self.next += 1;
        let candidate = Candidate::new(message.role, &message.content, tokens);
        let mut out = self.said.push(at, candidate);
        out.extend(self.said.shrink(&self.limits));
        self.messages.insert(at, message);
        if let Some(id) = id {
            self.ids.enter(id, at);
        }
        self.drop(out);
        self.said.groups().shows(at)
    }

    /// Gives up the results that wait for their calls. Call this after a window was filled with the end of a
    /// conversation: the calls were before that end.
    pub fn give_up_waiting(&mut self) {
        let out = self.said.give_up(0);
        self.drop(out);
    }

    /// Whether a message of this id was pushed: it is in the window, or waits, or is among the last 10,000 that left.
    pub fn knows(&self, id: MessageId) -> bool {
        self.ids.knows(id)
    }

    /// Whether the message of this id shows.
    pub fn shows(&self, id: MessageId) -> bool {
        self.ids.place(id).is_some_and(|at| self.said.groups().shows(at))
    }

    /// Empties it.
    pub fn clear(&mut self) {
        *self = Self::new(self.limits);
    }

    /// Its limits.
    pub const fn limits(&self) -> &WindowLimits {
        &self.limits
    }

    /// The messages that show, in the order in which a model is to see them.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.at(self.said.laid_out())
    }

    /// The newest whole groups that have at most `count` messages together, in the order of
    /// [`messages`](Self::messages). Empty if the newest group alone has more. A system message counts like any other
    /// here; it is not pinned.
    pub fn last(&self, count: usize) -> Vec<&Message> {
        self.at(self.said.last(count)).collect()
    }

    /// How many messages show.
    pub fn len(&self) -> usize {
        self.said.groups().messages()
    }

    /// Whether none shows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tokens of all the messages that show.
    pub fn tokens(&self) -> usize {
        self.said.groups().tokens()
    }

    /// The calls that show and have no answer, in the order in which they were made.
    pub fn pending_tool_calls(&self) -> Vec<ToolCall<'_>> {
        let mut pending = Vec::new();
        let mut message: Option<(usize, Vec<ToolCall<'_>>)> = None;
        for call in self.said.pending() {
            if message.as_ref().is_none_or(|(at, _)| *at != call.at) {
                let calls = self.messages.get(&call.at).map(|message| message.content.tool_calls());
                message = Some((call.at, calls.unwrap_or_default()));
            }
            pending.extend(message.iter().filter_map(|(_, calls)| calls.get(call.index)));
        }
        pending
    }

    /// The id of the oldest call of this tool that has no answer, whether the call shows, waits or has left; empty where
    /// the call has no id.
    pub fn oldest_open_call(&self, tool: &str) -> Option<&str> {
        self.said.oldest_open(tool)
    }

    fn at(&self, places: Vec<usize>) -> impl DoubleEndedIterator<Item = &Message> {
        places.into_iter().filter_map(|at| self.messages.get(&at))
    }

    fn drop(&mut self, out: Vec<usize>) {
        for at in out {
            self.messages.remove(&at);
            self.ids.leave(at);
        }
    }
}
