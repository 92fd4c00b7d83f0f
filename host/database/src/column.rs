//! Owns answers, batches and columns in Arrow's layout, as the contract has them, and whether a guest's column keeps to
//! it; leaves filling them to `builder`.

#[cfg(test)]
mod tests;

use crate::value::{Kind, Uuid, Value};

/// A complete result: infos and columns in the same order.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What the database says of each column; present with zero rows too.
    pub columns: Vec<ColumnInfo>,
    /// All rows.
    pub batch: Batch,
}

/// What the database says of a result's column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnInfo {
    /// The column's name or alias.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// The database's own name of the type: `int8`, `int4[]`, `TIMESTAMP`; a PostgreSQL domain's is its base type's;
    /// empty for an SQLite expression.
    pub database_type: String,
}

/// Rows, column by column. Every column has exactly `rows` entries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// How many rows.
    pub rows: u32,
    /// The columns.
    pub columns: Vec<Column>,
}

/// One column's values and which of them are null.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// One bit a row, least significant bit of the first byte first, 1 = a value, 0 = null. Empty = no nulls.
    pub validity: Vec<u8>,
    /// One entry for each row; at a null the entry is the type's zero.
    pub values: Values,
}

/// The values of one column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// True or false.
    Boolean(Vec<bool>),
    /// Whole numbers.
    Int64(Vec<i64>),
    /// Binary floating-point numbers.
    Float64(Vec<f64>),
    /// UTF-8 of exact decimals.
    Decimal(Packed),
    /// UTF-8.
    Text(Packed),
    /// Bytes.
    Bytes(Packed),
    /// 128 bits each.
    Uuid(Vec<Uuid>),
    /// Days since 1970-01-01.
    Date(Vec<i32>),
    /// Microseconds since midnight.
    Time(Vec<i64>),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(Vec<i64>),
    /// UTF-8 of one JSON text each.
    Json(Packed),
}

/// Variable-length values packed end to end: value `i` is `data[offsets[i]..offsets[i+1]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// One entry more than there are values; starts with 0.
    pub offsets: Vec<u32>,
    /// The bytes of all values. A null takes none.
    pub data: Vec<u8>,
}

impl Default for Packed {
    fn default() -> Self {
        Self {
            offsets: vec![0],
            data: Vec::new(),
        }
    }
}

impl Packed {
    /// Value `index`, or none past the end or where the offsets contradict the data.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let start = usize::try_from(*self.offsets.get(index)?).ok()?;
        let end = usize::try_from(*self.offsets.get(index.checked_add(1)?)?).ok()?;
        self.data.get(start..end)
    }

    /// How many values it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether it holds no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn text(&self, index: usize) -> Option<String> {
        let bytes = self.get(index)?;
        std::str::from_utf8(bytes).ok().map(str::to_owned)
    }

    /// Whether the offsets begin with 0, never fall, and end where the data ends.
    fn check(&self) -> Result<(), String> {
        if self.offsets.first() != Some(&0) {
            return Err("its offsets do not begin with 0".to_owned());
        }
        if let Some(at) = self.offsets.windows(2).position(|pair| pair[0] > pair[1]) {
            return Err(format!("its offsets fall behind row {at}"));
        }
        let end = self.offsets.last().copied().unwrap_or_default();
        if usize::try_from(end) != Ok(self.data.len()) {
            return Err(format!(
                "its offsets end at {end} where it has {} bytes of data",
                self.data.len()
            ));
        }
        Ok(())
    }

    /// Whether each value is UTF-8, given that the offsets are right.
    fn check_utf8(&self) -> Result<(), String> {
        let text = std::str::from_utf8(&self.data)
            .map_err(|error| format!("its data is not UTF-8 at byte {}", error.valid_up_to()))?;
        let split = |offset: &&u32| {
            !usize::try_from(**offset).is_ok_and(|offset| text.is_char_boundary(offset))
        };
        match self.offsets.iter().find(split) {
            Some(offset) => Err(format!("its offset {offset} is in the middle of a letter")),
            None => Ok(()),
        }
    }
}

impl Column {
    /// Whether row `row` is null.
    #[must_use]
    pub fn is_null(&self, row: usize) -> bool {
        self.validity
            .get(row / 8)
            .is_some_and(|byte| byte & (1 << (row % 8)) == 0)
    }

    /// Whether a column that a guest made keeps to the layout, so that [`Self::value`] tells the truth of each of its
    /// rows. What stands at a null is not looked at, and whether a decimal or a JSON text is one is for binding to say.
    ///
    /// # Errors
    /// What is wrong with it, in the middle of a sentence.
    pub fn check(&self) -> Result<usize, String> {
        match &self.values {
            Values::Decimal(packed) | Values::Text(packed) | Values::Json(packed) => {
                packed.check()?;
                packed.check_utf8()?;
            }
            Values::Bytes(packed) => packed.check()?,
            Values::Boolean(_)
            | Values::Int64(_)
            | Values::Float64(_)
            | Values::Uuid(_)
            | Values::Date(_)
            | Values::Time(_)
            | Values::Timestamp(_) => {}
        }
        let (rows, bytes) = (self.values.len(), self.validity.len());
        if bytes != 0 && bytes != rows.div_ceil(8) {
            return Err(format!(
                "its validity has {bytes} bytes where {rows} rows take {}",
                rows.div_ceil(8)
            ));
        }
        Ok(rows)
    }

    /// The value of row `row` of a column that [`Self::check`] has passed; past its end there are nulls.
    #[must_use]
    pub fn value(&self, row: usize) -> Value {
        if self.is_null(row) {
            return Value::Null;
        }
        let value = match &self.values {
            Values::Boolean(values) => values.get(row).map(|value| Value::Boolean(*value)),
            Values::Int64(values) => values.get(row).map(|value| Value::Int64(*value)),
            Values::Float64(values) => values.get(row).map(|value| Value::Float64(*value)),
            Values::Decimal(packed) => packed.text(row).map(Value::Decimal),
            Values::Text(packed) => packed.text(row).map(Value::Text),
            Values::Bytes(packed) => packed.get(row).map(|bytes| Value::Bytes(bytes.to_vec())),
            Values::Uuid(values) => values.get(row).map(|value| Value::Uuid(*value)),
            Values::Date(values) => values.get(row).map(|value| Value::Date(*value)),
            Values::Time(values) => values.get(row).map(|value| Value::Time(*value)),
            Values::Timestamp(values) => values.get(row).map(|value| Value::Timestamp(*value)),
            Values::Json(packed) => packed.text(row).map(Value::Json),
        };
        value.unwrap_or(Value::Null)
    }
}

impl Values {
    /// What they are.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Values::Boolean(_) => Kind::Boolean,
            Values::Int64(_) => Kind::Int64,
            Values::Float64(_) => Kind::Float64,
            Values::Decimal(_) => Kind::Decimal,
            Values::Text(_) => Kind::Text,
            Values::Bytes(_) => Kind::Bytes,
            Values::Uuid(_) => Kind::Uuid,
            Values::Date(_) => Kind::Date,
            Values::Time(_) => Kind::Time,
            Values::Timestamp(_) => Kind::Timestamp,
            Values::Json(_) => Kind::Json,
        }
    }

    /// No values of a kind.
    #[must_use]
    pub fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Boolean => Values::Boolean(Vec::new()),
            Kind::Int64 => Values::Int64(Vec::new()),
            Kind::Float64 => Values::Float64(Vec::new()),
            Kind::Decimal => Values::Decimal(Packed::default()),
            Kind::Text => Values::Text(Packed::default()),
            Kind::Bytes => Values::Bytes(Packed::default()),
            Kind::Uuid => Values::Uuid(Vec::new()),
            Kind::Date => Values::Date(Vec::new()),
            Kind::Time => Values::Time(Vec::new()),
            Kind::Timestamp => Values::Timestamp(Vec::new()),
            Kind::Json => Values::Json(Packed::default()),
        }
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Values::Boolean(values) => values.len(),
            Values::Int64(values) | Values::Time(values) | Values::Timestamp(values) => {
                values.len()
            }
            Values::Float64(values) => values.len(),
            Values::Decimal(packed)
            | Values::Text(packed)
            | Values::Bytes(packed)
            | Values::Json(packed) => packed.len(),
            Values::Uuid(values) => values.len(),
            Values::Date(values) => values.len(),
        }
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
