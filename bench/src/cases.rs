//! The rows there are, and which are asked for.

use std::time::Duration;

use clap::ValueEnum;

use crate::floor::pgbench;
use crate::measure::Plan;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    Postgres,
    Sqlite,
    Memory,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Appends to many threads.
    Append,
    /// Appends to many, each in a statement of its own.
    AppendUncoalesced,
    /// Appends to one.
    AppendOneThread,
    /// Appends to many threads, against `pgbench`.
    AppendPgbench,
    /// As many appends at the same time in one task.
    AppendJoinAll(usize),
    /// Appends of as many messages.
    Batch(usize),
    /// The newest messages of a thread of as many.
    Newest(usize),
    /// All messages of a thread of as many.
    Stream(usize),
    /// A user's newest threads among as many.
    List(usize),
    /// Appends through a window.
    Window,
    /// A user's newest threads with previews, against the same without.
    Previews,
    /// A word among the messages of as many organizations.
    Search(usize),
    /// From nothing to the first append.
    ColdStart,
}

impl What {
    /// Appends vary most, because they wait for the disk.
    fn plan(self) -> Plan {
        let (pairs, seconds) = match self {
            Self::Append | Self::AppendUncoalesced | Self::AppendOneThread | Self::AppendPgbench => (7, 2),
            Self::AppendJoinAll(_) | Self::Batch(_) | Self::Window | Self::ColdStart => (7, 1),
            Self::Newest(_) | Self::Stream(_) | Self::List(_) | Self::Previews | Self::Search(_) => (5, 1),
        };
        Plan { pairs, round: Duration::from_secs(seconds) }
    }

    fn is_on(self, backend: Backend) -> bool {
        match self {
            // SQLite always writes those that wait together, and memory has nothing to wait for.
            Self::AppendUncoalesced => backend == Backend::Postgres,
            Self::AppendPgbench => backend == Backend::Postgres && pgbench::find().is_some(),
            // On a server, one client by hand would be no match for a pool.
            Self::AppendJoinAll(_) => backend != Backend::Postgres,
            // There is nothing to open, and nothing to leave where it is.
            Self::Stream(_) | Self::ColdStart => backend != Backend::Memory,
            _ => true,
        }
    }
}

/// A row before it is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) what: What,
    pub(crate) callers: usize,
}

impl Case {
    fn new(name: impl Into<String>, what: What, callers: usize) -> Self {
        Self { name: name.into(), what, callers }
    }

    /// A name selects itself, and what begins with it and an underscore.
    fn is_named(&self, wanted: &str) -> bool {
        self.name.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    }
}

/// All rows, in the order in which they are measured.
fn all(quick: bool) -> Vec<Case> {
    let million = if quick { 100_000 } else { 1_000_000 };
    let mut cases = Vec::new();
    cases.extend([1, 16, 64].map(|callers| Case::new("append", What::Append, callers)));
    cases
        .extend([1, 16, 64].map(|callers| Case::new("append_uncoalesced", What::AppendUncoalesced, callers)));
    cases.push(Case::new("append_one_thread", What::AppendOneThread, 16));
    cases.extend([1, 16].map(|callers| Case::new("append_pgbench", What::AppendPgbench, callers)));
    cases.push(Case::new("append_join_all", What::AppendJoinAll(16), 1));
    cases.push(Case::new("window", What::Window, 1));
    cases.push(Case::new("cold_start", What::ColdStart, 1));
    cases.extend([10, 100, 1_000].map(|batch| Case::new(format!("batch_{batch}"), What::Batch(batch), 1)));
    let newest = |messages| Case::new(format!("last50_{messages}"), What::Newest(messages), 1);
    cases.extend([100, 10_000, million].map(newest));
    cases.push(Case::new("stream", What::Stream(100_000), 1));
    cases.extend(
        [10_000, million].map(|threads| Case::new(format!("list_{threads}"), What::List(threads), 1)),
    );
    cases.push(Case::new("previews", What::Previews, 1));
    cases.push(Case::new("search", What::Search(100), 1));
    cases
}

/// The rows of one backend that are asked for.
pub(crate) fn of_backend(backend: Backend, scenario: Option<&str>, quick: bool) -> Vec<Case> {
    let is_named = |case: &Case| scenario.is_none_or(|wanted| case.is_named(wanted));
    all(quick).into_iter().filter(|case| case.what.is_on(backend) && is_named(case)).collect()
}

/// How long each of as many rows is measured. Quick rows of one backend share their time.
pub(crate) fn plan(quick: bool, rows: usize, what: What) -> Plan {
    if !quick {
        return what.plan();
    }
    let rounds = u32::try_from(2 * (1 + QUICK_PAIRS) * rows.max(1)).unwrap_or(u32::MAX);
    let round = (QUICK_TIME / rounds).clamp(Duration::from_millis(150), Duration::from_secs(1));
    Plan { pairs: QUICK_PAIRS, round }
}

const QUICK_PAIRS: usize = 5;

const QUICK_TIME: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    fn names(backend: Backend, scenario: &str, quick: bool) -> Vec<String> {
        let cases = of_backend(backend, Some(scenario), quick);
        cases.into_iter().map(|case| format!("{} {}", case.name, case.callers)).collect()
    }

    #[test]
    fn a_name_selects_itself_and_what_begins_with_it() {
        let one = ["append_one_thread 16"];
        assert_eq!(names(Backend::Memory, "append_one_thread", false), one);
        assert_eq!(names(Backend::Memory, "append", false)[..3], ["append 1", "append 16", "append 64"]);
        assert!(names(Backend::Memory, "append", false).contains(&one[0].to_owned()));
        assert!(names(Backend::Memory, "appe", false).is_empty());
    }

    #[test]
    fn sizes_are_in_the_names() {
        assert_eq!(names(Backend::Sqlite, "batch", false), ["batch_10 1", "batch_100 1", "batch_1000 1"]);
        assert_eq!(names(Backend::Sqlite, "list", false), ["list_10000 1", "list_1000000 1"]);
        assert_eq!(names(Backend::Sqlite, "list", true), ["list_10000 1", "list_100000 1"]);
    }

    #[test]
    fn a_backend_has_only_what_it_can_do() {
        assert!(names(Backend::Memory, "stream", false).is_empty());
        assert_eq!(names(Backend::Sqlite, "stream", false), ["stream 1"]);
        assert!(names(Backend::Sqlite, "append_pgbench", false).is_empty());
    }

    #[test]
    fn quick_rows_share_their_time() {
        let quick = |rows| plan(true, rows, What::List(1));
        assert_eq!(quick(1).round, Duration::from_secs(1));
        assert!(quick(8).round < Duration::from_millis(250));
        assert_eq!(quick(1_000).round, Duration::from_millis(150));
        assert!(quick(1).pairs >= 5);
    }

    #[test]
    fn all_rows_of_a_backend_take_minutes() {
        for backend in [Backend::Postgres, Backend::Sqlite, Backend::Memory] {
            let plans = of_backend(backend, None, false).into_iter().map(|case| plan(false, 1, case.what));
            let time = |plan: Plan| 2 * (1 + u32::try_from(plan.pairs).unwrap()) * plan.round;
            assert!(plans.clone().all(|plan| plan.pairs >= 5));
            assert!(plans.map(time).sum::<Duration>() < Duration::from_mins(9), "{backend:?}");
        }
    }
}
