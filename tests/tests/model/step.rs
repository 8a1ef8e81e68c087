//! What is done to the stores and to the model. Numbers that a step counts from what is there, such as a version, keep their
//! meaning when the steps ahead of it are taken out of a sequence that failed.

/// Who does it. All but a few steps are Ada's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    Ada,
    Bob,
}

#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) by: User,
    pub(crate) thread: u8,
    pub(crate) action: Action,
}

impl Step {
    pub(crate) fn is_about(&self, thread: u8) -> bool {
        let is_other = match &self.action {
            Action::Fork { new, .. } => *new == thread,
            Action::AppendEach(batches) => batches.iter().any(|(other, _)| *other == thread),
            _ => false,
        };
        self.thread == thread || is_other
    }
}

/// The version that is expected, counted from the one that the thread has.
pub(crate) type Expect = Option<i64>;

#[derive(Debug, Clone)]
pub(crate) enum Action {
    Create {
        external: Option<u8>,
        at: i64,
    },
    Update {
        name: Option<u8>,
        active: Option<u32>,
        at: i64,
        expect: Expect,
    },
    DeleteThread {
        expect: Expect,
    },
    Append(Batch),
    /// Each with its thread, which is the step's or another one.
    AppendEach(Vec<(u8, Batch)>),
    /// `revision` is the one that is expected, counted from the one that the message has.
    Edit {
        id: u32,
        text: u8,
        at: i64,
        revision: Option<i64>,
        expect: Expect,
    },
    DeleteMessage {
        id: u32,
        at: i64,
        expect: Expect,
    },
    Clear {
        at: i64,
        expect: Expect,
    },
    CreateBranch {
        request: u8,
        from: Place,
        name: u8,
        at: i64,
        expect: Expect,
    },
    RenameBranch {
        branch: u32,
        name: u8,
        at: i64,
        expect: Expect,
    },
    DeleteBranch {
        branch: u32,
        at: i64,
        expect: Expect,
    },
    Truncate {
        after: Place,
        at: i64,
        expect: Expect,
    },
    Fork {
        new: u8,
        from: Place,
        external: Option<u8>,
        at: i64,
    },
    Turn(Turn),
}

/// A place on a branch, so many positions ahead of its head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) branch: u32,
    pub(crate) ahead: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) branch: u32,
    pub(crate) messages: Vec<New>,
    /// Counted from the branch's head.
    pub(crate) expect_head: Option<i64>,
    pub(crate) expect: Expect,
}

#[derive(Debug, Clone)]
pub(crate) struct New {
    pub(crate) id: u32,
    pub(crate) text: u8,
    pub(crate) at: i64,
    pub(crate) external: Option<u8>,
}

/// The next page of a list, or its first one if the list came to its end. Writes come in between.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) branch: u32,
    pub(crate) is_newest_first: bool,
    pub(crate) limit: usize,
}

/// Of few words; every other one has the rare one.
pub(crate) fn text(number: u8) -> String {
    let word = if number % 2 == 1 { RARE } else { "common" };
    format!("{word} {number}")
}

pub(crate) const RARE: &str = "quagga";

pub(crate) fn name(number: u8) -> String {
    format!("name {number}")
}
