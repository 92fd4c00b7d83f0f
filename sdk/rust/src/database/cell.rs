//! One cell of a column, and the Rust types that it can be read as.

use crate::bindings::imports::poolhouse::database::types::{Packed, Values};
use crate::database::{Column, Date, Decimal, Json, Time, Timestamp, Uuid};

/// One cell, its text or bytes borrowed from the result.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the cases are the contract's kinds")]
pub enum Cell<'a> {
    Null,
    Boolean(bool),
    Int64(i64),
    Float64(f64),
    Decimal(&'a str),
    Text(&'a str),
    Bytes(&'a [u8]),
    Uuid(Uuid),
    Date(Date),
    Time(Time),
    Timestamp(Timestamp),
    Json(&'a str),
}

impl Cell<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Int64(_) => "an integer",
            Self::Float64(_) => "a floating-point number",
            Self::Decimal(_) => "a decimal",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
            Self::Uuid(_) => "a UUID",
            Self::Date(_) => "a date",
            Self::Time(_) => "a time",
            Self::Timestamp(_) => "a timestamp",
            Self::Json(_) => "JSON",
        }
    }
}

/// The cell of that row; none where the column is shorter than it should be, or holds no UTF-8.
pub(super) fn cell(column: &Column, row: usize) -> Option<Cell<'_>> {
    if !column.validity.is_empty() && column.validity.get(row / 8)? >> (row % 8) & 1 == 0 {
        return Some(Cell::Null);
    }
    Some(match &column.values {
        Values::Boolean(list) => Cell::Boolean(*list.get(row)?),
        Values::Int64(list) => Cell::Int64(*list.get(row)?),
        Values::Float64(list) => Cell::Float64(*list.get(row)?),
        Values::Decimal(packed) => Cell::Decimal(text(packed, row)?),
        Values::Text(packed) => Cell::Text(text(packed, row)?),
        Values::Bytes(packed) => Cell::Bytes(bytes(packed, row)?),
        Values::Uuid(list) => Cell::Uuid(*list.get(row)?),
        Values::Date(list) => Cell::Date(Date(*list.get(row)?)),
        Values::Time(list) => Cell::Time(Time(*list.get(row)?)),
        Values::Timestamp(list) => Cell::Timestamp(Timestamp(*list.get(row)?)),
        Values::Json(packed) => Cell::Json(text(packed, row)?),
    })
}

fn bytes(packed: &Packed, row: usize) -> Option<&[u8]> {
    let start = *packed.offsets.get(row)? as usize;
    let end = *packed.offsets.get(row + 1)? as usize;
    packed.data.get(start..end)
}

fn text(packed: &Packed, row: usize) -> Option<&str> {
    std::str::from_utf8(bytes(packed, row)?).ok()
}

/// What a cell can be read as.
pub trait FromCell<'a>: Sized {
    /// The cell as this type.
    ///
    /// # Errors
    /// The end of a sentence that begins with the column: "holds a text, not …".
    fn from_cell(cell: Cell<'a>) -> Result<Self, String>;
}

impl<'a, T: FromCell<'a>> FromCell<'a> for Option<T> {
    fn from_cell(cell: Cell<'a>) -> Result<Self, String> {
        match cell {
            Cell::Null => Ok(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

impl<'a> FromCell<'a> for Cell<'a> {
    fn from_cell(cell: Cell<'a>) -> Result<Self, String> {
        Ok(cell)
    }
}

fn mismatch<T>(cell: Cell<'_>, expected: &str) -> Result<T, String> {
    Err(match cell {
        Cell::Null => "is null; read it as an `Option`".to_owned(),
        cell => format!("holds {}, not {expected}", cell.kind()),
    })
}

macro_rules! from_cell {
    ($($type:ty, $expected:literal: $($case:pat => $built:expr),+;)*) => {$(
        impl<'a> FromCell<'a> for $type {
            fn from_cell(cell: Cell<'a>) -> Result<Self, String> {
                match cell {
                    $($case => Ok($built),)+
                    cell => mismatch(cell, $expected),
                }
            }
        }
    )*};
}

from_cell! {
    // SQLite's expressions have no boolean: `EXISTS (…)` is 0 or 1 there.
    bool, "a boolean": Cell::Boolean(value) => value, Cell::Int64(value @ (0 | 1)) => value == 1;
    i64, "an integer": Cell::Int64(value) => value;
    f64, "a floating-point number": Cell::Float64(value) => value;
    &'a str, "a text": Cell::Text(value) | Cell::Json(value) | Cell::Decimal(value) => value;
    String, "a text": Cell::Text(value) | Cell::Json(value) | Cell::Decimal(value) => value.to_owned();
    &'a [u8], "bytes": Cell::Bytes(value) => value;
    Vec<u8>, "bytes": Cell::Bytes(value) => value.to_owned();
    Uuid, "a UUID": Cell::Uuid(value) => value;
    Date, "a date": Cell::Date(value) => value;
    Time, "a time": Cell::Time(value) => value;
    Timestamp, "a timestamp": Cell::Timestamp(value) => value;
    Json, "JSON": Cell::Json(value) => Json(value.to_owned());
}

impl<'a> FromCell<'a> for Decimal {
    fn from_cell(cell: Cell<'a>) -> Result<Self, String> {
        match cell {
            Cell::Decimal(text) => text
                .parse()
                .map_err(|error| format!("holds `{text}`, which is {error}")),
            Cell::Int64(value) => Ok(value.into()),
            cell => mismatch(cell, "a decimal"),
        }
    }
}

macro_rules! from_integer_cell {
    ($($type:ty),*) => {$(
        impl<'a> FromCell<'a> for $type {
            fn from_cell(cell: Cell<'a>) -> Result<Self, String> {
                let value = i64::from_cell(cell)?;
                value.try_into().map_err(|_| format!("holds {value}, which is out of range"))
            }
        }
    )*};
}

from_integer_cell!(i32, u32, u64, usize);
