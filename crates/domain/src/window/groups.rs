//! Which messages stay or leave together.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::{Candidate, WindowLimits};
use crate::{Role, ToolCall};

/// Stays the same while groups grow and merge.
type GroupId = usize;

/// Where a message went.
pub(super) enum Place {
    /// Pinned, or in a group.
    Member,
    /// Its call is not there: it is out, and so are these.
    Orphan { taken_along: Vec<usize> },
}

#[derive(Debug, Default)]
struct Group {
    first: usize,
    /// Places and tokens, in any order.
    members: Vec<(usize, usize)>,
    calls: Vec<(Arc<str>, usize)>,
}

/// The calls of one id, by the order in which they were made: ids may be used again.
#[derive(Debug, Default)]
struct Calls {
    /// With the place of the message that makes the call.
    open: BTreeMap<usize, (GroupId, usize)>,
    answered: BTreeMap<usize, GroupId>,
}

/// Messages by group, in n log n: a merge moves the smaller group.
#[derive(Debug, Default)]
pub(super) struct Groups {
    by_id: HashMap<GroupId, Group>,
    /// By first member.
    order: BTreeMap<usize, GroupId>,
    calls: HashMap<Arc<str>, Calls>,
    pinned: BTreeMap<usize, usize>,
    /// The group of the message before, system messages and orphans aside; it may have left.
    last: Option<GroupId>,
    /// Whether that message was the assistant's and had calls.
    last_called: bool,
    made_calls: usize,
    messages: usize,
    /// Wide enough for any count of any counter.
    tokens: u128,
}

impl Groups {
    /// `at` must be above every place before.
    pub(super) fn push(&mut self, at: usize, candidate: Candidate<'_>) -> Place {
        let Candidate { role, content, tokens } = candidate;
        if role == Role::System {
            self.pinned.insert(at, tokens);
            self.count(tokens);
            return Place::Member;
        }
        let (made, answers) = (content.tool_calls(), content.tool_results());
        let own: HashSet<&str> = made.iter().map(|call| call.id).collect();
        let is_there = |id| own.contains(id) || self.calls.contains_key(id);
        let orphan = !answers.iter().all(|answer| is_there(answer.tool_call_id));
        let unanchored = role == Role::Tool && made.is_empty() && answers.is_empty();
        if unanchored && self.last.is_some_and(|last| !self.by_id.contains_key(&last)) {
            return Place::Orphan { taken_along: Vec::new() };
        }
        let called = role == Role::Assistant && !made.is_empty();
        let group = self.join(at, !orphan && (unanchored || called && self.last_called));
        self.add(group, at, tokens);
        for call in made {
            self.call(group, at, call);
        }
        let group = answers.iter().fold(group, |group, answer| self.answer(group, answer.tool_call_id));
        if orphan {
            return self.refuse(group);
        }
        (self.last, self.last_called) = (Some(group), called);
        Place::Member
    }

    /// Drives out the oldest groups until the limits hold or one group is left.
    pub(super) fn shrink(&mut self, limits: &WindowLimits) -> Vec<usize> {
        let mut left = Vec::new();
        while !limits.hold(self.messages, self.tokens) && self.order.len() > 1 {
            let Some(oldest) = self.order.values().next().copied() else {
                break;
            };
            left.extend(self.remove(oldest));
        }
        left
    }

    /// The places of the newest whole groups and pinned messages, at most `count` places.
    pub(super) fn last(&self, count: usize) -> Vec<usize> {
        let mut groups = self.order.iter().rev().peekable();
        let mut pinned = self.pinned.keys().rev().peekable();
        let mut chosen = Vec::new();
        loop {
            let newest_is_pinned = match (groups.peek(), pinned.peek()) {
                (None, None) => return chosen,
                (Some((first, _)), Some(at)) => at > first,
                (_, at) => at.is_some(),
            };
            let before = chosen.len();
            if newest_is_pinned {
                chosen.extend(pinned.next());
            } else if let Some((_, id)) = groups.next() {
                chosen.extend(self.by_id[id].members.iter().map(|(at, _)| *at));
            }
            if chosen.len() > count {
                chosen.truncate(before);
                return chosen;
            }
        }
    }

    pub(super) fn tokens(&self) -> usize {
        self.tokens.try_into().unwrap_or(usize::MAX)
    }

    /// The ids of the calls that nothing answered, in the order in which they were made, and the places of the
    /// messages that make them.
    pub(super) fn pending(&self) -> impl Iterator<Item = (&str, usize)> {
        let mut open = BTreeMap::new();
        for (id, calls) in &self.calls {
            open.extend(calls.open.iter().map(|(number, (_, at))| (*number, (&**id, *at))));
        }
        open.into_values()
    }

    /// Takes an orphan out again, with all that it answered.
    fn refuse(&mut self, group: GroupId) -> Place {
        let taken_along = self.remove(group);
        if taken_along.len() > 1 {
            (self.last, self.last_called) = (Some(group), false);
        }
        Place::Orphan { taken_along }
    }

    /// The group of the message before, or a new one.
    fn join(&mut self, at: usize, with_last: bool) -> GroupId {
        if let Some(last) = self.last.filter(|last| with_last && self.by_id.contains_key(last)) {
            return last;
        }
        let group = Group { first: at, ..Group::default() };
        self.by_id.insert(at, group);
        self.order.insert(at, at);
        at
    }

    fn add(&mut self, id: GroupId, at: usize, tokens: usize) {
        if let Some(group) = self.by_id.get_mut(&id) {
            group.members.push((at, tokens));
        }
        self.count(tokens);
    }

    fn call(&mut self, id: GroupId, at: usize, call: ToolCall<'_>) {
        let number = self.made_calls;
        self.made_calls += 1;
        let key: Arc<str> = call.id.into();
        if let Some(group) = self.by_id.get_mut(&id) {
            group.calls.push((Arc::clone(&key), number));
        }
        let calls = self.calls.entry(key).or_default();
        calls.open.insert(number, (id, at));
    }

    /// Marks the call as answered and merges its group with the result's.
    fn answer(&mut self, group: GroupId, id: &str) -> GroupId {
        let Some(calls) = self.calls.get_mut(id) else {
            return group;
        };
        let target = match calls.open.pop_last() {
            Some((number, (target, _))) => {
                calls.answered.insert(number, target);
                target
            }
            None => calls.answered.values().next_back().copied().unwrap_or(group),
        };
        self.merge(group, target)
    }

    fn merge(&mut self, one: GroupId, other: GroupId) -> GroupId {
        let size = |id| self.by_id.get(id).map_or(0, |group: &Group| group.members.len() + group.calls.len());
        let (from, into) = if size(&one) < size(&other) { (one, other) } else { (other, one) };
        if from == into {
            return into;
        }
        let Some(moved) = self.by_id.remove(&from) else {
            return into;
        };
        for (id, number) in &moved.calls {
            let Some(calls) = self.calls.get_mut(id) else {
                continue;
            };
            calls.open.entry(*number).and_modify(|(group, _)| *group = into);
            calls.answered.entry(*number).and_modify(|group| *group = into);
        }
        if let Some(group) = self.by_id.get_mut(&into) {
            self.order.remove(&moved.first);
            self.order.remove(&group.first);
            group.first = group.first.min(moved.first);
            self.order.insert(group.first, into);
            group.members.extend(moved.members);
            group.calls.extend(moved.calls);
        }
        if self.last == Some(from) {
            self.last = Some(into);
        }
        into
    }

    fn remove(&mut self, id: GroupId) -> Vec<usize> {
        let group = self.by_id.remove(&id).unwrap_or_default();
        self.order.remove(&group.first);
        for (id, number) in &group.calls {
            if let Some(calls) = self.calls.get_mut(id) {
                calls.open.remove(number);
                calls.answered.remove(number);
                if calls.open.is_empty() && calls.answered.is_empty() {
                    self.calls.remove(id);
                }
            }
        }
        self.messages -= group.members.len();
        self.tokens -= group.members.iter().map(|(_, tokens)| *tokens as u128).sum::<u128>();
        group.members.into_iter().map(|(at, _)| at).collect()
    }

    fn count(&mut self, tokens: usize) {
        self.messages += 1;
        self.tokens += tokens as u128;
    }
}
