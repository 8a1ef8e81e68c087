//! The report as Markdown.

use std::fmt::Write as _;

use crate::report::{LAST, Measure, PENDING, Report, Row};
use crate::systems::{CHATKEEP, Kind};
use crate::targets;

/// The longest text of an error that is shown, in characters.
const ERROR: usize = 90;

pub(crate) fn title(measure: Measure, history: usize) -> String {
    match measure {
        Measure::AppendAlone => "append, 1 caller".to_owned(),
        Measure::AppendTogether => "append, 16 callers".to_owned(),
        Measure::Last => format!("last {LAST} of {history}"),
        Measure::AppendAndFind => "append and find, 1 caller".to_owned(),
        Measure::FirstSearch => format!("first search after {PENDING} appends"),
    }
}

pub(crate) fn render(report: &Report) -> String {
    let mut text = format!(
        "{}, fsync on, {} cores for clients and server; medians of {} rounds of {} s a system ({} s for 16 callers \
         on a SQLite file, half as long in memory), in turn (least – most).\n",
        report.server, report.cores, report.plan.rounds, report.plan.slice, report.plan.contended
    );
    for kind in Kind::ALL {
        let rows: Vec<&Row> = report.rows.iter().filter(|it| it.store == kind.name()).collect();
        let _ = writeln!(text, "\n### {}\n", kind.name());
        let _ = writeln!(text, "| | system | a second | chatkeep / it | errors | remark |");
        let _ = writeln!(text, "|---|---|--:|--:|--:|---|");
        for row in rows {
            let _ = writeln!(text, "{}", line(report, row));
        }
        text.push('\n');
        for it in report.opened.iter().filter(|it| it.store == kind.name()) {
            let _ = writeln!(text, "- {} {}: {}", it.system, it.version, it.about);
        }
        for it in report.not_run.iter().filter(|it| it.store == kind.name()) {
            let _ = writeln!(text, "- {}: not run: {}", it.system, short(&it.reason));
        }
    }
    let _ = write!(text, "\n### Targets\n\n{}", targets::render(report));
    text
}

fn line(report: &Report, row: &Row) -> String {
    let factor = match row.chatkeep_over_it {
        Some(factor) if row.system != CHATKEEP => format!("{factor:.1}"),
        _ => "–".to_owned(),
    };
    let errors = if row.errors == 0 { "0".to_owned() } else { format!("{} of {}", row.errors, row.calls) };
    let title = title(row.measure, report.plan.history);
    format!(
        "| {title} | {} | {} ({} – {}) | {factor} | {errors} | {} |",
        row.system,
        figure(row.per_second),
        figure(row.least),
        figure(row.most),
        remark(report, row)
    )
}

fn remark(report: &Report, row: &Row) -> String {
    let mut remarks = Vec::new();
    let opened = report.opened.iter().find(|it| (it.store, it.system) == (row.store, row.system));
    if let Some(it) = opened.filter(|it| row.measure == Measure::Last && it.history < report.plan.history) {
        remarks.push(format!("of {}: no more was loaded in {} s", it.history, report.plan.cap));
    }
    remarks.extend(row.first_error.as_deref().map(short));
    remarks.join("; ")
}

fn figure(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

/// The first line, not too long, fit for a cell.
fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().replace('|', "/");
    if line.chars().count() <= ERROR {
        return line;
    }
    line.chars().take(ERROR).chain(['…']).collect()
}
