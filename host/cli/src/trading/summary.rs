//! What a run did, as a table for a person.

use std::io;
use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use poolhouse_database::Database;

use super::Desk;
use crate::{output, shown};

/// Prints the rows' numbers and the pool's to standard output. `elapsed` is the time in the loop.
///
/// # Errors
/// Where they can't be written.
pub(crate) fn print(desk: &Desk, database: &Database, elapsed: Duration) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header([
        "strategy row",
        "plugin",
        "bars",
        "replayed",
        "late",
        "signals",
        "placed",
        "rejected",
        "failures",
        "time per bar",
    ]);
    for column in 2..10 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut orders = 0;
    for row in desk.rows() {
        let numbers = &row.statistics;
        orders += numbers.placed + numbers.rejected;
        table.add_row([
            row.id.clone(),
            row.plugin().to_owned(),
            numbers.bars.to_string(),
            numbers.replayed.to_string(),
            numbers.late.to_string(),
            numbers.signals.to_string(),
            numbers.placed.to_string(),
            numbers.rejected.to_string(),
            numbers.failures.to_string(),
            micros(
                numbers
                    .time
                    .checked_div(u32::try_from(numbers.bars).unwrap_or(u32::MAX))
                    .unwrap_or_default(),
            ),
        ]);
    }
    output::print(table)?;
    for row in desk.rows() {
        if let Some(reason) = row.set_aside() {
            let line = format!("set aside: {}: {reason}", row.id);
            output::print(shown::on_one_line(&shown::without_passwords(&line)))?;
        }
    }
    output::print(format_args!(
        "{orders} orders in {:.3} s",
        elapsed.as_secs_f64()
    ))?;
    let (pool, wait) = (database.stats(), database.timings().wait);
    output::print(format_args!(
        "pool: {} acquires, wait p50 {} p99 {}, most in use {}, overflow {}, connections opened {}",
        pool.acquired,
        micros(wait.p50),
        micros(wait.p99),
        pool.most_checked_out,
        pool.most_overflow,
        pool.opened
    ))
}

fn micros(time: Duration) -> String {
    format!("{:.1} µs", time.as_secs_f64() * 1e6)
}
