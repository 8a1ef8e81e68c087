//! What comes of it: rows of one figure each, without a floor.

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::report::rate;

/// A figure of a backend.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) backend: &'static str,
    #[serde(flatten)]
    pub(crate) figure: Figure,
}

/// What was measured, beside its goal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    #[serde(rename = "figure")]
    pub(crate) value: f64,
    pub(crate) goal: Option<Goal>,
}

/// What a figure is to be, on a machine that does nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    pub(super) fn new(name: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self { name: name.into(), unit, value, goal: None }
    }

    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub(super) fn count(name: impl Into<String>, unit: &'static str, count: usize) -> Self {
        Self::new(name, unit, count as f64)
    }

    pub(super) fn millis(name: impl Into<String>, time: Duration) -> Self {
        Self::new(name, "ms", millis(time))
    }

    pub(super) fn at_most(self, goal: f64) -> Self {
        Self { goal: Some(Goal::AtMost(goal)), ..self }
    }

    pub(super) fn at_least(self, goal: f64) -> Self {
        Self { goal: Some(Goal::AtLeast(goal)), ..self }
    }

    /// Whether the goal is reached; `None` without one.
    fn is_reached(&self) -> Option<bool> {
        self.goal.map(|goal| match goal {
            Goal::AtMost(goal) => self.value <= goal,
            Goal::AtLeast(goal) => self.value >= goal,
        })
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(goal) => write!(f, "≤ {}", shown(*goal)),
            Self::AtLeast(goal) => write!(f, "≥ {}", shown(*goal)),
        }
    }
}

/// With more digits where a figure is small.
fn shown(figure: f64) -> String {
    if figure < 10.0 { format!("{figure:.2}") } else { rate(figure) }
}

pub(super) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// The rows as a table.
pub(crate) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header(["backend", "name", "unit", "figure", "goal", ""]);
    for Row { backend, figure } in rows {
        let mark = match figure.is_reached() {
            Some(true) => "✓",
            Some(false) => "✗",
            None => "",
        };
        table.add_row([
            (*backend).to_owned(),
            figure.name.clone(),
            figure.unit.to_owned(),
            shown(figure.value),
            figure.goal.map_or_else(String::new, |goal| goal.to_string()),
            mark.to_owned(),
        ]);
    }
    for column in [3, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// How long each of several calls took.
#[derive(Debug, Default)]
pub(super) struct Times(Vec<Duration>);

impl Times {
    pub(super) fn of(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The time within which so many of a hundred calls were done.
    pub(super) fn percentile(&self, percent: usize) -> Result<Duration> {
        let at = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(at).copied().context("no call was timed")
    }

    pub(super) fn worst(&self) -> Result<Duration> {
        self.percentile(100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_which_goals_are_reached() {
        let figures = [
            Figure::new("fast", "ms", 1.234).at_most(5.0),
            Figure::new("slow", "reads/s", 12_345.0).at_least(20_000.0),
            Figure::new("known", "ms", 3.0),
        ];
        let rows = figures.map(|figure| Row { backend: "sqlite", figure });
        let text = table(&rows).to_string();
        for wanted in ["|   1.23 |   ≤ 5.00 | ✓ |", "| 12,345 | ≥ 20,000 | ✗ |", "|   3.00 |          |   |"]
        {
            assert!(text.contains(wanted), "{text}");
        }
        let json = serde_json::to_string(&rows[0]).unwrap();
        assert_eq!(
            json,
            r#"{"backend":"sqlite","name":"fast","unit":"ms","figure":1.234,"goal":{"at_most":5.0}}"#
        );
    }

    #[test]
    fn percentiles_are_of_all_calls() {
        let times = Times::of((1..=200).rev().map(Duration::from_millis));
        let percentiles = [50, 99].map(|percent| times.percentile(percent).unwrap().as_millis());
        assert_eq!(percentiles, [101, 199]);
        assert_eq!(times.worst().unwrap().as_millis(), 200);
        assert!(Times::default().worst().is_err());
    }
}
