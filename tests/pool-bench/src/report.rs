//! What was measured, as tables for people and lines for programs, and whether it is what we set out to reach.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use crate::contender::Entrant;

/// A figure's heading, unit and all, and with how many decimals people read it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) heading: &'static str,
    pub(crate) decimals: usize,
}

/// What one contender came to: a figure a column.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) entrant: Entrant,
    pub(crate) figures: Vec<f64>,
}

/// Everything so far, printed as it comes.
#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: String,
    goals: String,
}

impl Report {
    pub(crate) fn add(&mut self, measure: &str, columns: &[Column], rows: &[Row]) {
        let mut table = Table::new();
        table.load_style(NOTHING);
        let headings = columns.iter().map(|column| column.heading.to_owned());
        table.set_header(
            ["contender".to_owned(), "settings".to_owned()]
                .into_iter()
                .chain(headings),
        );
        for row in rows {
            let (name, settings) = (row.entrant.name(), row.entrant.settings());
            let mut cells = vec![name.to_owned(), settings.to_owned()];
            for (column, figure) in columns.iter().zip(&row.figures) {
                let figure = format!("{figure:.*}", column.decimals);
                // Writing to a String can't fail.
                let _ = writeln!(
                    self.lines,
                    "{measure}\t{name}\t{settings}\t{}\t{figure}",
                    column.heading
                );
                cells.push(figure);
            }
            table.add_row(cells);
        }
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        println!("\n{measure}\n{}", table.trim_fmt());
    }

    /// `found` with its unit, and what it was to be.
    pub(crate) fn goal(&mut self, measure: &str, found: &str, wanted: &str, met: bool) {
        let verdict = if met { "met" } else { "missed" };
        println!("goal {measure}: {found}, to be {wanted}: {verdict}");
        let _ = writeln!(self.goals, "goal\t{measure}\t{found}\t{wanted}\t{verdict}");
    }

    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let content = format!(
            "measure\tcontender\tsettings\tfigure\tvalue\n{}{}",
            self.lines, self.goals
        );
        std::fs::write(file, content).with_context(|| format!("writing {}", file.display()))
    }
}

/// The middle one; of an even number, the upper of the two in the middle.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn greatest(figures: impl IntoIterator<Item = f64>) -> f64 {
    figures.into_iter().fold(f64::NAN, f64::max)
}

pub(crate) fn least(figures: impl IntoIterator<Item = f64>) -> f64 {
    figures.into_iter().fold(f64::NAN, f64::min)
}
