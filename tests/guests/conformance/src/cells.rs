//! Reads single values out of columns as the contract lays them out, and trusts no layout: a wrong one is a trap.

use poolhouse::bindings::imports::poolhouse::database::types::{
    Batch, Column, Packed, Value, Values,
};

/// The batch's cells, row by row.
pub(crate) fn rows(batch: &Batch) -> Vec<Vec<Value>> {
    for column in &batch.columns {
        check(column, batch.rows as usize);
    }
    (0..batch.rows as usize)
        .map(|row| {
            let cells = batch.columns.iter().map(|column| cell(column, row));
            cells.collect()
        })
        .collect()
}

/// The sum of all int64 values and of all bytes of texts, wrapping.
pub(crate) fn checksum(batch: &Batch) -> u64 {
    let of = |column: &Column| match &column.values {
        Values::Int64(values) => values
            .iter()
            .fold(0_u64, |sum, value| sum.wrapping_add(*value as u64)),
        Values::Text(packed) => packed
            .data
            .iter()
            .fold(0_u64, |sum, byte| sum.wrapping_add(u64::from(*byte))),
        _ => 0,
    };
    batch.columns.iter().map(of).fold(0, u64::wrapping_add)
}

/// One entry a row, a validity bitmap of the right length or none, offsets that rise from 0 to the data's end.
fn check(column: &Column, rows: usize) {
    assert_eq!(
        length(&column.values),
        rows,
        "a column's entries are its rows"
    );
    assert!(
        column.validity.is_empty() || column.validity.len() == rows.div_ceil(8),
        "a validity bitmap of {} bytes for {rows} rows",
        column.validity.len()
    );
    if let Some(packed) = packed(&column.values) {
        assert_eq!(packed.offsets.first(), Some(&0), "offsets start with 0");
        assert!(packed.offsets.is_sorted(), "offsets rise");
        let end = packed.offsets.last().map(|end| *end as usize);
        assert_eq!(end, Some(packed.data.len()), "offsets end with the data");
    }
}

fn length(values: &Values) -> usize {
    match values {
        Values::Boolean(values) => values.len(),
        Values::Int64(values) | Values::Time(values) | Values::Timestamp(values) => values.len(),
        Values::Float64(values) => values.len(),
        Values::Uuid(values) => values.len(),
        Values::Date(values) => values.len(),
        Values::Decimal(packed)
        | Values::Text(packed)
        | Values::Bytes(packed)
        | Values::Json(packed) => packed.offsets.len() - 1,
    }
}

fn packed(values: &Values) -> Option<&Packed> {
    match values {
        Values::Decimal(packed)
        | Values::Text(packed)
        | Values::Bytes(packed)
        | Values::Json(packed) => Some(packed),
        _ => None,
    }
}

fn is_null(column: &Column, row: usize) -> bool {
    !column.validity.is_empty() && column.validity[row / 8] & (1 << (row % 8)) == 0
}

fn cell(column: &Column, row: usize) -> Value {
    if is_null(column, row) {
        check_zero(&column.values, row);
        return Value::Null;
    }
    match &column.values {
        Values::Boolean(values) => Value::Boolean(values[row]),
        Values::Int64(values) => Value::Int64(values[row]),
        Values::Float64(values) => Value::Float64(values[row]),
        Values::Decimal(packed) => Value::Decimal(text(packed, row)),
        Values::Text(packed) => Value::Text(text(packed, row)),
        Values::Bytes(packed) => Value::Bytes(bytes(packed, row).to_vec()),
        Values::Uuid(values) => Value::Uuid(values[row]),
        Values::Date(values) => Value::Date(values[row]),
        Values::Time(values) => Value::Time(values[row]),
        Values::Timestamp(values) => Value::Timestamp(values[row]),
        Values::Json(packed) => Value::Json(text(packed, row)),
    }
}

/// At a null the entry is the type's zero, and takes no bytes.
fn check_zero(values: &Values, row: usize) {
    let zero = match values {
        Values::Boolean(values) => !values[row],
        Values::Int64(values) | Values::Time(values) | Values::Timestamp(values) => {
            values[row] == 0
        }
        Values::Float64(values) => values[row].to_bits() == 0,
        Values::Uuid(values) => values[row].high == 0 && values[row].low == 0,
        Values::Date(values) => values[row] == 0,
        Values::Decimal(packed)
        | Values::Text(packed)
        | Values::Bytes(packed)
        | Values::Json(packed) => bytes(packed, row).is_empty(),
    };
    assert!(
        zero,
        "the entry of a null in row {row} is not the type's zero"
    );
}

fn bytes(packed: &Packed, row: usize) -> &[u8] {
    &packed.data[packed.offsets[row] as usize..packed.offsets[row + 1] as usize]
}

fn text(packed: &Packed, row: usize) -> String {
    String::from_utf8(bytes(packed, row).to_vec()).expect("a text is UTF-8")
}
