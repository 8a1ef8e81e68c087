//! The path of a branch: which messages it shows.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::id::ThreadId;
use crate::invalid::InvalidArgument;
use crate::position::Position;

/// The most branches of a thread, the main one among them.
pub const MAX_BRANCHES: usize = 1_000;

/// The most segments of a path: a branch of a branch of a branch, so deep.
pub const MAX_PATH_LEN: usize = 1_000;

/// A branch of a thread. Numbers are never given again within a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BranchId(u32);

impl BranchId {
    /// The branch that every thread has.
    pub const MAIN: Self = Self(0);

    /// A branch by its number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Whether it is the one that every thread has.
    pub const fn is_main(self) -> bool {
        self.0 == 0
    }

    /// For a store without branches: any but the main one is not there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn require_main(self) -> Result<(), StoreError> {
        if self.is_main() { Ok(()) } else { Err(StoreError::branch_not_found(self)) }
    }

    /// Checks that it is another one than the main branch, which has no name and cannot be deleted.
    ///
    /// # Errors
    /// [`InvalidArgument`].
    pub fn require_other(self) -> Result<(), InvalidArgument> {
        if self.is_main() {
            let rule = "must be another one than the main branch";
            return Err(InvalidArgument::new("branch", rule, "the main branch"));
        }
        Ok(())
    }

    /// The branch that is made after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for BranchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place on a branch. It is a position and no message: it stays where it is when messages are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BranchPoint {
    /// The branch.
    pub branch: BranchId,
    /// The last position up to it, [`Position::ZERO`] for none; at most the branch's head.
    pub through: Position,
}

impl BranchPoint {
    /// The place on this branch behind this position.
    pub const fn new(branch: BranchId, through: Position) -> Self {
        Self { branch, through }
    }
}

/// Where a thread was forked from. It stays as it is when that thread is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ForkPoint {
    /// The thread.
    pub thread: ThreadId,
    /// The place in it.
    pub point: BranchPoint,
}

impl ForkPoint {
    /// This place of this thread.
    pub const fn new(thread: ThreadId, point: BranchPoint) -> Self {
        Self { thread, point }
    }
}

/// A part of a [`Path`]: the messages of a branch's own behind `after`, up to `through`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Segment {
    /// Whose own messages.
    pub branch: BranchId,
    /// Behind this position.
    pub after: Position,
    /// Up to this position; `None` of the last segment, which grows.
    pub through: Option<Position>,
}

impl Segment {
    /// A part of a path.
    pub const fn new(branch: BranchId, after: Position, through: Option<Position>) -> Self {
        Self { branch, after, through }
    }

    /// Whether a message of the branch's own at this position is in it.
    pub fn contains(&self, position: Position) -> bool {
        self.after < position && self.through.is_none_or(|through| position <= through)
    }
}

/// Which messages a branch shows: those of its own, and those that it shares with the branches that it comes from, up to
/// where it starts. It never changes. Positions grow along it.
///
/// ```
/// use chatkeep_domain::{BranchId, Path, Position};
///
/// let at = |number| Position::new(number).unwrap();
/// // Main has 7 messages. A branch starts behind the fourth; the next position of the thread is 8.
/// let path = Path::main().branch_off(at(4), BranchId::new(1), at(7))?;
/// assert!(path.contains(BranchId::MAIN, at(4)) && !path.contains(BranchId::MAIN, at(5)));
/// assert!(path.contains(BranchId::new(1), at(8)));
/// # Ok::<(), chatkeep_domain::StoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The path of the main branch: its own messages.
    pub fn main() -> Self {
        Self(vec![Segment::new(BranchId::MAIN, Position::ZERO, None)])
    }

    /// A path that was stored, from its segments in order.
    ///
    /// # Errors
    /// [`StoreError::InvalidArgument`] for segments that are no path: positions have to grow along them, and the last one alone
    /// has an open end.
    pub fn from_segments(segments: Vec<Segment>) -> Result<Self, StoreError> {
        let is_closed = |one: &Segment, next: &Segment| {
            one.through.is_some_and(|through| one.after <= through && through <= next.after)
        };
        let is_path = segments.last().is_some_and(|last| last.through.is_none())
            && segments.windows(2).all(|pair| is_closed(&pair[0], &pair[1]));
        if is_path {
            return Ok(Self(segments));
        }
        let rule = "must be segments whose positions grow, the last with an open end";
        Err(InvalidArgument::new("path", rule, format!("{} others", segments.len())).into())
    }

    /// The path of a new branch that starts behind this position of this one. `allotted` is the last position that the thread
    /// allotted: the new branch's own messages come behind it.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] for a path of more than [`MAX_PATH_LEN`] segments.
    pub fn branch_off(
        &self,
        through: Position,
        branch: BranchId,
        allotted: Position,
    ) -> Result<Self, StoreError> {
        let mut segments = self.up_to(through);
        segments.push(Segment::new(branch, allotted, None));
        if segments.len() > MAX_PATH_LEN {
            return Err(StoreError::too_large("path of a branch, in segments", MAX_PATH_LEN, segments.len()));
        }
        Ok(Self(segments))
    }

    /// The segments, in the order of their positions. The last one is the branch's own.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The same from the newest back, for stores that read one range after the other.
    pub fn newest_first(&self) -> impl Iterator<Item = &Segment> {
        self.0.iter().rev()
    }

    /// Whether the branch shows this branch's own message at this position: for stores that filter.
    pub fn contains(&self, branch: BranchId, position: Position) -> bool {
        self.0.iter().any(|segment| segment.branch == branch && segment.contains(position))
    }

    /// The parts of it up to a position. Two paths show the same messages up to there if these are the same.
    pub fn up_to(&self, through: Position) -> Vec<Segment> {
        let shared = self.0.iter().take_while(|segment| segment.after < through);
        let clipped = shared.map(|segment| {
            let end = segment.through.map_or(through, |end| end.min(through));
            Segment::new(segment.branch, segment.after, Some(end))
        });
        clipped.collect()
    }

    /// Up to where it shares the own messages of another branch; `None` where it shares none.
    pub fn shares(&self, branch: BranchId) -> Option<Position> {
        self.0.iter().find(|segment| segment.branch == branch).and_then(|segment| segment.through)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(number: i64) -> Position {
        Position::new(number).unwrap()
    }

    fn shown(path: &Path) -> Vec<(u32, i64, Option<i64>)> {
        let segments = path.segments().iter();
        segments.map(|one| (one.branch.get(), one.after.get(), one.through.map(Position::get))).collect()
    }

    #[test]
    fn a_branch_shares_what_is_up_to_its_point() {
        let first = Path::main().branch_off(at(5), BranchId::new(1), at(9)).unwrap();
        assert_eq!(shown(&first), [(0, 0, Some(5)), (1, 9, None)]);
        let second = first.branch_off(at(12), BranchId::new(2), at(20)).unwrap();
        assert_eq!(shown(&second), [(0, 0, Some(5)), (1, 9, Some(12)), (2, 20, None)]);
        // In the part that the parent shares, and where the parent has nothing of its own yet.
        let third = second.branch_off(at(3), BranchId::new(3), at(30)).unwrap();
        assert_eq!(shown(&third), [(0, 0, Some(3)), (3, 30, None)]);
        let fourth = second.branch_off(at(9), BranchId::new(4), at(30)).unwrap();
        assert_eq!(shown(&fourth), [(0, 0, Some(5)), (4, 30, None)]);
        let nothing = second.branch_off(at(0), BranchId::new(5), at(30)).unwrap();
        assert_eq!(shown(&nothing), [(5, 30, None)]);
        assert_eq!((second.shares(BranchId::new(1)), fourth.shares(BranchId::new(1))), (Some(at(12)), None));
    }

    #[test]
    fn a_path_has_an_exact_limit() {
        let mut path = Path::main();
        for number in 1..1_000 {
            let allotted = at(i64::from(number));
            path = path.branch_off(allotted, BranchId::new(number), allotted).unwrap();
        }
        assert_eq!(path.segments().len(), MAX_PATH_LEN);
        let deeper = path.branch_off(at(1_000), BranchId::new(1_000), at(1_000));
        assert!(matches!(deeper, Err(StoreError::TooLarge { actual: 1_001, .. })));
        assert!(path.branch_off(at(999), BranchId::new(1_000), at(1_000)).is_ok());
    }

    #[test]
    fn what_is_no_path_is_refused() {
        let one = |after, through: Option<i64>| Segment::new(BranchId::MAIN, at(after), through.map(at));
        for bad in [
            vec![],
            vec![one(0, Some(5))],
            vec![one(0, None), one(5, None)],
            vec![one(0, Some(6)), one(5, None)],
            vec![one(7, Some(6)), one(8, None)],
        ] {
            assert!(Path::from_segments(bad.clone()).is_err(), "{bad:?}");
        }
        assert!(Path::from_segments(vec![one(0, Some(5)), one(5, None)]).is_ok());
    }

    proptest! {
        #[test]
        fn every_path_is_one(points in prop::collection::vec((any::<prop::sample::Index>(), 0..1_000_i64), 1..40)) {
            let mut paths = vec![Path::main()];
            let mut allotted = 1;
            for (number, (parent, through)) in (1..).zip(points) {
                let parent = &paths[parent.index(paths.len())];
                let through = at(through.min(allotted));
                let path = parent.branch_off(through, BranchId::new(number), at(allotted)).unwrap();
                prop_assert_eq!(&Path::from_segments(path.segments().to_vec()).unwrap(), &path);
                for position in 1..=through.get() {
                    for branch in 0..number {
                        let branch = BranchId::new(branch);
                        prop_assert_eq!(path.contains(branch, at(position)), parent.contains(branch, at(position)));
                    }
                }
                allotted += 3;
                paths.push(path);
            }
        }
    }
}
