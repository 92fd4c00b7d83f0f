//! Rust values as statement parameters; how the database takes them, the host decides.

use crate::database::{Column, ColumnItem, Date, Decimal, Time, Timestamp, Uuid, Value};

/// One JSON text; what is in it, the plugin reads with a crate of its own, such as `serde_json`.
///
/// PostgreSQL's arrays come as JSON, too: `{1,NULL}` as `[1,null]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Json(pub String);

/// What can be a parameter. `None` is NULL, a `Vec` or slice is an array (PostgreSQL only), and one of `u8` is bytes.
///
/// Nothing is rounded: a `u64` too large for the database's integers goes as an exact decimal, and the database takes
/// it where a decimal fits.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a statement's parameter",
    note = "numbers, `bool`, texts, `Vec<u8>`, `Decimal`, `Uuid`, `Date`, `Time`, `Timestamp`, `Json`, an `Option` of these and a `Vec` of these can; implement `IntoValue` for a type of your own"
)]
pub trait IntoValue {
    /// The parameter.
    fn into_value(self) -> Value;
}

/// Builds a statement's parameters from anything that is [`IntoValue`](crate::database::IntoValue): `$1` is the first.
///
/// ```
/// use poolhouse::database::{Timestamp, Value};
/// use poolhouse::params;
///
/// let name = String::from("alice");
/// assert_eq!(
///     params![&name, 10, None::<i64>, Timestamp(0)],
///     [Value::Text("alice".into()), Value::Int64(10), Value::Null, Value::Timestamp(0)],
/// );
/// ```
#[macro_export]
macro_rules! params {
    () => {
        &[] as &[$crate::database::Value]
    };
    ($($value:expr),+ $(,)?) => {
        &[$($crate::database::IntoValue::into_value($value)),+] as &[$crate::database::Value]
    };
}

macro_rules! into_value {
    ($($type:ty: $value:ident => $built:expr;)*) => {$(
        impl IntoValue for $type {
            fn into_value(self) -> Value {
                let $value = self;
                $built
            }
        }
    )*};
}

into_value! {
    Value: value => value;
    bool: value => Value::Boolean(value);
    i64: value => Value::Int64(value);
    i32: value => Value::Int64(value.into());
    i16: value => Value::Int64(value.into());
    i8: value => Value::Int64(value.into());
    u32: value => Value::Int64(value.into());
    u16: value => Value::Int64(value.into());
    u8: value => Value::Int64(value.into());
    u64: value => i64::try_from(value).map_or_else(|_| Value::Decimal(value.to_string()), Value::Int64);
    usize: value => (value as u64).into_value();
    f64: value => Value::Float64(value);
    f32: value => Value::Float64(value.into());
    Decimal: value => Value::Decimal(value.to_string());
    &Decimal: value => Value::Decimal(value.to_string());
    String: value => Value::Text(value);
    &String: value => Value::Text(value.clone());
    &str: value => Value::Text(value.to_owned());
    Vec<u8>: value => Value::Bytes(value);
    &[u8]: value => Value::Bytes(value.to_owned());
    Uuid: value => Value::Uuid(value);
    Date: value => Value::Date(value.0);
    Time: value => Value::Time(value.0);
    Timestamp: value => Value::Timestamp(value.0);
    Json: value => Value::Json(value.0);
    &Json: value => Value::Json(value.0.clone());
    Column: value => Value::Array(value);
}

impl<const N: usize> IntoValue for &[u8; N] {
    fn into_value(self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

impl<T: ColumnItem> IntoValue for Vec<T> {
    fn into_value(self) -> Value {
        Value::Array(Column::of(self))
    }
}

impl<T: ColumnItem> IntoValue for Vec<Option<T>> {
    fn into_value(self) -> Value {
        Value::Array(Column::nullable(self))
    }
}

impl<T: ColumnItem + Clone> IntoValue for &[T] {
    fn into_value(self) -> Value {
        Value::Array(Column::of(self.iter().cloned()))
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Value {
        self.map_or(Value::Null, T::into_value)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_case() {
        let price: Decimal = "1.50".parse().unwrap();
        let bytes: &[u8] = &[1, 2];
        assert_eq!(
            params![
                true,
                1_i64,
                2_u32,
                0.5,
                &price,
                Some(price.clone()),
                "a",
                Json("{}".into()),
                bytes
            ],
            [
                Value::Boolean(true),
                Value::Int64(1),
                Value::Int64(2),
                Value::Float64(0.5),
                Value::Decimal("1.50".into()),
                Value::Decimal("1.50".into()),
                Value::Text("a".into()),
                Value::Json("{}".into()),
                Value::Bytes(vec![1, 2]),
            ]
        );
        assert_eq!(
            params![None::<Decimal>, Date(1), Time(2)],
            [Value::Null, Value::Date(1), Value::Time(2)]
        );
        assert!(params![].is_empty());
        assert_eq!(
            params![i64::MAX as u64, u64::MAX, 0.1_f32, b"\0", 1_i8],
            [
                Value::Int64(i64::MAX),
                Value::Decimal("18446744073709551615".into()),
                Value::Float64(0.1_f32.into()),
                Value::Bytes(vec![0]),
                Value::Int64(1),
            ]
        );
    }

    #[test]
    fn lists_are_arrays() {
        let symbols = ["AAPL", "IBM"];
        assert_eq!(
            params![
                &symbols[..],
                vec![1_i64],
                vec![None, Some(true)],
                Vec::<String>::new()
            ],
            [
                Value::Array(Column::of(symbols)),
                Value::Array(Column::of([1_i64])),
                Value::Array(Column::nullable([None, Some(true)])),
                Value::Array(Column::of(Vec::<String>::new())),
            ]
        );
    }
}
