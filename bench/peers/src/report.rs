//! What a run found.

use anyhow::Result;
use chatkeep_testkit::PgServer;
use peers_worker::{About, Rate};
use serde::Serialize;

use crate::options::Plan;
use crate::systems::{CHATKEEP, Kind, System};

/// How many messages are read.
pub(crate) const LAST: usize = 50;

/// How many messages are appended before the first search.
pub(crate) const PENDING: usize = 100_000;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Measure {
    /// By one caller.
    AppendAlone,
    /// By 16 callers, none of which shares a conversation.
    AppendTogether,
    /// Of the long conversation, by one caller.
    Last,
    /// A message that the next search finds, by one caller. Of chatkeep alone: the others do not search.
    AppendAndFind,
    /// The first search after many appends. Of chatkeep alone, and before the others, which fill the index for longer or
    /// shorter as the machine is fast.
    FirstSearch,
}

impl Measure {
    pub(crate) const ALL: [Self; 5] =
        [Self::FirstSearch, Self::AppendAlone, Self::AppendTogether, Self::Last, Self::AppendAndFind];

    /// Whether a system is measured so on a store. Only the index in memory waits for a search.
    pub(crate) fn is_of(self, kind: Kind, system: System) -> bool {
        match self {
            Self::AppendAlone | Self::AppendTogether | Self::Last => true,
            Self::AppendAndFind => system.name == CHATKEEP,
            Self::FirstSearch => system.name == CHATKEEP && kind == Kind::Memory,
        }
    }

    pub(crate) fn command(self, seconds: f64) -> peers_worker::Command {
        match self {
            Self::AppendAlone => peers_worker::Command::Append { callers: 1, seconds },
            Self::AppendTogether => peers_worker::Command::Append { callers: 16, seconds },
            Self::Last => peers_worker::Command::Last { count: LAST, seconds },
            Self::AppendAndFind => peers_worker::Command::AppendAndFind { seconds },
            Self::FirstSearch => peers_worker::Command::FirstSearch { pending: PENDING },
        }
    }
}

/// A system on a store, as it was opened.
#[derive(Debug, Serialize)]
pub(crate) struct Opened {
    pub(crate) store: &'static str,
    pub(crate) system: &'static str,
    pub(crate) version: String,
    pub(crate) about: String,
    /// The messages of its long conversation.
    pub(crate) history: usize,
}

/// One figure.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) store: &'static str,
    pub(crate) measure: Measure,
    pub(crate) system: &'static str,
    /// Calls a second that succeeded: the median of the rounds, and the least and the most.
    pub(crate) per_second: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    /// The same, round by round.
    pub(crate) rounds: Vec<f64>,
    /// How many times chatkeep's figure is this one: the median of the rounds, each against chatkeep's of that round.
    pub(crate) chatkeep_over_it: Option<f64>,
    /// Calls that failed, of all calls.
    pub(crate) errors: u64,
    pub(crate) calls: u64,
    pub(crate) first_error: Option<String>,
}

/// What was not measured, and why.
#[derive(Debug, Serialize)]
pub(crate) struct NotRun {
    pub(crate) store: &'static str,
    pub(crate) system: &'static str,
    pub(crate) reason: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) server: String,
    pub(crate) cores: usize,
    #[serde(skip)]
    pub(crate) plan: Plan,
    pub(crate) opened: Vec<Opened>,
    pub(crate) rows: Vec<Row>,
    pub(crate) not_run: Vec<NotRun>,
}

impl Report {
    pub(crate) fn new(server: &PgServer, plan: Plan) -> Result<Self> {
        let cores = std::thread::available_parallelism()?.get();
        let (opened, rows, not_run) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { server: server.version()?, cores, plan, opened, rows, not_run })
    }

    pub(crate) fn open(&mut self, kind: Kind, system: System, about: &About, history: usize) {
        self.opened.push(Opened {
            store: kind.name(),
            system: system.name,
            version: about.version.clone(),
            about: about.about.clone(),
            history,
        });
    }

    pub(crate) fn skip(&mut self, kind: Kind, system: System, reason: String) {
        eprintln!("{}, {}: not run: {reason}", kind.name(), system.name);
        self.not_run.push(NotRun { store: kind.name(), system: system.name, reason });
    }

    /// A figure from the rounds that count; chatkeep's comes before the others'.
    pub(crate) fn add(&mut self, kind: Kind, measure: Measure, system: System, rounds: &[Rate]) {
        let rates: Vec<f64> = rounds.iter().map(per_second).collect();
        let Some((least, per_second, most)) = spread(rates.clone()) else { return };
        // A disk that others use too has good and bad moments; a round is short enough to share them.
        let factor = self
            .find(kind.name(), measure, CHATKEEP)
            .and_then(|ours| spread(ours.rounds.iter().zip(&rates).map(|(ours, it)| ours / it).collect()));
        let errors = rounds.iter().map(|it| it.errors).sum();
        self.rows.push(Row {
            store: kind.name(),
            measure,
            system: system.name,
            per_second,
            least,
            most,
            rounds: rates,
            chatkeep_over_it: factor.map(|(_, factor, _)| factor).filter(|it| it.is_finite()),
            errors,
            calls: rounds.iter().map(|it| it.done).sum::<u64>() + errors,
            first_error: rounds.iter().find_map(|it| it.first_error.clone()),
        });
    }

    pub(crate) fn find(&self, store: &str, measure: Measure, system: &str) -> Option<&Row> {
        self.rows.iter().find(|it| (it.store, it.measure, it.system) == (store, measure, system))
    }
}

/// The least, the median and the most.
fn spread(mut values: Vec<f64>) -> Option<(f64, f64, f64)> {
    values.sort_by(f64::total_cmp);
    Some((*values.first()?, values[values.len() / 2], *values.last()?))
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
fn per_second(rate: &Rate) -> f64 {
    rate.done as f64 / rate.seconds.max(f64::EPSILON)
}
