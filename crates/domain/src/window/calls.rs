//! Which call a result answers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use crate::content::{ToolCall, ToolResult};

/// How many calls are remembered after they left.
const REMEMBERED: usize = 10_000;

/// How many results wait for their calls.
pub(super) const MAX_WAITING: usize = 1_000;

/// A call's number, in the order in which calls were made.
pub(super) type CallNumber = usize;

/// What pairs a result with its call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Id(Arc<str>),
    /// Of the tool. For results without an id.
    Name(Arc<str>),
}

impl Key {
    fn of_result(result: &ToolResult<'_>) -> Self {
        match result.tool_call_id {
            "" => Self::Name(result.name.into()),
            id => Self::Id(id.into()),
        }
    }

    fn of_call(call: &ToolCall<'_>) -> Vec<Self> {
        let id = (!call.id.is_empty()).then(|| Self::Id(call.id.into()));
        let name = (!call.name.is_empty()).then(|| Self::Name(call.name.into()));
        id.into_iter().chain(name).collect()
    }
}

#[derive(Debug)]
pub(super) struct Call {
    /// The place of the message that makes it, and which of that message's calls it is.
    pub(super) at: usize,
    pub(super) index: usize,
    /// The place of the message that answers it.
    pub(super) answer: Option<usize>,
    /// The same for parallel calls.
    run: usize,
    keys: Vec<Key>,
}

impl Call {
    fn id(&self) -> &str {
        match self.keys.first() {
            Some(Key::Id(id)) => id,
            _ => "",
        }
    }
}

/// What [`Calls::answer`] found.
pub(super) enum Answer {
    /// A call that had no answer yet: the place of its message.
    To(usize),
    /// All calls that it could answer have an answer.
    Repeated,
    /// There was no such call yet.
    Unknown,
}

/// A result that waits for its call: the place of its message, and which of that message's results it is.
type Waiting = (usize, usize);

/// Every call that is in the window, the last ones that left it, and the results that wait for theirs.
///
/// What answers what depends on what was said alone: not on what shows, nor on what left.
#[derive(Debug, Default)]
pub(super) struct Calls {
    made: CallNumber,
    by_number: BTreeMap<CallNumber, Call>,
    open: BTreeSet<CallNumber>,
    alike: HashMap<Key, Alike>,
    left: VecDeque<CallNumber>,
    waiting: BTreeMap<Waiting, Key>,
}

/// The calls of one key, and the results that came before them.
#[derive(Debug, Default)]
struct Alike {
    calls: usize,
    /// The call to be answered next is the last: of the latest run, the first.
    open: BTreeSet<(usize, Reverse<CallNumber>)>,
    waiting: BTreeSet<Waiting>,
}

impl Calls {
    pub(super) fn get(&self, number: CallNumber) -> Option<&Call> {
        self.by_number.get(&number)
    }

    pub(super) fn make(&mut self, at: usize, run: usize, index: usize, call: &ToolCall<'_>) -> CallNumber {
        let number = self.made;
        self.made += 1;
        let keys = Key::of_call(call);
        for key in &keys {
            let alike = self.alike.entry(key.clone()).or_default();
            alike.calls += 1;
            alike.open.insert((run, Reverse(number)));
        }
        self.open.insert(number);
        self.by_number.insert(number, Call { at, index, answer: None, run, keys });
        number
    }

    /// Answers the latest call of the result's id that has no answer, or of its name where it has no id. Of parallel
    /// calls it is the first.
    pub(super) fn answer(&mut self, at: usize, result: &ToolResult<'_>) -> Answer {
        let Some(alike) = self.alike.get(&Key::of_result(result)).filter(|alike| alike.calls > 0) else {
            return Answer::Unknown;
        };
        match alike.open.last() {
            Some((_, Reverse(number))) => Answer::To(self.settle(*number, at)),
            None => Answer::Repeated,
        }
    }

    /// Marks a call as answered by the message at `answer`. Gives the place of the message that makes it.
    pub(super) fn settle(&mut self, number: CallNumber, answer: usize) -> usize {
        let Some(call) = self.by_number.get_mut(&number) else { return answer };
        call.answer = Some(answer);
        self.open.remove(&number);
        for key in &call.keys {
            if let Some(alike) = self.alike.get_mut(key) {
                alike.open.remove(&(call.run, Reverse(number)));
            }
        }
        call.at
    }

    /// Lets a result wait for its call.
    pub(super) fn wait(&mut self, at: usize, index: usize, result: &ToolResult<'_>) {
        let key = Key::of_result(result);
        self.alike.entry(key.clone()).or_default().waiting.insert((at, index));
        self.waiting.insert((at, index), key);
    }

    /// Answers a new call by the result that waited longest for it. Gives the place of that result's message.
    pub(super) fn answer_early(&mut self, number: CallNumber) -> Option<usize> {
        let keys = &self.by_number.get(&number)?.keys;
        let early = keys.iter().find_map(|key| self.alike.get_mut(key)?.waiting.pop_first())?;
        self.waiting.remove(&early);
        self.settle(number, early.0);
        Some(early.0)
    }

    /// Gives up the oldest results that wait, until at most `most` do. Gives the places of their messages.
    pub(super) fn give_up(&mut self, most: usize) -> Vec<usize> {
        let mut places = Vec::new();
        while self.waiting.len() > most {
            let Some((oldest, key)) = self.waiting.pop_first() else { break };
            if let Some(alike) = self.alike.get_mut(&key) {
                alike.waiting.remove(&oldest);
                self.drop_unused(&key);
            }
            places.push(oldest.0);
        }
        places
    }

    /// The calls that have no answer, in the order in which they were made.
    pub(super) fn open(&self) -> impl Iterator<Item = &Call> {
        self.open.iter().filter_map(|number| self.by_number.get(number))
    }

    /// The id of the oldest call of this tool that has no answer, in the window or not.
    pub(super) fn oldest_open(&self, tool: &str) -> Option<&str> {
        let open = &self.alike.get(&Key::Name(tool.into()))?.open;
        let (run, _) = open.first()?;
        let (_, Reverse(oldest)) = open.range(..=(*run, Reverse(0))).next_back()?;
        self.by_number.get(oldest).map(Call::id)
    }

    /// Of calls that left, the last are remembered: what answers them later is no early result of another call.
    pub(super) fn leave(&mut self, numbers: impl IntoIterator<Item = CallNumber>) {
        self.left.extend(numbers);
        while self.left.len() > REMEMBERED {
            if let Some(call) = self.left.pop_front().and_then(|number| self.forget(number)) {
                for key in &call.keys {
                    self.drop_unused(key);
                }
            }
        }
    }

    fn forget(&mut self, number: CallNumber) -> Option<Call> {
        let call = self.by_number.remove(&number)?;
        self.open.remove(&number);
        for key in &call.keys {
            if let Some(alike) = self.alike.get_mut(key) {
                alike.calls -= 1;
                alike.open.remove(&(call.run, Reverse(number)));
            }
        }
        Some(call)
    }

    fn drop_unused(&mut self, key: &Key) {
        if self.alike.get(key).is_some_and(|alike| alike.calls == 0 && alike.waiting.is_empty()) {
            self.alike.remove(key);
        }
    }
}
