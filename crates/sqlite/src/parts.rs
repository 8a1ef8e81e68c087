//! Which messages of a thread a read looks at: parts of its branches, one after the other.

use chatkeep_domain::{BranchId, Path, Position, Segment};
use rusqlite::Connection;

use crate::error::Result;
use crate::in_thread::Found;
use crate::sql::Sql;

const BRANCHES: &str = "SELECT branch FROM chat_branch WHERE thread = ?1 ORDER BY branch";

/// Positions from the first through the last one. `i64::MAX` stands for no end: no message has that position.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    first: i64,
    last: i64,
}

impl Range {
    pub(crate) const ALL: Self = Self { first: 1, last: i64::MAX };

    /// What is behind a position, and ahead of another one.
    pub(crate) fn between(after: Position, before: Option<Position>) -> Self {
        let range = Self::ALL.behind(after.get());
        before.map_or(range, |before| range.ahead_of(before.get()))
    }

    pub(crate) fn from(self, position: i64) -> Self {
        Self { first: self.first.max(position), ..self }
    }

    pub(crate) fn through(self, position: i64) -> Self {
        Self { last: self.last.min(position), ..self }
    }

    pub(crate) fn behind(self, position: i64) -> Self {
        self.from(position.saturating_add(1))
    }

    pub(crate) fn ahead_of(self, position: i64) -> Self {
        self.through(position.saturating_sub(1))
    }

    /// The part of a segment that is in the range. `None`: it has no positions.
    pub(crate) fn part(self, segment: &Segment) -> Option<Part> {
        let range = self.behind(segment.after.get());
        let range = segment.through.map_or(range, |through| range.through(through.get()));
        (range.first <= range.last).then_some(Part { branch: segment.branch, range })
    }
}

/// A branch's own messages in a range.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) branch: BranchId,
    range: Range,
}

impl Part {
    /// The first and the last position.
    pub(crate) fn ends(self) -> (i64, i64) {
        (self.range.first, self.range.last)
    }

    /// Goes on with its conditions, which read alike for every part: a statement is prepared once.
    pub(crate) fn condition(self, sql: Sql) -> Sql {
        sql.bind(" AND m.branch = ", self.branch.get())
            .bind(" AND m.position >= ", self.range.first)
            .bind(" AND m.position <= ", self.range.last)
    }
}

/// What is looked at within a thread.
#[derive(Debug)]
pub(crate) enum Within {
    /// What a branch shows.
    Path(Path),
    /// All that every branch has of its own.
    Branches(Vec<Segment>),
}

impl Within {
    pub(crate) fn all(connection: &Connection, thread: &Found) -> Result<Self> {
        let whole = |branch| Segment::new(branch, Position::ZERO, None);
        let mut segments = vec![whole(BranchId::MAIN)];
        if thread.is_branched() {
            let mut statement = connection.prepare_cached(BRANCHES)?;
            for branch in statement.query_map([thread.key], |row| row.get(0))? {
                segments.push(whole(BranchId::new(branch?)));
            }
        }
        Ok(Self::Branches(segments))
    }

    /// In the order in which they are read.
    pub(crate) fn segments(&self, newest_first: bool) -> impl Iterator<Item = &Segment> {
        let segments = match self {
            Self::Path(path) => path.segments(),
            Self::Branches(segments) => segments,
        };
        in_order(segments, newest_first)
    }

    /// Whether a message is looked at.
    pub(crate) fn contains(&self, branch: BranchId, position: Position) -> bool {
        match self {
            Self::Path(path) => path.contains(branch, position),
            Self::Branches(_) => true,
        }
    }
}

/// Segments from the oldest on, or from the newest back.
pub(crate) fn in_order(segments: &[Segment], newest_first: bool) -> impl Iterator<Item = &Segment> {
    let last = segments.len().saturating_sub(1);
    (0..segments.len())
        .map(move |at| if newest_first { last - at } else { at })
        .filter_map(|at| segments.get(at))
}
