//! What was measured, for people and for programs.

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::measure::Measured;

/// One line of the result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) scenario: String,
    pub(crate) backend: &'static str,
    pub(crate) callers: usize,
    pub(crate) unit: &'static str,
    pub(crate) ours: f64,
    pub(crate) floor: f64,
    pub(crate) ratio: f64,
    pub(crate) ratio_min: f64,
    pub(crate) ratio_max: f64,
}

impl Row {
    pub(crate) fn new(
        scenario: String,
        backend: &'static str,
        callers: usize,
        unit: &'static str,
        measured: Measured,
    ) -> Self {
        let Measured { ours, floor, ratio, ratio_min, ratio_max } = measured;
        Self { scenario, backend, callers, unit, ours, floor, ratio, ratio_min, ratio_max }
    }
}

/// The rows as a table; the last column is the least and the greatest ratio of a pair.
pub(crate) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header(["backend", "scenario", "callers", "unit", "ours", "floor", "ratio", "min – max"]);
    for row in rows {
        table.add_row([
            row.backend.to_owned(),
            row.scenario.clone(),
            row.callers.to_string(),
            row.unit.to_owned(),
            rate(row.ours),
            rate(row.floor),
            format!("{:.2}", row.ratio),
            format!("{:.2} – {:.2}", row.ratio_min, row.ratio_max),
        ]);
    }
    for column in [2, 4, 5, 6, 7] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// 12,345 or 12.3.
pub(crate) fn rate(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let measured =
            Measured { ours: 1_234_567.8, floor: 99.94, ratio: 0.5, ratio_min: 0.25, ratio_max: 1.0 };
        Row::new("append".to_owned(), "memory", 16, "appends/s", measured)
    }

    #[test]
    fn json_has_these_keys_and_numbers_are_numbers() {
        let json = serde_json::to_string(&row()).unwrap();
        let wanted =
            r#"{"scenario":"append","backend":"memory","callers":16,"unit":"appends/s","ours":1234567.8,"#;
        assert!(json.starts_with(wanted), "{json}");
        assert!(json.ends_with(r#""floor":99.94,"ratio":0.5,"ratio_min":0.25,"ratio_max":1.0}"#), "{json}");
    }

    #[test]
    fn the_table_groups_digits() {
        let text = table(&[row()]).to_string();
        for wanted in ["| 1,234,568 |", "|  99.9 |", "|  0.50 |", "| 0.25 – 1.00 |"] {
            assert!(text.contains(wanted), "{text}");
        }
        assert_eq!([rate(999.6), rate(100.0)], ["1,000", "100"]);
    }
}
