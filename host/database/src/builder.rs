//! Owns filling a column row by row and counting its bytes; leaves reading the database's values to the backends.

use crate::column::{Answer, Batch, Column, ColumnInfo, Packed, Values};
use crate::error::{Error, LimitKind};
use crate::value::{Kind, Uuid};

/// How much one answer may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Rows.
    pub(crate) rows: u64,
    /// Bytes of all columns together.
    pub(crate) bytes: u64,
}

/// Counts the rows and bytes of an answer against its limits.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    rows: u32,
    bytes: u64,
}

/// One column while it is filled.
#[derive(Debug)]
pub(crate) struct Builder {
    validity: Vec<u8>,
    values: Values,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            rows: 0,
            bytes: 0,
        }
    }

    /// Counts one row of `bytes` more; one that is refused is not counted.
    pub(crate) fn row(&mut self, bytes: u64) -> Result<(), Error> {
        let rows = self
            .rows
            .checked_add(1)
            .filter(|rows| u64::from(*rows) <= self.limits.rows);
        let Some(rows) = rows else {
            let maximum = self.limits.rows.min(u64::from(u32::MAX));
            return Err(Error::Limit {
                kind: LimitKind::Rows,
                message: format!(
                    "the answer has more than {maximum} rows, this plugin's limit: open a cursor, or add a LIMIT"
                ),
                maximum,
            });
        };
        let bytes = self.bytes.saturating_add(bytes);
        // An offset is 32 bits wide, so no limit can be larger.
        let maximum = self.limits.bytes.min(u64::from(u32::MAX));
        if bytes > maximum {
            return Err(Error::Limit {
                kind: LimitKind::Bytes,
                message: format!(
                    "the answer has more than {maximum} bytes, this plugin's limit: open a cursor, or ask for less with LIMIT or fewer columns"
                ),
                maximum,
            });
        }
        (self.rows, self.bytes) = (rows, bytes);
        Ok(())
    }

    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    pub(crate) fn answer(&self, columns: Vec<ColumnInfo>, builders: Vec<Builder>) -> Answer {
        Answer {
            columns,
            batch: Batch {
                rows: self.rows,
                columns: builders.into_iter().map(Builder::finish).collect(),
            },
        }
    }
}

impl Builder {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            validity: Vec::new(),
            values: Values::empty(kind),
        }
    }

    /// A column of `nulls` nulls to start with.
    pub(crate) fn with_nulls(kind: Kind, nulls: u32) -> Self {
        let mut builder = Self::new(kind);
        for _ in 0..nulls {
            builder.null();
        }
        builder
    }

    pub(crate) fn kind(&self) -> Kind {
        self.values.kind()
    }

    /// The values, to push one that is not null; call [`Self::pushed`] after it.
    pub(crate) fn values(&mut self) -> &mut Values {
        &mut self.values
    }

    pub(crate) fn replace(&mut self, values: Values) {
        self.values = values;
    }

    /// Marks the last entry as a value.
    pub(crate) fn pushed(&mut self) {
        if !self.validity.is_empty() {
            let row = self.values.len().saturating_sub(1);
            self.mark(row, true);
        }
    }

    /// Appends a null.
    pub(crate) fn null(&mut self) {
        let row = self.values.len();
        if self.validity.is_empty() {
            // The first null: every row before it is a value.
            self.validity = vec![0xff; row / 8];
            if !row.is_multiple_of(8) {
                self.validity.push((1_u8 << (row % 8)) - 1);
            }
        }
        match &mut self.values {
            Values::Boolean(values) => values.push(false),
            Values::Int64(values) | Values::Time(values) | Values::Timestamp(values) => {
                values.push(0)
            }
            Values::Float64(values) => values.push(0.0),
            Values::Decimal(packed)
            | Values::Text(packed)
            | Values::Bytes(packed)
            | Values::Json(packed) => {
                let last = packed.offsets.last().copied().unwrap_or(0);
                packed.offsets.push(last);
            }
            Values::Uuid(values) => values.push(Uuid::default()),
            Values::Date(values) => values.push(0),
        }
        self.mark(row, false);
    }

    pub(crate) fn finish(self) -> Column {
        Column {
            validity: self.validity,
            values: self.values,
        }
    }

    fn mark(&mut self, row: usize, value: bool) {
        if self.validity.len() <= row / 8 {
            self.validity.resize(row / 8 + 1, 0);
        }
        if let Some(byte) = self.validity.get_mut(row / 8)
            && value
        {
            *byte |= 1 << (row % 8);
        }
    }
}

/// Bytes that a value of `length` bytes takes in a column of this kind.
pub(crate) fn width(kind: Kind, length: usize) -> u64 {
    match kind {
        Kind::Boolean => 1,
        Kind::Int64 | Kind::Float64 | Kind::Time | Kind::Timestamp => 8,
        Kind::Uuid => 16,
        Kind::Date => 4,
        Kind::Decimal | Kind::Text | Kind::Bytes | Kind::Json => (length as u64).saturating_add(4),
    }
}

/// Appends one value to packed ones.
pub(crate) fn pack(packed: &mut Packed, bytes: &[u8]) -> Result<(), String> {
    let end = u32::try_from(packed.data.len().saturating_add(bytes.len()))
        .map_err(|_| "it holds more than 4 GiB".to_owned())?;
    packed.data.extend_from_slice(bytes);
    packed.offsets.push(end);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validity_is_empty_without_nulls_and_right_with_them() {
        for pattern in [0_u32, 1, 0b1_0000_0000, 0b1_0101_0101_0101, u32::MAX] {
            for rows in [0_u32, 1, 7, 8, 9, 17, 32] {
                let mut builder = Builder::new(Kind::Int64);
                for row in 0..rows {
                    if pattern & (1 << row) != 0 {
                        builder.null();
                    } else {
                        if let Values::Int64(values) = builder.values() {
                            values.push(7);
                        }
                        builder.pushed();
                    }
                }
                let column = builder.finish();
                assert_eq!(column.values.len(), rows as usize);
                let nulls = pattern & (((1_u64 << rows) - 1) as u32) != 0;
                assert_eq!(!column.validity.is_empty(), nulls, "{pattern:b} {rows}");
                if nulls {
                    assert_eq!(column.validity.len(), (rows as usize).div_ceil(8));
                }
                for row in 0..rows {
                    assert_eq!(
                        column.is_null(row as usize),
                        pattern & (1 << row) != 0,
                        "{pattern:b} {rows} {row}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_null_takes_no_bytes_in_packed_values() {
        let mut builder = Builder::with_nulls(Kind::Text, 2);
        if let Values::Text(packed) = builder.values() {
            pack(packed, b"ab").unwrap();
        }
        builder.pushed();
        let column = builder.finish();
        assert_eq!(
            column.values,
            Values::Text(Packed {
                offsets: vec![0, 0, 0, 2],
                data: b"ab".to_vec()
            })
        );
        assert!(column.is_null(0) && column.is_null(1) && !column.is_null(2));
    }
}
