//! What a run met: a test whose steps are all refused says nothing.

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::step::Step;
use crate::view::Answer;

/// How often each kind of answer came to each kind of step.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<String, usize>);

impl Tally {
    pub(crate) fn count(&mut self, step: &Step, answer: &Answer) {
        let answer = match answer {
            Answer::Failed(failure) => first_word(failure),
            Answer::Count(0) => "nothing".to_owned(),
            _ => "done".to_owned(),
        };
        *self.0.entry(format!("{}: {answer}", first_word(&step.action))).or_default() += 1;
    }

    pub(crate) fn steps(&self) -> usize {
        self.0.values().sum()
    }

    pub(crate) fn assert_that_it_says_something(&self) {
        for met in [
            "Edit: done",
            "DeleteMessage: done",
            "Clear: done",
            "DeleteThread: done",
            "CreateBranch: done",
            "Truncate: done",
            "DeleteBranch: done",
            "Fork: done",
            "Append: InvalidArgument",
            "AlreadyExists",
            "Conflict",
            "InUse",
            "NotFound",
        ] {
            assert!(self.0.keys().any(|kind| kind.ends_with(met)), "never met {met}: {self:#?}");
        }
    }
}

fn first_word(value: impl Debug) -> String {
    let text = format!("{value:?}");
    text.split(|char: char| !char.is_alphabetic()).next().unwrap_or_default().to_owned()
}
