//! Owns writing parameters, arrays too, in the binary form of the type that the server gives each placeholder, exactly or
//! not at all.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo};
use sqlx::{Arguments, Encode, Postgres, Type};

use crate::column::Column;
use crate::error::Error;
use crate::value::Value;

use super::array;
use super::decode::{EPOCH_DAYS, EPOCH_MICROSECONDS, Shape, Wire, type_name};
use super::numeric;

/// Writes all parameters of one statement.
pub(super) fn arguments(values: &[Value], types: &[PgTypeInfo]) -> Result<PgArguments, Error> {
    if values.len() != types.len() {
        return Err(Error::invalid(format!(
            "the statement takes {} parameters and was given {}",
            types.len(),
            values.len()
        )));
    }
    let mut arguments = PgArguments::default();
    for (at, (value, info)) in values.iter().zip(types).enumerate() {
        let bytes = encode(value, info).map_err(|reason| {
            Error::invalid(
                format!("parameter ${}: {reason}", at + 1).replace("$N", &format!("${}", at + 1)),
            )
        })?;
        arguments
            .add(Bound {
                bytes,
                info: info.clone(),
            })
            .map_err(|error| Error::invalid(format!("parameter ${}: {error}", at + 1)))?;
    }
    Ok(arguments)
}

/// Bytes that are of the server's own type.
struct Bound {
    bytes: Option<Vec<u8>>,
    info: PgTypeInfo,
}

impl Type<Postgres> for Bound {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("unknown")
    }

    fn compatible(_: &PgTypeInfo) -> bool {
        true
    }
}

impl Encode<'_, Postgres> for Bound {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(match &self.bytes {
            None => IsNull::Yes,
            Some(bytes) => {
                buffer.extend_from_slice(bytes);
                IsNull::No
            }
        })
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.info.clone())
    }
}

fn encode(value: &Value, info: &PgTypeInfo) -> Result<Option<Vec<u8>>, String> {
    match (value, Shape::of(info)) {
        (Value::Null, _) => Ok(None),
        (Value::Array(column), Shape::Array(element)) => {
            array::encode(column, element, info).map(Some)
        }
        (_, Shape::Scalar(wire)) => scalar(value, wire, info).map(Some),
        (_, Shape::Array(_)) => Err(mismatch(value, info)),
        // The server reads text as any type, where it is told to.
        (_, Shape::Other) => Err(format!(
            "the database wants {0}, which is given as its text: write $N::text::{0} in the SQL",
            type_name(info)
        )),
    }
}

/// One value of the server's type.
pub(super) fn scalar(value: &Value, wire: Wire, info: &PgTypeInfo) -> Result<Vec<u8>, String> {
    Ok(match (value, wire) {
        (Value::Boolean(value), Wire::Bool) => vec![u8::from(*value)],
        (Value::Int64(value), _) => integer(*value, wire, info)?,
        (Value::Float64(value), _) => float(*value, wire, info)?,
        (Value::Decimal(text), Wire::Numeric) => numeric::encode(text)?,
        (Value::Text(text), Wire::Text) => plain(text)?,
        (Value::Text(text), Wire::Char) => match text.as_bytes() {
            [] => vec![0],
            [byte @ 1..=0x7f] => vec![*byte],
            _ => {
                return Err(format!(
                    "{text:?} is not one ASCII letter, which the type {} is",
                    type_name(info)
                ));
            }
        },
        (Value::Text(text) | Value::Json(text), Wire::Json) => plain(text)?,
        (Value::Text(text) | Value::Json(text), Wire::Jsonb) => {
            let mut bytes = vec![1];
            bytes.extend_from_slice(text.as_bytes());
            bytes
        }
        (Value::Bytes(bytes), Wire::Bytea) => bytes.clone(),
        (Value::Uuid(uuid), Wire::Uuid) => uuid.to_bytes().to_vec(),
        (Value::Date(days), Wire::Date) => match *days {
            infinite @ (i32::MAX | i32::MIN) => infinite,
            days => days
                .checked_sub(EPOCH_DAYS)
                .filter(|shifted| *shifted != i32::MIN)
                .ok_or("the date is too far away")?,
        }
        .to_be_bytes()
        .to_vec(),
        (Value::Time(microseconds), Wire::Time) => {
            if !(0..=86_400_000_000).contains(microseconds) {
                return Err(format!(
                    "{microseconds} is not a time: it is 0 to 86,400,000,000 microseconds since midnight"
                ));
            }
            microseconds.to_be_bytes().to_vec()
        }
        (Value::Timestamp(microseconds), Wire::Timestamp) => match *microseconds {
            infinite @ (i64::MAX | i64::MIN) => infinite,
            microseconds => microseconds
                .checked_sub(EPOCH_MICROSECONDS)
                .filter(|shifted| *shifted != i64::MIN)
                .ok_or("the timestamp is too far away")?,
        }
        .to_be_bytes()
        .to_vec(),
        _ => return Err(mismatch(value, info)),
    })
}

fn integer(value: i64, wire: Wire, info: &PgTypeInfo) -> Result<Vec<u8>, String> {
    let range = |_| format!("{value} does not fit the type {}", type_name(info));
    let exact = || {
        format!(
            "{value} is not exact as {}: pass a float64 or cast the placeholder",
            type_name(info)
        )
    };
    Ok(match wire {
        Wire::Int2 => i16::try_from(value).map_err(range)?.to_be_bytes().to_vec(),
        Wire::Int4 => i32::try_from(value).map_err(range)?.to_be_bytes().to_vec(),
        Wire::Int8 => value.to_be_bytes().to_vec(),
        Wire::Oid => u32::try_from(value).map_err(range)?.to_be_bytes().to_vec(),
        Wire::Float4 => {
            let float = value as f32;
            if float as i128 != i128::from(value) {
                return Err(exact());
            }
            float.to_be_bytes().to_vec()
        }
        Wire::Float8 => {
            let float = value as f64;
            if float as i128 != i128::from(value) {
                return Err(exact());
            }
            float.to_be_bytes().to_vec()
        }
        Wire::Numeric => numeric::encode(&value.to_string())?,
        _ => return Err(mismatch(&Value::Int64(value), info)),
    })
}

fn float(value: f64, wire: Wire, info: &PgTypeInfo) -> Result<Vec<u8>, String> {
    Ok(match wire {
        Wire::Float8 => value.to_be_bytes().to_vec(),
        Wire::Float4 => {
            let narrow = value as f32;
            if f64::from(narrow) != value && !value.is_nan() {
                return Err(format!("{value} is not exact as float4: write $N::float8"));
            }
            narrow.to_be_bytes().to_vec()
        }
        // Rust writes the shortest digits that read back as the same float, never with an exponent.
        Wire::Numeric if value.is_nan() => numeric::encode("NaN")?,
        Wire::Numeric if value.is_infinite() => {
            numeric::encode(if value > 0.0 { "Infinity" } else { "-Infinity" })?
        }
        Wire::Numeric => numeric::encode(&format!("{value}"))?,
        _ => return Err(mismatch(&Value::Float64(value), info)),
    })
}

/// Text as the server takes it; it refuses NUL, and says less.
fn plain(text: &str) -> Result<Vec<u8>, String> {
    if text.contains('\0') {
        return Err("PostgreSQL has no NUL character in text: pass bytes".to_owned());
    }
    Ok(text.as_bytes().to_vec())
}

fn array_mismatch(column: &Column, info: &PgTypeInfo) -> String {
    format!(
        "the database wants {} and was given an array of {}: pass one value, or write $N::text[] or the like in the SQL",
        type_name(info),
        column.values.kind()
    )
}

fn mismatch(value: &Value, info: &PgTypeInfo) -> String {
    let cast = match value {
        Value::Boolean(_) => "boolean",
        Value::Int64(_) => "bigint",
        Value::Float64(_) => "float8",
        Value::Decimal(_) => "numeric",
        Value::Text(_) => "text",
        Value::Bytes(_) => "bytea",
        Value::Uuid(_) => "uuid",
        Value::Date(_) => "date",
        Value::Time(_) => "time",
        Value::Timestamp(_) => "timestamptz",
        Value::Json(_) => "jsonb",
        Value::Null => "text",
        Value::Array(column) => return array_mismatch(column, info),
    };
    format!(
        "the database wants {} and was given {}: pass that kind, or write $N::{cast} in the SQL",
        type_name(info),
        value.kind_name()
    )
}
