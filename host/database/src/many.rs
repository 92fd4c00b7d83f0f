//! Owns one statement with a row of parameters for each time it runs; leaves running it to the backends.

use std::sync::Arc;

use crate::column::{Column, Packed, Values};
use crate::error::Error;
use crate::footprint::StatementKind;
use crate::statement::{Author, Failed, Request};
use crate::value::Value;

/// One statement to run once for each row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Many<'a> {
    pub(crate) sql: &'a Arc<str>,
    /// One for each parameter, checked, and all of the same length.
    pub(crate) columns: &'a [Column],
    pub(crate) rows: usize,
}

impl<'a> Many<'a> {
    /// How many rows the columns have, which a guest may have made.
    pub(crate) fn rows(columns: &[Column]) -> Result<usize, Error> {
        let mut rows = None;
        for (at, column) in columns.iter().enumerate() {
            let checked = column.check().map_err(|reason| {
                Error::invalid(format!("column {} is malformed: {reason}", at + 1))
            })?;
            match rows {
                Some(before) if before != checked => {
                    return Err(Error::invalid(format!(
                        "column {} has {checked} rows, and those before it have {before}: every column has one for each time the statement runs",
                        at + 1
                    )));
                }
                _ => rows = Some(checked),
            }
        }
        rows.ok_or_else(|| {
            Error::invalid(
                "there is no column, so that it is not known how often the statement runs: give one for each parameter, or use `execute`",
            )
        })
    }

    /// The parameters of one row.
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = Value> + 'a {
        self.columns.iter().map(move |column| column.value(row))
    }

    /// The statement by itself.
    pub(crate) fn request(&self, parameters: &'a [Value]) -> Request<'a> {
        Request {
            sql: self.sql,
            parameters,
            kind: StatementKind::Write,
            author: Author::Plugin,
            limits: crate::builder::Limits { rows: 0, bytes: 0 },
            rows: false,
        }
    }
}

/// The same failure, told of a row, of which the first is row 1.
pub(crate) fn at_row(mut failed: Failed, row: usize) -> Failed {
    let row = row + 1;
    let told = |message: &mut String| *message = format!("row {row} of the columns: {message}");
    match &mut failed.error {
        Error::Invalid(message)
        | Error::Constraint { message, .. }
        | Error::Conflict { message, .. }
        | Error::Statement { message, .. } => told(message),
        _ => {}
    }
    failed
}

/// Rows of a column, from `start` on, of which it has `count` at least.
pub(crate) fn slice(column: &Column, start: usize, count: usize) -> Column {
    fn part<T: Clone>(all: &[T], start: usize, count: usize) -> Vec<T> {
        all.iter().skip(start).take(count).cloned().collect()
    }
    let packed = |packed: &Packed| {
        let offsets = part(&packed.offsets, start, count + 1);
        let ends = (offsets.first().copied(), offsets.last().copied());
        let (from, to) = (ends.0.unwrap_or_default(), ends.1.unwrap_or_default());
        Packed {
            data: packed
                .data
                .get(from as usize..to as usize)
                .unwrap_or_default()
                .to_vec(),
            offsets: offsets.into_iter().map(|offset| offset - from).collect(),
        }
    };
    let values = match &column.values {
        Values::Boolean(values) => Values::Boolean(part(values, start, count)),
        Values::Int64(values) => Values::Int64(part(values, start, count)),
        Values::Float64(values) => Values::Float64(part(values, start, count)),
        Values::Decimal(values) => Values::Decimal(packed(values)),
        Values::Text(values) => Values::Text(packed(values)),
        Values::Bytes(values) => Values::Bytes(packed(values)),
        Values::Uuid(values) => Values::Uuid(part(values, start, count)),
        Values::Date(values) => Values::Date(part(values, start, count)),
        Values::Time(values) => Values::Time(part(values, start, count)),
        Values::Timestamp(values) => Values::Timestamp(part(values, start, count)),
        Values::Json(values) => Values::Json(packed(values)),
    };
    let mut validity = Vec::new();
    if !column.validity.is_empty() {
        validity.resize(count.div_ceil(8), 0_u8);
        for row in 0..count {
            if !column.is_null(start + row)
                && let Some(byte) = validity.get_mut(row / 8)
            {
                *byte |= 1 << (row % 8);
            }
        }
    }
    Column { validity, values }
}

/// Bytes that a row of the columns takes, about.
pub(crate) fn row_bytes(columns: &[Column], row: usize) -> usize {
    let width = |column: &Column| match &column.values {
        Values::Decimal(packed)
        | Values::Text(packed)
        | Values::Bytes(packed)
        | Values::Json(packed) => packed.get(row).map_or(0, <[u8]>::len),
        _ => 16,
    };
    columns.iter().map(|column| width(column) + 4).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_the_same_rows() {
        let texts = ["", "ab", "é", "", "xyz"];
        let mut packed = Packed::default();
        for text in texts {
            packed.data.extend_from_slice(text.as_bytes());
            packed.offsets.push(packed.data.len() as u32);
        }
        let columns = [
            Column {
                validity: vec![0b1_0110],
                values: Values::Text(packed),
            },
            Column {
                validity: Vec::new(),
                values: Values::Int64((0..5).collect()),
            },
        ];
        for column in &columns {
            for start in 0..=5 {
                for count in 0..=(5 - start) {
                    let slice = slice(column, start, count);
                    assert_eq!(slice.check(), Ok(count), "{start} {count}");
                    for row in 0..count {
                        assert_eq!(slice.value(row), column.value(start + row));
                    }
                }
            }
        }
    }
}
