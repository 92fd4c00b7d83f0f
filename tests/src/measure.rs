//! One measured figure beside its peer's from the same run, and how the figures are printed and kept.

use std::fmt::Write as _;

use crate::target;

/// One line of the result.
#[derive(Debug)]
pub struct Measure {
    /// What was measured.
    pub name: String,
    /// Our figure.
    pub ours: f64,
    /// The peer's.
    pub peer: f64,
    /// Of both figures.
    pub unit: &'static str,
    /// What ours is to be.
    pub goal: Goal,
}

/// What our figure is to be.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// So many times the peer's, at least.
    Ratio(f64),
    /// No more than so much, whatever the peer's is.
    AtMost(f64),
}

impl Measure {
    fn line(&self) -> String {
        let ratio = self.ours / self.peer;
        let (goal, met) = match self.goal {
            Goal::Ratio(goal) => (format!("ratio {goal}"), ratio >= goal),
            Goal::AtMost(most) => (format!("at most {most} {}", self.unit), self.ours <= most),
        };
        format!(
            "{}\t{} {unit}\t{} {unit}\t{ratio:.2}\t{goal}\t{}",
            self.name,
            figure(self.ours),
            figure(self.peer),
            if met { "met" } else { "short" },
            unit = self.unit
        )
    }
}

fn figure(value: f64) -> String {
    if value < 100.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.0}")
    }
}

/// Prints the figures, one to a line, and writes them into that file of the target folder.
///
/// # Errors
/// Where the file can't be written.
pub fn report(file: &str, measures: &[Measure]) -> anyhow::Result<()> {
    let mut lines = String::new();
    for measure in measures {
        // Writing to a String can't fail.
        let _ = writeln!(lines, "{}", measure.line());
    }
    std::fs::write(target()?.join(file), &lines)?;
    println!("name\tours\tpeer\tratio\tgoal\tverdict");
    print!("{lines}");
    Ok(())
}
