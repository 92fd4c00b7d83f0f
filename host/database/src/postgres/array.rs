//! Owns writing a column as an array of the server's, which is how many rows reach it at once; leaves one value to `encode`.

use sqlx::postgres::PgTypeInfo;

use crate::column::{Column, Packed, Values};
use crate::value::{Kind, Uuid, Value};

use super::decode::{EPOCH_MICROSECONDS, Shape, Wire, type_name};
use super::encode::scalar;

/// One dimension that begins with element 1; no element at all is no dimension.
pub(super) fn encode(
    column: &Column,
    element: &PgTypeInfo,
    info: &PgTypeInfo,
) -> Result<Vec<u8>, String> {
    let rows = column
        .check()
        .map_err(|reason| format!("the array is malformed: {reason}"))?;
    let Shape::Scalar(wire) = Shape::of(element) else {
        return Err(format!(
            "the database wants {0}, which is given as texts: write $N::text[]::{0} in the SQL",
            type_name(info)
        ));
    };
    let element_type = element.oid().ok_or("its element type is not known")?;
    let length =
        i32::try_from(rows).map_err(|_| format!("an array of {rows} elements is too large"))?;
    let has_nulls = (0..rows).any(|row| column.is_null(row));
    if rows == 0 {
        // What has no element has a kind all the same.
        scalar(&any(column.values.kind()), wire, element)?;
    }
    let mut bytes = Vec::with_capacity(20 + rows.saturating_mul(12));
    bytes.extend_from_slice(&i32::from(rows > 0).to_be_bytes());
    bytes.extend_from_slice(&i32::from(has_nulls).to_be_bytes());
    bytes.extend_from_slice(&element_type.0.to_be_bytes());
    if rows > 0 {
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&1_i32.to_be_bytes());
    }
    if has_nulls || !write_all(&column.values, wire, &mut bytes) {
        for row in 0..rows {
            let of_element = |reason: String| format!("element {}: {reason}", row + 1);
            match column.value(row) {
                Value::Null => bytes.extend_from_slice(&(-1_i32).to_be_bytes()),
                value => {
                    let written = scalar(&value, wire, element).map_err(of_element)?;
                    let length = i32::try_from(written.len())
                        .map_err(|_| of_element("it is too long".to_owned()))?;
                    bytes.extend_from_slice(&length.to_be_bytes());
                    bytes.extend_from_slice(&written);
                }
            }
        }
    }
    Ok(bytes)
}

/// Writes values that need no second look straight from the column, which is what most rows of many are; false, with
/// nothing written, for all others.
fn write_all(values: &Values, wire: Wire, bytes: &mut Vec<u8>) -> bool {
    match (values, wire) {
        (Values::Boolean(values), Wire::Bool) => {
            fixed(values, bytes, |value| [u8::from(*value)]);
        }
        (Values::Int64(values), Wire::Int8) => fixed(values, bytes, |value| value.to_be_bytes()),
        (Values::Float64(values), Wire::Float8) => {
            fixed(values, bytes, |value| value.to_be_bytes());
        }
        (Values::Uuid(values), Wire::Uuid) => fixed(values, bytes, |value| value.to_bytes()),
        // Both infinities, and what is too near to them, are looked at one by one.
        (Values::Timestamp(values), Wire::Timestamp)
            if values
                .iter()
                .all(|at| (i64::MIN + 2 * EPOCH_MICROSECONDS..i64::MAX).contains(at)) =>
        {
            fixed(values, bytes, |value| {
                (value - EPOCH_MICROSECONDS).to_be_bytes()
            });
        }
        (Values::Text(packed), Wire::Text) if !packed.data.contains(&0) => {
            return texts(packed, bytes);
        }
        (Values::Bytes(packed), Wire::Bytea) => return texts(packed, bytes),
        _ => return false,
    }
    true
}

fn fixed<T, const N: usize>(values: &[T], bytes: &mut Vec<u8>, wire: impl Fn(&T) -> [u8; N]) {
    let length = u32::try_from(N).unwrap_or_default().to_be_bytes();
    for value in values {
        bytes.extend_from_slice(&length);
        bytes.extend_from_slice(&wire(value));
    }
}

fn texts(packed: &Packed, bytes: &mut Vec<u8>) -> bool {
    let begin = bytes.len();
    bytes.reserve(packed.data.len());
    for ends in packed.offsets.windows(2) {
        let value = match ends {
            [from, to] => packed.data.get(*from as usize..*to as usize),
            _ => None,
        };
        let (Some(value), Some(Ok(length))) =
            (value, value.map(|value| i32::try_from(value.len())))
        else {
            bytes.truncate(begin);
            return false;
        };
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(value);
    }
    true
}

/// Some value of that kind.
fn any(kind: Kind) -> Value {
    match kind {
        Kind::Boolean => Value::Boolean(false),
        Kind::Int64 => Value::Int64(0),
        Kind::Float64 => Value::Float64(0.0),
        Kind::Decimal => Value::Decimal("0".to_owned()),
        Kind::Text => Value::Text(String::new()),
        Kind::Bytes => Value::Bytes(Vec::new()),
        Kind::Uuid => Value::Uuid(Uuid::default()),
        Kind::Date => Value::Date(0),
        Kind::Time => Value::Time(0),
        Kind::Timestamp => Value::Timestamp(0),
        Kind::Json => Value::Json("null".to_owned()),
    }
}
