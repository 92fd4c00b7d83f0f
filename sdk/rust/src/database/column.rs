//! Rust values as columns, for statements that run once for each row.

use crate::bindings::imports::poolhouse::database::types::{Packed, Values};
use crate::database::{Column, Date, Decimal, Json, Time, Timestamp, Uuid};

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
}

/// What a column can be made of.
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
    f64: items => Values::Float64(items.map(Option::unwrap_or_default).collect());
    Decimal: items => Values::Decimal(pack(items.map(|item| item.map(|item| item.to_string()))));
    &Decimal: items => Values::Decimal(pack(items.map(|item| item.map(Decimal::to_string))));
    String: items => Values::Text(pack(items));
    &str: items => Values::Text(pack(items));
    Vec<u8>: items => Values::Bytes(pack(items));
    &[u8]: items => Values::Bytes(pack(items));
    Uuid: items => Values::Uuid(items.map(|item| item.unwrap_or(Uuid::from_u128(0))).collect());
    Date: items => Values::Date(items.map(|item| item.unwrap_or_default().0).collect());
    Time: items => Values::Time(items.map(|item| item.unwrap_or_default().0).collect());
    Timestamp: items => Values::Timestamp(items.map(|item| item.unwrap_or_default().0).collect());
    Json: items => Values::Json(pack(items.map(|item| item.map(|item| item.0))));
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
}
