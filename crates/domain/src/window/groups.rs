//! Messages in groups that stay or leave together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::window::call::CallNumber;
use crate::window::limits::WindowLimits;

/// Stays the same while a group grows; of two that merge, one stays.
pub(super) type GroupId = usize;

#[derive(Debug, Default)]
pub(super) struct Group {
    /// The place of its first message that does not follow another, as results do; while it has none, of its first.
    pub(super) place: usize,
    /// Whether it has none.
    pub(super) follows: bool,
    pub(super) members: Vec<usize>,
    /// Wide enough for any count of any counter.
    tokens: u128,
    pub(super) calls: Vec<CallNumber>,
    /// How many of its results have no call yet. Until there is none, the group does not show.
    pub(super) waiting: usize,
}

impl Group {
    pub(super) fn new(at: usize, tokens: usize) -> Self {
        Self { place: at, members: vec![at], tokens: tokens as u128, ..Self::default() }
    }

    fn size(&self) -> usize {
        self.members.len() + self.calls.len()
    }

    fn absorb(&mut self, other: Self) {
        (self.follows, self.place) = (self.follows, self.place).min((other.follows, other.place));
        self.members.extend(other.members);
        self.tokens += other.tokens;
        self.calls.extend(other.calls);
        self.waiting += other.waiting;
    }
}

/// What shows, or waits to show, in n log n: a merge moves the smaller group.
#[derive(Debug, Default)]
pub(super) struct Groups {
    by_id: HashMap<GroupId, Group>,
    /// The group of every message that is in one.
    group_of: HashMap<usize, GroupId>,
    /// Those that show, by place.
    shown: BTreeMap<usize, GroupId>,
    pinned: BTreeSet<usize>,
    messages: usize,
    tokens: u128,
}

impl Groups {
    pub(super) fn pin(&mut self, at: usize, tokens: usize) {
        self.pinned.insert(at);
        self.messages += 1;
        self.tokens += tokens as u128;
    }

    /// Puts a new group there, and merges it with those of these places that are still in one.
    pub(super) fn insert(&mut self, at: usize, group: Group, joined: &[usize]) {
        self.group_of.insert(at, at);
        self.put(at, group);
        let mut id = at;
        for place in joined {
            if let Some(other) = self.group_of.get(place).copied() {
                id = self.merge(id, other);
            }
        }
    }

    /// One result of the message at this place waits no more.
    pub(super) fn resolve(&mut self, at: usize) {
        if let Some(id) = self.group_of.get(&at).copied() {
            let mut group = self.take(id);
            group.waiting = group.waiting.saturating_sub(1);
            self.put(id, group);
        }
    }

    /// Takes out the group of the message at this place, if it is in one.
    pub(super) fn remove(&mut self, at: usize) -> Option<Group> {
        let id = self.group_of.get(&at).copied()?;
        let group = self.take(id);
        for at in &group.members {
            self.group_of.remove(at);
        }
        Some(group)
    }

    /// Takes out the oldest group, if a limit does not hold and another group is left.
    pub(super) fn remove_oldest_over(&mut self, limits: &WindowLimits) -> Option<Group> {
        if limits.hold(self.messages, self.tokens) || self.shown.len() < 2 {
            return None;
        }
        let oldest = *self.shown.keys().next()?;
        self.remove(oldest)
    }

    /// Whether the message at this place is in a group.
    pub(super) fn has(&self, at: usize) -> bool {
        self.group_of.contains_key(&at)
    }

    /// Whether the message at this place shows.
    pub(super) fn shows(&self, at: usize) -> bool {
        let group = || self.by_id.get(self.group_of.get(&at)?);
        self.pinned.contains(&at) || group().is_some_and(|group| group.waiting == 0)
    }

    pub(super) fn messages(&self) -> usize {
        self.messages
    }

    pub(super) fn tokens(&self) -> usize {
        self.tokens.try_into().unwrap_or(usize::MAX)
    }

    /// The groups that show.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Group> {
        self.shown.values().filter_map(|id| self.by_id.get(id))
    }

    /// The groups that show and the pinned messages, in order: each with its place.
    pub(super) fn blocks(&self) -> Vec<(usize, Option<&Group>)> {
        let groups = self.shown().map(|group| (group.place, Some(group)));
        let mut blocks: Vec<_> = groups.chain(self.pinned.iter().map(|at| (*at, None))).collect();
        blocks.sort_unstable_by_key(|(place, _)| *place);
        blocks
    }

    fn merge(&mut self, one: GroupId, other: GroupId) -> GroupId {
        if one == other {
            return one;
        }
        let (mut into, mut moved) = (self.take(one), self.take(other));
        let mut id = one;
        if into.size() < moved.size() {
            std::mem::swap(&mut into, &mut moved);
            id = other;
        }
        self.group_of.extend(moved.members.iter().map(|at| (*at, id)));
        into.absorb(moved);
        self.put(id, into);
        id
    }

    fn put(&mut self, id: GroupId, group: Group) {
        if group.waiting == 0 {
            self.messages += group.members.len();
            self.tokens += group.tokens;
            self.shown.insert(group.place, id);
        }
        self.by_id.insert(id, group);
    }

    fn take(&mut self, id: GroupId) -> Group {
        let Some(group) = self.by_id.remove(&id) else { return Group::default() };
        if self.shown.remove(&group.place).is_some() {
            self.messages -= group.members.len();
            self.tokens -= group.tokens;
        }
        group
    }
}
