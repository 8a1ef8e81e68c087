//! What chatkeep means to reach, and whether it did in this run.

use std::fmt::Write as _;

use crate::report::{Measure, Report, Row};
use crate::systems::{CHATKEEP, Kind};

const ALL: [(Kind, Measure, &str, f64); 11] = [
    (Kind::Postgres, Measure::AppendAlone, "adk-session", 1.5),
    (Kind::Postgres, Measure::AppendAlone, "langchain-postgres", 1.5),
    (Kind::Postgres, Measure::AppendAlone, "openai-agents", 5.0),
    (Kind::Postgres, Measure::AppendTogether, "adk-session", 2.0),
    (Kind::Postgres, Measure::AppendTogether, "openai-agents", 2.0),
    (Kind::Postgres, Measure::AppendTogether, "langchain-postgres", 2.0),
    (Kind::Postgres, Measure::AppendTogether, "llama-index", 2.0),
    (Kind::Postgres, Measure::AppendTogether, "google-adk", 2.0),
    (Kind::Postgres, Measure::Last, "adk-session", 20.0),
    (Kind::Memory, Measure::AppendAlone, "adk-session", 1.0),
    (Kind::Memory, Measure::AppendTogether, "adk-session", 1.0),
];

/// How many first searches a second there are at least: each within two seconds.
const FIRST_SEARCHES: f64 = 0.5;

/// A line for each that this run could tell.
pub(crate) fn render(report: &Report) -> String {
    let mut text = String::new();
    for (kind, measure, peer, wanted) in ALL {
        let row = report.find(kind.name(), measure, peer);
        if let Some(factor) = row.and_then(|row| row.chatkeep_over_it) {
            let name = crate::table::title(measure, report.plan.history);
            let reached = if factor >= wanted { "reached" } else { "MISSED" };
            let _ = writeln!(
                text,
                "- {}, {name}, {wanted} times {peer}: {reached}, {factor:.1} times{}",
                kind.name(),
                smaller(report, measure, peer)
            );
        }
    }
    let errors = |system| {
        report.find(Kind::Sqlite.name(), Measure::AppendTogether, system).map(|row: &Row| row.errors)
    };
    if let Some(ours) = errors(CHATKEEP) {
        let reached = if ours == 0 { "reached" } else { "MISSED" };
        let _ = write!(text, "- SQLite, append, 16 callers, no errors: {reached}, {ours} errors");
        if let Some(theirs) = errors("adk-session") {
            let _ = write!(text, " (adk-session: {theirs})");
        }
        text.push('\n');
    }
    if let Some(ours) = report.find(Kind::Memory.name(), Measure::FirstSearch, CHATKEEP) {
        let reached = if ours.per_second >= FIRST_SEARCHES { "reached" } else { "MISSED" };
        let (name, seconds) = (crate::table::title(Measure::FirstSearch, 0), 1.0 / ours.per_second);
        let _ = writeln!(text, "- memory, {name}, within 2 s: {reached}, {seconds:.2} s");
    }
    text
}

/// A note when the peer reads a shorter conversation.
fn smaller(report: &Report, measure: Measure, peer: &str) -> String {
    let history = |it: &&crate::report::Opened| (it.store, it.system) == (Kind::Postgres.name(), peer);
    match report.opened.iter().find(history) {
        Some(it) if measure == Measure::Last && it.history < report.plan.history => {
            format!(", which read one of {}", it.history)
        }
        _ => String::new(),
    }
}
