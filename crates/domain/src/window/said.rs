//! What was said, as far as the window has a use for it.

use crate::content::ToolResult;
use crate::role::Role;
use crate::window::call::{Call, CallNumber};
use crate::window::calls::{Answer, Calls, MAX_WAITING};
use crate::window::candidate::Candidate;
use crate::window::groups::{Group, Groups};
use crate::window::layout::lay_out;
use crate::window::limits::WindowLimits;
use crate::window::tools::Tools;

/// Where a message's results belong.
#[derive(Debug, Default)]
struct Results {
    /// The places of the messages whose calls they answer.
    answered: Vec<usize>,
    /// Those whose calls are not known.
    unknown: Vec<usize>,
    /// Whether one answers a call that has an answer.
    repeats: bool,
}

/// Which messages show, and which call each result answers.
#[derive(Debug, Default)]
pub(super) struct Said {
    groups: Groups,
    calls: Calls,
    /// The place of the message before, system messages aside.
    last: Option<usize>,
    /// The number of the latest run of parallel calls.
    run: usize,
    /// The place of its last message, while the next one may go on with it.
    run_end: Option<usize>,
    /// The number of the latest stretch of calls with nothing said between them.
    stretch: usize,
}

impl Said {
    /// Takes in a message; `at` must be above every place before. Gives the places of the messages that are out now:
    /// this one, if it is, and what it took along.
    pub(super) fn push(&mut self, at: usize, candidate: Candidate<'_>) -> Vec<usize> {
        let Candidate { role, content, tokens } = candidate;
        if role.is_instruction() {
            self.groups.pin(at, tokens);
            return Vec::new();
        }
        let found = content.tools();
        if found.calls.is_empty() && found.results.is_empty() {
            return self.plain(at, role, tokens);
        }
        self.last = Some(at);
        let tools = Tools::new(found);
        let results = self.answer(at, &tools.results);
        let parallel = self.go_on(at, role, &tools, &results);
        let waits = tools.calls.is_empty();
        let makes_no_prompt = results.repeats || !waits && !results.unknown.is_empty();
        let mut group = Group::new(at, tokens);
        group.follows = waits;
        let mut joined = results.answered;
        joined.extend(self.make_calls(at, &mut group, &tools));
        if !makes_no_prompt {
            for index in results.unknown {
                self.calls.wait(at, index, &tools.results[index]);
                group.waiting += 1;
            }
        }
        if makes_no_prompt || joined.iter().any(|place| !self.groups.has(*place)) {
            return self.refuse(at, group, &joined);
        }
        joined.extend(parallel);
        self.groups.insert(at, group, &joined);
        self.give_up(MAX_WAITING)
    }

    /// Drives out the oldest groups until the limits hold or one group is left. Gives their places.
    pub(super) fn shrink(&mut self, limits: &WindowLimits) -> Vec<usize> {
        let mut left = Vec::new();
        while let Some(group) = self.groups.remove_oldest_over(limits) {
            left.extend(self.leave(group));
        }
        left
    }

    /// Gives up the oldest results that wait for their calls, until at most `most` do. Gives the places of what leaves
    /// with them.
    pub(super) fn give_up(&mut self, most: usize) -> Vec<usize> {
        let places = self.calls.give_up(most);
        places.into_iter().flat_map(|at| self.remove(at)).collect()
    }

    /// What shows.
    pub(super) const fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The places of all messages that show, in the order in which they show.
    pub(super) fn laid_out(&self) -> Vec<usize> {
        self.lay_out(&self.groups.blocks())
    }

    /// The same, of the newest whole groups and pinned messages that have at most `count` together.
    pub(super) fn last(&self, count: usize) -> Vec<usize> {
        let blocks = self.groups.blocks();
        let mut room = count;
        let newest = blocks.iter().rev().take_while(|(_, group)| {
            let size = group.map_or(1, |group| group.members.len());
            let fits = size <= room;
            room = room.saturating_sub(size);
            fits
        });
        let newest = newest.count();
        self.lay_out(&blocks[blocks.len() - newest..])
    }

    /// The calls that show and have no answer, in the order in which they were made.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Call> {
        self.calls.open().filter(|call| self.groups.shows(call.at))
    }

    /// The id of the oldest call of this tool that has no answer, whether it shows or not.
    pub(super) fn oldest_open(&self, tool: &str) -> Option<&str> {
        self.calls.oldest_open(tool)
    }

    /// The place of the first message that shows behind a call that was made after it.
    pub(super) fn first_early(&self) -> Option<usize> {
        let numbers = self.groups.shown().flat_map(|group| &group.calls);
        let calls = numbers.filter_map(|number| self.calls.get(*number));
        calls.filter_map(|call| call.answer.filter(|answer| *answer < call.at)).min()
    }

    /// Takes in a message without calls and results. A tool's goes with the message before it.
    fn plain(&mut self, at: usize, role: Role, tokens: usize) -> Vec<usize> {
        self.run_end = None;
        self.stretch += 1;
        let before = self.last.replace(at).filter(|_| role == Role::Tool);
        if before.is_some_and(|before| !self.groups.has(before)) {
            return vec![at];
        }
        let mut group = Group::new(at, tokens);
        group.follows = before.is_some();
        self.groups.insert(at, group, before.as_slice());
        Vec::new()
    }

    fn answer(&mut self, at: usize, results: &[ToolResult<'_>]) -> Results {
        let mut found = Results::default();
        for (index, result) in results.iter().enumerate() {
            match self.calls.answer(at, result) {
                Answer::To(caller) => found.answered.push(caller),
                Answer::Freed(callers) => found.answered.extend(callers),
                Answer::Repeated => found.repeats = true,
                Answer::Unknown => found.unknown.push(index),
            }
        }
        found
    }

    /// The message whose calls are parallel to those of this one. It does not depend on what left.
    fn go_on(&mut self, at: usize, role: Role, tools: &Tools<'_>, results: &Results) -> Option<usize> {
        let is_early = tools.calls.is_empty() && results.answered.is_empty();
        if is_early {
            return None;
        }
        let is_run = role == Role::Assistant && tools.results.is_empty() && tools.calls_out();
        let parallel = self.run_end.filter(|_| is_run);
        self.run += usize::from(parallel.is_none());
        self.run_end = is_run.then_some(at);
        parallel
    }

    /// Makes a message's calls. Gives the places of early results of them.
    fn make_calls(&mut self, at: usize, group: &mut Group, tools: &Tools<'_>) -> Vec<usize> {
        let mut early = Vec::new();
        for (index, (call, answered)) in tools.calls.iter().enumerate() {
            let number = self.calls.make((at, index), (self.stretch, self.run), call);
            group.calls.push(number);
            if *answered {
                self.calls.answer_itself(number);
            } else {
                early.extend(self.calls.answer_early(number));
            }
        }
        for at in &early {
            self.groups.resolve(*at);
        }
        early
    }

    /// Leaves a message out, with the groups of the calls that it answers: no part of them would make a prompt. What
    /// it calls is remembered as calls that left.
    fn refuse(&mut self, at: usize, group: Group, joined: &[usize]) -> Vec<usize> {
        self.calls.leave(group.calls);
        let mut out = vec![at];
        for place in joined {
            out.extend(self.remove(*place));
        }
        out
    }

    fn remove(&mut self, at: usize) -> Vec<usize> {
        self.groups.remove(at).map(|group| self.leave(group)).unwrap_or_default()
    }

    fn leave(&mut self, group: Group) -> Vec<usize> {
        self.calls.leave(group.calls);
        group.members
    }

    fn lay_out(&self, blocks: &[(usize, Option<&Group>)]) -> Vec<usize> {
        let mut places = Vec::with_capacity(blocks.len());
        for (place, group) in blocks {
            match group {
                Some(group) if group.members.len() > 1 => {
                    let mut calls: Vec<CallNumber> = group.calls.clone();
                    calls.sort_unstable();
                    let calls = calls.iter().filter_map(|number| self.calls.get(*number));
                    places.extend(lay_out(&group.members, calls));
                }
                _ => places.push(*place),
            }
        }
        places
    }
}
