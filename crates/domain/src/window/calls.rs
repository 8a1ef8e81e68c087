//! Which call a result answers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crate::content::{ToolCall, ToolResult};
use crate::window::alike::{Alike, Waiting};
use crate::window::call::{Call, CallNumber, Key, Turn};
use crate::window::way::Ways;

/// How many calls are remembered after they left.
const REMEMBERED: usize = 10_000;

/// How many results wait for their calls.
pub(super) const MAX_WAITING: usize = 1_000;

/// What [`Calls::answer`] found.
pub(super) enum Answer {
    /// A call that had no answer yet: the place of its message.
    To(usize),
    /// A call whose answer went on to another call: the places of the messages of all calls whose answers changed.
    Freed(Vec<usize>),
    /// All calls that it could answer have an answer.
    Repeated,
    /// There was no such call yet.
    Unknown,
}

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

impl Calls {
    pub(super) fn get(&self, number: CallNumber) -> Option<&Call> {
        self.by_number.get(&number)
    }

    /// Adds a message's call, the one at `index`. `stretch` and `run` are as in [`Turn`].
    pub(super) fn make(
        &mut self,
        (at, index): (usize, usize),
        (stretch, run): (usize, usize),
        call: &ToolCall<'_>,
    ) -> CallNumber {
        let number = self.made;
        self.made += 1;
        let turn = Turn { stretch, run, number: Reverse(number) };
        let keys = Key::of_call(call);
        for key in &keys {
            let alike = self.alike.entry(key.clone()).or_default();
            alike.calls += 1;
            alike.open.insert(turn);
        }
        self.open.insert(number);
        self.by_number.insert(number, Call { at, index, answer: None, by: None, turn, keys });
        number
    }

    /// Answers the latest call of the result's id that has no answer or can be freed, or of its name where it has no
    /// id. Of parallel calls it is the first.
    pub(super) fn answer(&mut self, at: usize, result: &ToolResult<'_>) -> Answer {
        let key = Key::of_result(result);
        let Some(alike) = self.alike.get(&key).filter(|alike| alike.calls > 0) else {
            return Answer::Unknown;
        };
        if let Some(open) = alike.open.last().copied() {
            return self.settle(open, at, Some(key)).map_or(Answer::Repeated, Answer::To);
        }
        let ways = Ways { calls: &self.by_number, alike: &self.alike };
        let way = alike.taken.last().and_then(|latest| ways.find(&key, latest.stretch));
        way.map_or(Answer::Repeated, |way| Answer::Freed(self.free(&way, at, key)))
    }

    /// Marks a call as answered by its own message.
    pub(super) fn answer_itself(&mut self, number: CallNumber) {
        if let Some((turn, at)) = self.by_number.get(&number).map(|call| (call.turn, call.at)) {
            self.settle(turn, at, None);
        }
    }

    /// Passes each answer of a way on to the next call, and answers the first call by the result at this place. Gives
    /// the places of the calls' messages.
    fn free(&mut self, way: &[Turn], at: usize, key: Key) -> Vec<usize> {
        let mut places = Vec::new();
        for pair in way.windows(2).rev() {
            if let Some((answer, by)) = self.reopen(pair[0]) {
                places.extend(self.settle(pair[1], answer, by));
            }
        }
        places.extend(way.first().and_then(|freed| self.settle(*freed, at, Some(key))));
        places
    }

    /// Marks a call as answered by the message at `answer`. Gives the place of the message that makes it.
    fn settle(&mut self, turn: Turn, answer: usize, by: Option<Key>) -> Option<usize> {
        let call = self.by_number.get_mut(&turn.number.0)?;
        call.answer = Some(answer);
        call.by = by;
        self.open.remove(&turn.number.0);
        for key in &call.keys {
            if let Some(alike) = self.alike.get_mut(key) {
                alike.open.remove(&turn);
                if call.by.as_ref().is_some_and(|by| by != key) {
                    alike.taken.insert(turn);
                }
            }
        }
        Some(call.at)
    }

    /// Takes a call's answer away. Gives its place and what paired the two.
    fn reopen(&mut self, turn: Turn) -> Option<(usize, Option<Key>)> {
        let call = self.by_number.get_mut(&turn.number.0)?;
        self.open.insert(turn.number.0);
        for key in &call.keys {
            if let Some(alike) = self.alike.get_mut(key) {
                alike.taken.remove(&turn);
                alike.open.insert(turn);
            }
        }
        Some((call.answer.take()?, call.by.take()))
    }

    /// Lets a result wait for its call.
    pub(super) fn wait(&mut self, at: usize, index: usize, result: &ToolResult<'_>) {
        let key = Key::of_result(result);
        self.alike.entry(key.clone()).or_default().waiting.insert((at, index));
        self.waiting.insert((at, index), key);
    }

    /// Answers a new call by the result that waited longest for it. Gives the place of that result's message.
    pub(super) fn answer_early(&mut self, number: CallNumber) -> Option<usize> {
        let Call { keys, turn, .. } = self.by_number.get(&number)?;
        let early = keys.iter().find_map(|key| self.alike.get_mut(key)?.waiting.pop_first())?;
        let by = self.waiting.remove(&early);
        self.settle(*turn, early.0, by);
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
        let oldest = Turn { number: Reverse(0), ..*open.first()? };
        let oldest = open.range(..=oldest).next_back()?;
        self.by_number.get(&oldest.number.0).map(Call::id)
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
                alike.open.remove(&call.turn);
                alike.taken.remove(&call.turn);
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
