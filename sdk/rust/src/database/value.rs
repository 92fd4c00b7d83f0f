//! Rust values as statement parameters; how the database takes them, the host decides.

use std::fmt;

use crate::database::{Decimal, Uuid, Value};

/// Microseconds since 1970-01-01T00:00:00Z, negative before it, always UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// Days since 1970-01-01 in the proleptic Gregorian calendar, negative before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub i32);

/// Microseconds since midnight, without a time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// One JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Json(pub String);

impl Uuid {
    /// The 128 bits of a UUID.
    pub const fn from_u128(bits: u128) -> Self {
        Self {
            high: (bits >> 64) as u64,
            low: bits as u64,
        }
    }

    /// The UUID's 128 bits.
    pub const fn as_u128(self) -> u128 {
        (self.high as u128) << 64 | self.low as u128
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            self.high >> 32,
            self.high >> 16 & 0xffff,
            self.high & 0xffff,
            self.low >> 48,
            self.low & 0xffff_ffff_ffff
        )
    }
}

/// What can be a parameter. `None` is NULL.
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
    u32: value => Value::Int64(value.into());
    f64: value => Value::Float64(value);
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
    }

    #[test]
    fn uuids_print_in_groups() {
        let uuid = Uuid::from_u128(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
        assert_eq!(uuid.to_string(), "01234567-89ab-cdef-0011-223344556677");
        assert_eq!(Uuid::from_u128(uuid.as_u128()), uuid);
    }
}
