//! Rust values as columns, for statements that run once for each row.

use crate::bindings::imports::poolhouse::database::types::{Packed, Values};
use crate::database::{Column, Date, Decimal, Json, Kind, Time, Timestamp, Uuid};

impl Column {
    /// A column without nulls.
    pub fn of<T: ColumnItem>(items: impl IntoIterator<Item = T>) -> Self {
        Self {
            validity: Vec::new(),
            values: T::values(items.into_iter().map(Some)),
        }
    }

    /// A column in which `None` is NULL.
    pub fn nullable<T: ColumnItem>(items: impl IntoIterator<Item = Option<T>>) -> Self {
        let mut validity = Vec::new();
        let mut row = 0;
        let mut nulls = false;
        let values = T::values(items.into_iter().inspect(|item| {
            if row % 8 == 0 {
                validity.push(0);
            }
            if let (Some(byte), Some(_)) = (validity.last_mut(), item) {
                *byte |= 1 << (row % 8);
            }
            nulls |= item.is_none();
            row += 1;
        }));
        if !nulls {
            validity.clear();
        }
        Self { validity, values }
    }

    /// The columns of rows that are tuples, for [`execute_many`](crate::database::Transaction::execute_many): one for
    /// each parameter. `None` is NULL.
    ///
    /// ```
    /// use poolhouse::database::{Column, Decimal};
    ///
    /// struct Order {
    ///     symbol: String,
    ///     price: Decimal,
    ///     note: Option<String>,
    /// }
    ///
    /// let orders = [Order { symbol: "AAPL".into(), price: Decimal::scaled(10150, 2), note: None }];
    /// let columns = Column::from_rows(
    ///     orders.iter().map(|order| (order.symbol.as_str(), &order.price, order.note.as_deref())),
    /// );
    /// assert_eq!(
    ///     columns,
    ///     [
    ///         Column::of(["AAPL"]),
    ///         Column::of([Decimal::scaled(10150, 2)]),
    ///         Column::nullable([None::<String>]),
    ///     ],
    /// );
    /// ```
    pub fn from_rows<R: ColumnRow>(rows: impl IntoIterator<Item = R>) -> Vec<Self> {
        R::columns(rows.into_iter())
    }

    /// How many values it has, nulls among them.
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Boolean(list) => list.len(),
            Values::Int64(list) | Values::Time(list) | Values::Timestamp(list) => list.len(),
            Values::Float64(list) => list.len(),
            Values::Uuid(list) => list.len(),
            Values::Date(list) => list.len(),
            Values::Decimal(packed)
            | Values::Text(packed)
            | Values::Bytes(packed)
            | Values::Json(packed) => packed.offsets.len().saturating_sub(1),
        }
    }

    /// Whether it has no value, not even a null.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn kind(&self) -> Kind {
        match &self.values {
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
}

/// One column of a row that [`Column::from_rows`] takes: what a column can be made of, or an `Option` of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be in a row of columns",
    note = "what can be in a column can, and an `Option` of it"
)]
pub trait ColumnCell {
    /// What the column is made of.
    type Item: ColumnItem;

    /// The item; none is NULL.
    fn into_item(self) -> Option<Self::Item>;
}

impl<T: ColumnItem> ColumnCell for T {
    type Item = T;

    fn into_item(self) -> Option<T> {
        Some(self)
    }
}

impl<T: ColumnItem> ColumnCell for Option<T> {
    type Item = T;

    fn into_item(self) -> Self {
        self
    }
}

/// A tuple of up to sixteen cells.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no row of columns",
    note = "rows are tuples of up to 16 cells, one for each parameter; of one cell: `(cell,)`"
)]
pub trait ColumnRow: Sized {
    /// The rows' columns, one for each cell of the tuple.
    fn columns(rows: impl Iterator<Item = Self>) -> Vec<Column>;
}

macro_rules! column_rows {
    ($($($cell:ident $index:tt)+;)*) => {$(
        impl<$($cell: ColumnCell),+> ColumnRow for ($($cell,)+) {
            fn columns(rows: impl Iterator<Item = Self>) -> Vec<Column> {
                let capacity = rows.size_hint().0;
                let mut columns = ($(Vec::<Option<$cell::Item>>::with_capacity(capacity),)+);
                for row in rows {
                    $(columns.$index.push(row.$index.into_item());)+
                }
                vec![$(Column::nullable(columns.$index)),+]
            }
        }
    )*};
}

column_rows! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14 P 15;
}

/// What a column can be made of.
#[diagnostic::on_unimplemented(
    message = "a column can't be made of `{Self}`",
    note = "`Option`s go into `Column::nullable`; numbers up to 64 bits with a sign, `bool`, texts, bytes, `Decimal`, `Uuid`, `Date`, `Time`, `Timestamp` and `Json` can"
)]
pub trait ColumnItem: Sized {
    /// The column's values, with the type's zero for `None`.
    fn values(items: impl Iterator<Item = Option<Self>>) -> Values;
}

fn pack<T: AsRef<[u8]>>(items: impl Iterator<Item = Option<T>>) -> Packed {
    let mut offsets = Vec::with_capacity(items.size_hint().0 + 1);
    let mut data = Vec::new();
    offsets.push(0);
    for item in items {
        if let Some(item) = item {
            data.extend_from_slice(item.as_ref());
        }
        // A guest's memory is 32 bits wide, so its lengths fit.
        offsets.push(data.len() as u32);
    }
    Packed { offsets, data }
}

macro_rules! column_item {
    ($($type:ty: $items:ident => $values:expr;)*) => {$(
        impl ColumnItem for $type {
            fn values($items: impl Iterator<Item = Option<Self>>) -> Values {
                $values
            }
        }
    )*};
}

column_item! {
    bool: items => Values::Boolean(items.map(Option::unwrap_or_default).collect());
    i64: items => Values::Int64(items.map(Option::unwrap_or_default).collect());
    i32: items => Values::Int64(items.map(|item| item.unwrap_or_default().into()).collect());
    i16: items => Values::Int64(items.map(|item| item.unwrap_or_default().into()).collect());
    u32: items => Values::Int64(items.map(|item| item.unwrap_or_default().into()).collect());
    u16: items => Values::Int64(items.map(|item| item.unwrap_or_default().into()).collect());
    f64: items => Values::Float64(items.map(Option::unwrap_or_default).collect());
    f32: items => Values::Float64(items.map(|item| item.unwrap_or_default().into()).collect());
    Decimal: items => Values::Decimal(pack(items.map(|item| item.map(|item| item.to_string()))));
    &Decimal: items => Values::Decimal(pack(items.map(|item| item.map(Decimal::to_string))));
    String: items => Values::Text(pack(items));
    &String: items => Values::Text(pack(items));
    &str: items => Values::Text(pack(items));
    Vec<u8>: items => Values::Bytes(pack(items));
    &[u8]: items => Values::Bytes(pack(items));
    Uuid: items => Values::Uuid(items.map(|item| item.unwrap_or_default()).collect());
    Date: items => Values::Date(items.map(|item| item.unwrap_or_default().0).collect());
    Time: items => Values::Time(items.map(|item| item.unwrap_or_default().0).collect());
    Timestamp: items => Values::Timestamp(items.map(|item| item.unwrap_or_default().0).collect());
    Json: items => Values::Json(pack(items.map(|item| item.map(|item| item.0))));
    &Json: items => Values::Json(pack(items.map(|item| item.map(|item| &item.0))));
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    #[test]
    fn texts_are_packed_end_to_end() {
        assert_eq!(
            Column::of(["ab", "", "c"]),
            Column {
                validity: vec![],
                values: Values::Text(Packed {
                    offsets: vec![0, 2, 2, 3],
                    data: b"abc".to_vec(),
                }),
            }
        );
    }

    #[test]
    fn nulls_are_zeros_and_clear_bits() {
        let column = Column::nullable((0..9).map(|i| (i % 4 != 3).then_some(i)));
        assert_eq!(column.validity, [0b0111_0111, 0b1]);
        assert_eq!(
            column.values,
            Values::Int64(vec![0, 1, 2, 0, 4, 5, 6, 0, 8])
        );
        let decimals = Column::nullable([None, Some("1.50".parse::<Decimal>().unwrap())]);
        assert_eq!(decimals.validity, [0b10]);
        assert_eq!(
            decimals.values,
            Values::Decimal(Packed {
                offsets: vec![0, 0, 4],
                data: b"1.50".to_vec(),
            })
        );
        assert!(Column::nullable([Some(true)]).validity.is_empty());
        assert!(Column::nullable([None::<bool>; 0]).validity.is_empty());
    }

    #[test]
    fn rows_become_columns() {
        let columns = Column::from_rows([
            (1_i32, Some("a"), Uuid::from_u128(1)),
            (2, None, Uuid::from_u128(2)),
        ]);
        assert_eq!(
            columns,
            [
                Column::of([1_i64, 2]),
                Column::nullable([Some("a"), None]),
                Column::of([1, 2].map(Uuid::from_u128)),
            ]
        );
        assert!(columns.iter().all(|column| column.len() == 2));
        let none = Column::from_rows([(true, 1.5); 0]);
        assert_eq!(none, [Column::of([true; 0]), Column::of([1.5; 0])]);
        assert!(none.iter().all(Column::is_empty));
    }
}
