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

/// What a cell can be read as: exactly, or not at all.
///
/// A type of the plugin's own reads what it is stored as:
///
/// ```
/// use poolhouse::database::{Cell, Column, FromCell, Rows};
///
/// #[derive(Debug, PartialEq)]
/// enum Side {
///     Buy,
///     Sell,
/// }
///
/// impl<'r> FromCell<'r> for Side {
///     fn from_cell(cell: Cell<'r>) -> Result<Self, String> {
///         match <&str>::from_cell(cell)? {
///             "buy" => Ok(Self::Buy),
///             "sell" => Ok(Self::Sell),
///             word => Err(format!("holds `{word}`, which is neither `buy` nor `sell`")),
///         }
///     }
/// }
///
/// let rows = Rows::of([("side", Column::of(["sell", "hold"]))])?;
/// assert_eq!(rows.row(0).unwrap().get::<Side>("side")?, Side::Sell);
/// assert_eq!(
///     rows.row(1).unwrap().get::<Side>("side").unwrap_err().to_string(),
///     "column `side` of row 2 holds `hold`, which is neither `buy` nor `sell`",
/// );
/// # Ok::<(), poolhouse::database::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "a cell can't be read as `{Self}`",
    note = "numbers, `bool`, texts, bytes, `Decimal`, `Uuid`, `Date`, `Time`, `Timestamp`, `Json` and an `Option` of these can; implement `FromCell` for a type of your own, and `#[row(flatten)]` a struct"
)]
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

impl<'a> FromCell<'a> for f32 {
    fn from_cell(cell: Cell<'a>) -> Result<Self, String> {
        let value = f64::from_cell(cell)?;
        let short = value as Self;
        if f64::from(short).to_bits() == value.to_bits() || value.is_nan() {
            Ok(short)
        } else {
            Err(format!(
                "holds {value}, which no `f32` is exactly; read it as an `f64`"
            ))
        }
    }
}

macro_rules! from_integer_cell {
    ($($type:ty),*) => {$(
        impl<'a> FromCell<'a> for $type {
            fn from_cell(cell: Cell<'a>) -> Result<Self, String> {
                match cell {
                    Cell::Int64(value) => value.try_into().map_err(|_| out_of_range(value)),
                    // PostgreSQL's sums of integers are decimals.
                    Cell::Decimal(text) => {
                        let whole = whole_number(text).ok_or_else(|| format!("holds {text}, not an integer"))?;
                        whole.parse().map_err(|_| out_of_range(text))
                    }
                    cell => mismatch(cell, "an integer"),
                }
            }
        }
    )*};
}

from_integer_cell!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

fn out_of_range(value: impl std::fmt::Display) -> String {
    format!("holds {value}, which is out of range")
}

/// The digits before a point that only zeros follow.
fn whole_number(decimal: &str) -> Option<&str> {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit())
        && fraction.bytes().all(|byte| byte == b'0');
    is_whole.then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_exactly_or_not_at_all() {
        assert_eq!(i64::from_cell(Cell::Decimal("12.00")), Ok(12));
        assert_eq!(
            u64::from_cell(Cell::Decimal("18446744073709551615")),
            Ok(u64::MAX)
        );
        assert_eq!(i8::from_cell(Cell::Int64(-128)), Ok(-128));
        for (error, expected) in [
            (
                i64::from_cell(Cell::Decimal("12.01")),
                "holds 12.01, not an integer",
            ),
            (
                i64::from_cell(Cell::Decimal("NaN")),
                "holds NaN, not an integer",
            ),
            (
                i64::from_cell(Cell::Decimal("9223372036854775808")),
                "holds 9223372036854775808, which is out of range",
            ),
            (
                i64::from_cell(Cell::Float64(1.0)),
                "holds a floating-point number, not an integer",
            ),
            (
                u8::from_cell(Cell::Int64(256)).map(i64::from),
                "holds 256, which is out of range",
            ),
            (
                u64::from_cell(Cell::Int64(-1)).map(|_| 0),
                "holds -1, which is out of range",
            ),
        ] {
            assert_eq!(error, Err(expected.to_owned()));
        }
    }

    #[test]
    fn floats_are_read_exactly_or_not_at_all() {
        assert_eq!(f32::from_cell(Cell::Float64(0.1_f32.into())), Ok(0.1));
        assert!(f32::from_cell(Cell::Float64(f64::NAN)).is_ok_and(f32::is_nan));
        for lost in [0.1, 1e300, f64::MIN_POSITIVE] {
            assert!(f32::from_cell(Cell::Float64(lost)).is_err(), "{lost}");
        }
    }
}
