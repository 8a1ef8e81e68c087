//! What was measured, as a picture.

use std::path::{Path, PathBuf};

use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::Row;

/// Grey enough to be read on white and on black.
const TEXT: RGBColor = RGBColor(118, 131, 144);
const BAR: RGBColor = RGBColor(64, 132, 214);
const WHISKER: RGBColor = RGBColor(210, 120, 40);

const WIDTH: i32 = 840;
const LEFT: i32 = 240;
const RIGHT: i32 = 150;
const TOP: i32 = 60;
const LINE: i32 = 26;
const BOTTOM: i32 = 30;

/// Draws a file a backend.
pub(crate) fn draw(to: &Path, rows: &[Row]) -> Result<()> {
    let is_file = to.extension().is_some_and(|extension| extension == "svg");
    let mut backends: Vec<&str> = rows.iter().map(|row| row.backend).collect();
    backends.dedup();
    let folder = if is_file { to.parent() } else { Some(to) };
    if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    for backend in &backends {
        let rows: Vec<_> = rows.iter().filter(|row| row.backend == *backend).collect();
        let file = if is_file && backends.len() == 1 { to.to_owned() } else { named(to, is_file, backend) };
        chart(&file, backend, &rows)?;
    }
    Ok(())
}

/// `sqlite.svg`; with a file given, `file-sqlite.svg`.
fn named(to: &Path, is_file: bool, backend: &str) -> PathBuf {
    if !is_file {
        return to.join(format!("{backend}.svg"));
    }
    let stem = to.file_stem().unwrap_or_default().to_string_lossy();
    to.with_file_name(format!("{stem}-{backend}.svg"))
}

/// A bar a row: as long as its ratio, with whiskers from the least to the greatest.
fn chart(file: &Path, backend: &str, rows: &[&Row]) -> Result<()> {
    let height = TOP + LINE * i32::try_from(rows.len())? + BOTTOM;
    let area = SVGBackend::new(file, (WIDTH.unsigned_abs(), height.unsigned_abs())).into_drawing_area();
    let most = rows.iter().map(|row| row.ratio_max).fold(1.0, f64::max);
    let scale = Scale::of(most);
    let text = |size: i32, horizontal| {
        ("sans-serif", size).into_font().color(&TEXT).pos(Pos::new(horizontal, VPos::Center))
    };
    let title = format!("chatkeep on {backend}: its rate divided by that of code by hand");
    area.draw_text(&title, &text(20, HPos::Left), (10, 18))?;
    let bottom = height - BOTTOM + 4;
    for mark in scale.marks() {
        let x = scale.x(mark);
        let width = if (mark - 1.0).abs() < 1e-9 { 2 } else { 1 };
        let strength = if width == 2 { 1.0 } else { 0.25 };
        let line = TEXT.mix(strength).stroke_width(width);
        area.draw(&PathElement::new(vec![(x, TOP - 8), (x, bottom)], line))?;
        area.draw_text(&format!("{mark}"), &text(15, HPos::Center), (x, bottom + 12))?;
    }
    for (row, at) in rows.iter().zip(0..) {
        let y = TOP + LINE * at + LINE / 2;
        let callers = if row.callers == 1 { String::new() } else { format!(", {} callers", row.callers) };
        area.draw_text(&format!("{}{callers}", row.scenario), &text(16, HPos::Right), (LEFT - 10, y))?;
        let bar = [(LEFT, y - 8), (scale.x(row.ratio), y + 8)];
        area.draw(&Rectangle::new(bar, BAR.filled()))?;
        let (least, greatest) = (scale.x(row.ratio_min), scale.x(row.ratio_max));
        let whisker = WHISKER.stroke_width(2);
        for ends in [
            [(least, y), (greatest, y)],
            [(least, y - 5), (least, y + 5)],
            [(greatest, y - 5), (greatest, y + 5)],
        ] {
            area.draw(&PathElement::new(ends.to_vec(), whisker))?;
        }
        let figure = format!("{:.2} ({:.2} – {:.2})", row.ratio, row.ratio_min, row.ratio_max);
        area.draw_text(&figure, &text(16, HPos::Right), (WIDTH - 10, y))?;
    }
    area.present()?;
    Ok(())
}

/// From ratios to places, from 0 on.
struct Scale {
    most: f64,
    step: f64,
}

impl Scale {
    fn of(most: f64) -> Self {
        let step = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0].into_iter().find(|step| most / step <= 8.0);
        let step = step.unwrap_or((most / 8.0).ceil());
        Self { most: (most / step).ceil() * step, step }
    }

    fn marks(&self) -> Vec<f64> {
        let mut marks: Vec<f64> =
            (0..=8).map(|at| f64::from(at) * self.step).filter(|mark| *mark <= self.most).collect();
        if !marks.iter().any(|mark| (mark - 1.0).abs() < 1e-9) {
            marks.push(1.0);
        }
        marks
    }

    fn x(&self, ratio: f64) -> i32 {
        #[expect(clippy::cast_possible_truncation, reason = "within the picture")]
        let offset = (ratio / self.most * f64::from(WIDTH - LEFT - RIGHT)).round() as i32;
        LEFT + offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Measured;

    fn row(scenario: &str, backend: &'static str, ratio: f64) -> Row {
        let (ratio_min, ratio_max) = (ratio * 0.9, ratio * 1.1);
        let measured = Measured { ours: ratio, floor: 1.0, ratio, ratio_min, ratio_max };
        Row::new(scenario.to_owned(), backend, 16, "appends/s", measured)
    }

    #[test]
    fn a_picture_a_backend_names_every_row() {
        let folder = tempfile::tempdir().unwrap();
        let rows =
            [row("append", "sqlite", 0.5), row("list_10000", "sqlite", 3.0), row("search", "memory", 0.1)];
        draw(folder.path(), &rows).unwrap();
        let sqlite = std::fs::read_to_string(folder.path().join("sqlite.svg")).unwrap();
        for wanted in ["append, 16 callers", "list_10000", "3.00 (2.70 – 3.30)"] {
            assert!(sqlite.contains(wanted), "{sqlite}");
        }
        assert!(folder.path().join("memory.svg").exists());
        draw(&folder.path().join("one.svg"), &rows[..2]).unwrap();
        assert!(folder.path().join("one.svg").exists());
    }

    #[test]
    fn a_scale_has_its_ratios_and_the_one() {
        for (most, marks) in [(1.0, 5), (3.0, 7), (40.0, 10)] {
            let scale = Scale::of(most);
            assert_eq!(scale.marks().len(), marks, "{most}");
            assert!(scale.most >= most && scale.x(scale.most) == WIDTH - RIGHT);
        }
    }
}
