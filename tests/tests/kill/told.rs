//! What a writer told of: what has to be there, what must not be there, and what may be either, because the kill came in between.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use chatkeep::{MessageId, ThreadId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Stored,
    /// Its removal was begun.
    Doubtful,
    Removed,
}

/// A branch.
#[derive(Debug)]
pub(crate) struct ToldBranch {
    pub(crate) state: State,
    pub(crate) parent: u32,
    pub(crate) through: i64,
    pub(crate) head: i64,
    pub(crate) own: Vec<Own>,
}

/// A message of a branch's own.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) id: MessageId,
    pub(crate) position: i64,
    pub(crate) state: State,
}

#[derive(Debug)]
pub(crate) struct Fork {
    pub(crate) branch: u32,
    pub(crate) through: i64,
    pub(crate) is_finished: bool,
    /// What it has of the branch's own.
    pub(crate) own: Vec<MessageId>,
}

#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The messages of the main branch.
    pub(crate) main: BTreeSet<MessageId>,
    pub(crate) branches: BTreeMap<u32, ToldBranch>,
    pub(crate) forks: BTreeMap<ThreadId, Fork>,
    pub(crate) version: i64,
    /// The branches whose shared part was looked at.
    pub(crate) seen: BTreeSet<u32>,
}

fn read<T: FromStr>(word: &str) -> T {
    word.parse().unwrap_or_else(|_| panic!("the writer told of {word:?}"))
}

impl Told {
    /// Takes in a line. What one task tells comes in its order, and each branch has one task that writes to it.
    pub(crate) fn hear(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        match *words.as_slice() {
            ["stored", id] => drop(self.main.insert(read(id))),
            ["branch", id, parent, through] => {
                let (parent, through) = (read(parent), read(through));
                let branch =
                    ToldBranch { state: State::Stored, parent, through, head: through, own: Vec::new() };
                assert!(self.branches.insert(read(id), branch).is_none(), "branch {id} twice");
            }
            ["appended", id, head, version, ref ids @ ..] => self.append(id, read(head), read(version), ids),
            ["truncating", id, after] => {
                let after = read(after);
                self.branch(id).mark(|own| own.position > after, State::Doubtful);
            }
            ["truncated", id] => self.branch(id).mark(|own| own.state == State::Doubtful, State::Removed),
            ["deleting", id] => self.branch(id).mark_all(State::Doubtful),
            ["deleted", id] => self.branch(id).mark_all(State::Removed),
            ["forking", thread, id, through] => {
                let through = read(through);
                let own = self.branch(id).own.iter().filter(|own| own.position <= through);
                let own = own.map(|own| own.id).collect();
                self.forks.insert(read(thread), Fork { branch: read(id), through, is_finished: false, own });
            }
            ["forked", thread] => {
                let fork = self.forks.get_mut(&read(thread));
                fork.expect("it was begun").is_finished = true;
            }
            _ => panic!("the writer told of {line:?}"),
        }
    }

    fn branch(&mut self, id: &str) -> &mut ToldBranch {
        self.branches.get_mut(&read(id)).expect("the branch was told of")
    }

    fn append(&mut self, id: &str, head: i64, version: i64, ids: &[&str]) {
        self.version = self.version.max(version);
        let branch = self.branch(id);
        branch.head = head;
        // Neighbours.
        for (position, id) in (head - i64::try_from(ids.len()).expect("few") + 1..).zip(ids) {
            branch.own.push(Own { id: read(id), position, state: State::Stored });
        }
    }

    /// The messages that have to be there, on all branches.
    pub(crate) fn stored(&self) -> impl Iterator<Item = MessageId> {
        self.own(State::Stored).chain(self.main.iter().copied())
    }

    pub(crate) fn removed(&self) -> impl Iterator<Item = MessageId> {
        self.own(State::Removed)
    }

    fn own(&self, state: State) -> impl Iterator<Item = MessageId> {
        let own = self.branches.values().flat_map(|branch| &branch.own);
        own.filter(move |own| own.state == state).map(|own| own.id)
    }

    /// Takes in what the next writer told.
    pub(crate) fn merge(&mut self, mut next: Self) {
        self.main.append(&mut next.main);
        self.branches.append(&mut next.branches);
        self.forks.append(&mut next.forks);
        self.version = self.version.max(next.version);
    }
}

impl ToldBranch {
    fn mark(&mut self, which: impl Fn(&Own) -> bool, state: State) {
        for own in self.own.iter_mut().filter(|own| own.state != State::Removed && which(own)) {
            own.state = state;
        }
    }

    fn mark_all(&mut self, state: State) {
        self.state = state;
        self.mark(|_| true, state);
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.own.iter().all(|own| own.state == State::Stored)
    }
}
