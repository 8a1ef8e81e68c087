//! What chatkeep means to reach, and whether it did in this run.

use std::fmt::Write as _;

use crate::report::{Measure, Report, Row};
use crate::systems::{CHATKEEP, Kind};

/// Against every peer that was measured.
const EVERY: [(Kind, Measure, f64); 3] = [
    (Kind::Postgres, Measure::AppendAlone, 1.5),
    (Kind::Postgres, Measure::AppendTogether, 2.0),
    (Kind::Postgres, Measure::Last, 3.0),
];

/// Against one of them.
const ONE: [(Kind, Measure, &str, f64); 2] = [
    (Kind::Memory, Measure::AppendAlone, "adk-session", 1.0),
    (Kind::Memory, Measure::AppendTogether, "adk-session", 1.0),
];

/// How many first searches a second there are at least: each within two seconds.
const FIRST_SEARCHES: f64 = 0.5;

/// A line for each that this run could tell.
pub(crate) fn render(report: &Report) -> String {
    let mut text = String::new();
    for (kind, measure, wanted) in EVERY {
        let of = |row: &&Row| (row.store, row.measure) == (kind.name(), measure) && row.system != CHATKEEP;
        for row in report.rows.iter().filter(of) {
            text.push_str(&line(report, row, wanted));
        }
    }
    for (kind, measure, peer, wanted) in ONE {
        if let Some(row) = report.find(kind.name(), measure, peer) {
            text.push_str(&line(report, row, wanted));
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

/// Whether chatkeep is so many times the peer whose row this is. Nothing can be said of a peer that did nothing.
fn line(report: &Report, row: &Row, wanted: f64) -> String {
    let Some(factor) = row.chatkeep_over_it else { return String::new() };
    let name = crate::table::title(row.measure, report.plan.history);
    let reached = if factor >= wanted { "reached" } else { "MISSED" };
    let (store, peer, note) = (row.store, row.system, smaller(report, row));
    format!("- {store}, {name}, {wanted} times {peer}: {reached}, {factor:.1} times{note}\n")
}

/// A note when the peer reads a shorter conversation.
fn smaller(report: &Report, row: &Row) -> String {
    let opened = report.opened.iter().find(|it| (it.store, it.system) == (row.store, row.system));
    match opened {
        Some(it) if row.measure == Measure::Last && it.history < report.plan.history => {
            format!(", which read one of {}", it.history)
        }
        _ => String::new(),
    }
}
