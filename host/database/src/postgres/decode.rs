//! Owns reading PostgreSQL's binary values straight into columns; leaves writing them to `encode`.

use sqlx::TypeInfo;
use sqlx::postgres::{PgTypeInfo, PgTypeKind};

use crate::builder::{Builder, pack, width};
use crate::column::Values;
use crate::value::{Kind, Uuid};

use super::numeric;

/// Days from 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
pub(super) const EPOCH_DAYS: i32 = 10_957;

/// Microseconds from 1970-01-01 to 2000-01-01.
pub(super) const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

/// Domains over domains are followed so deep.
const MAX_DOMAINS: usize = 16;

/// The first number of a type that did not come with the server.
const FIRST_MADE: u32 = 16_384;

/// What a type is to this host.
#[derive(Debug)]
pub(super) enum Shape<'i> {
    /// Its values are read and written in binary.
    Scalar(Wire),
    /// An array of this type: written in binary, asked for as JSON.
    Array(&'i PgTypeInfo),
    /// Asked for as text, not written.
    Other,
}

/// How a type's values lie on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    /// UTF-8 as it is: text and what is sent like it, enums too.
    Text,
    /// PostgreSQL's `"char"`: one byte, and 0 is the empty text.
    Char,
    Bytea,
    Uuid,
    Date,
    Time,
    /// With a time zone or without, both count microseconds from 2000 in UTC.
    Timestamp,
    Json,
    Jsonb,
    Void,
}

impl<'i> Shape<'i> {
    pub(super) fn of(info: &'i PgTypeInfo) -> Self {
        let mut info = info;
        for _ in 0..MAX_DOMAINS {
            if let Some(wire) = info.oid().and_then(|oid| Wire::of_oid(oid.0)) {
                return Self::Scalar(wire);
            }
            // The driver panics on the kind of a type that it could not look up, which it names so.
            if info.name() == "?" {
                return Self::Other;
            }
            match info.kind() {
                PgTypeKind::Enum(_) => return Self::Scalar(Wire::Text),
                PgTypeKind::Domain(base) => info = base,
                PgTypeKind::Array(element) => return Self::Array(element),
                PgTypeKind::Simple if is_citext(info) => return Self::Scalar(Wire::Text),
                _ => return Self::Other,
            }
        }
        Self::Other
    }
}

impl Wire {
    fn of_oid(oid: u32) -> Option<Self> {
        Some(match oid {
            16 => Wire::Bool,
            17 => Wire::Bytea,
            20 => Wire::Int8,
            21 => Wire::Int2,
            23 => Wire::Int4,
            26 => Wire::Oid,
            700 => Wire::Float4,
            701 => Wire::Float8,
            1700 => Wire::Numeric,
            18 => Wire::Char,
            // name, text, xml, unknown, bpchar, varchar
            19 | 25 | 142 | 705 | 1042 | 1043 => Wire::Text,
            2950 => Wire::Uuid,
            1082 => Wire::Date,
            1083 => Wire::Time,
            1114 | 1184 => Wire::Timestamp,
            114 => Wire::Json,
            3802 => Wire::Jsonb,
            2278 => Wire::Void,
            _ => return None,
        })
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Wire::Bool => Kind::Boolean,
            Wire::Int2 | Wire::Int4 | Wire::Int8 | Wire::Oid => Kind::Int64,
            Wire::Float4 | Wire::Float8 => Kind::Float64,
            Wire::Numeric => Kind::Decimal,
            Wire::Text | Wire::Char | Wire::Void => Kind::Text,
            Wire::Bytea => Kind::Bytes,
            Wire::Uuid => Kind::Uuid,
            Wire::Date => Kind::Date,
            Wire::Time => Kind::Time,
            Wire::Timestamp => Kind::Timestamp,
            Wire::Json | Wire::Jsonb => Kind::Json,
        }
    }

    /// Appends one value and tells the bytes it takes. An error says what is wrong with the value.
    pub(super) fn push(self, bytes: &[u8], builder: &mut Builder) -> Result<u64, String> {
        let kind = builder.kind();
        let length = match (self, builder.values()) {
            (Wire::Bool, Values::Boolean(values)) => {
                let [value] = fixed::<1>(bytes)?;
                values.push(value != 0);
                1
            }
            (Wire::Int2, Values::Int64(values)) => {
                values.push(i64::from(i16::from_be_bytes(fixed(bytes)?)));
                8
            }
            (Wire::Int4, Values::Int64(values)) => {
                values.push(i64::from(i32::from_be_bytes(fixed(bytes)?)));
                8
            }
            (Wire::Int8, Values::Int64(values)) => {
                values.push(i64::from_be_bytes(fixed(bytes)?));
                8
            }
            (Wire::Oid, Values::Int64(values)) => {
                values.push(i64::from(u32::from_be_bytes(fixed(bytes)?)));
                8
            }
            (Wire::Float4, Values::Float64(values)) => {
                values.push(f64::from(f32::from_be_bytes(fixed(bytes)?)));
                8
            }
            (Wire::Float8, Values::Float64(values)) => {
                values.push(f64::from_be_bytes(fixed(bytes)?));
                8
            }
            (Wire::Numeric, Values::Decimal(packed)) => {
                let start = packed.data.len();
                numeric::decode(bytes, &mut packed.data)?;
                pack(packed, &[])?;
                packed.data.len() - start
            }
            (Wire::Text, Values::Text(packed)) | (Wire::Json, Values::Json(packed)) => {
                pack(packed, utf8(bytes)?)?;
                bytes.len()
            }
            (Wire::Char, Values::Text(packed)) => {
                let text = match fixed::<1>(bytes)? {
                    [0] => &[],
                    [1..=0x7f] => bytes,
                    [byte] => {
                        return Err(format!("it is the byte {byte:#04x}, which is no letter"));
                    }
                };
                pack(packed, text)?;
                text.len()
            }
            (Wire::Jsonb, Values::Json(packed)) => {
                let Some((1, json)) = bytes.split_first() else {
                    return Err("the jsonb is of an unknown version".to_owned());
                };
                pack(packed, utf8(json)?)?;
                json.len()
            }
            (Wire::Bytea, Values::Bytes(packed)) => {
                pack(packed, bytes)?;
                bytes.len()
            }
            (Wire::Uuid, Values::Uuid(values)) => {
                values.push(Uuid::from_bytes(fixed(bytes)?));
                16
            }
            (Wire::Date, Values::Date(values)) => {
                values.push(match i32::from_be_bytes(fixed(bytes)?) {
                    infinite @ (i32::MAX | i32::MIN) => infinite,
                    days => days
                        .checked_add(EPOCH_DAYS)
                        .ok_or("the date is too far away")?,
                });
                4
            }
            (Wire::Time, Values::Time(values)) => {
                values.push(i64::from_be_bytes(fixed(bytes)?));
                8
            }
            (Wire::Timestamp, Values::Timestamp(values)) => {
                values.push(match i64::from_be_bytes(fixed(bytes)?) {
                    infinite @ (i64::MAX | i64::MIN) => infinite,
                    microseconds => microseconds
                        .checked_add(EPOCH_MICROSECONDS)
                        .filter(|microseconds| *microseconds != i64::MAX)
                        .ok_or("the timestamp is too far away to be counted in microseconds from 1970: cast it to text")?,
                });
                8
            }
            _ => {
                return Err(format!(
                    "its type changed under the statement, it is no {kind} any more"
                ));
            }
        };
        builder.pushed();
        Ok(width(kind, length))
    }
}

/// The type's name as PostgreSQL has it: its own in small letters, another's as it was made.
pub(super) fn type_name(info: &PgTypeInfo) -> String {
    match info.oid() {
        // The driver knows it by number only.
        Some(oid) if info.name() == "?" => format!("oid {}", oid.0),
        Some(oid) if oid.0 == 142 => "xml".to_owned(),
        Some(oid) if oid.0 >= FIRST_MADE => info.name().to_owned(),
        _ => match info.name() {
            "CHAR" => "bpchar".to_owned(),
            "CHAR[]" => "bpchar[]".to_owned(),
            name => name.replace('"', "").to_ascii_lowercase(),
        },
    }
}

fn is_citext(info: &PgTypeInfo) -> bool {
    info.name()
        .rsplit('.')
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case("citext"))
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], String> {
    <[u8; N]>::try_from(bytes)
        .map_err(|_| format!("it has {} bytes where {N} are due", bytes.len()))
}

fn utf8(bytes: &[u8]) -> Result<&[u8], String> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.as_bytes()),
        Err(_) => Err("it is not UTF-8".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bytes_panic() {
        let wires = [
            Wire::Bool,
            Wire::Int2,
            Wire::Int4,
            Wire::Int8,
            Wire::Oid,
            Wire::Float4,
            Wire::Float8,
            Wire::Numeric,
            Wire::Text,
            Wire::Char,
            Wire::Bytea,
            Wire::Uuid,
            Wire::Date,
            Wire::Time,
            Wire::Timestamp,
            Wire::Json,
            Wire::Jsonb,
            Wire::Void,
        ];
        for wire in wires {
            for length in 0..20 {
                for fill in [0_u8, 1, 0x7f, 0x80, 0xff] {
                    let mut builder = Builder::new(wire.kind());
                    let _ = wire.push(&vec![fill; length], &mut builder);
                }
            }
        }
    }

    #[test]
    fn the_ends_of_time() {
        let mut builder = Builder::new(Kind::Timestamp);
        Wire::Timestamp
            .push(&i64::MAX.to_be_bytes(), &mut builder)
            .unwrap();
        Wire::Timestamp
            .push(&i64::MIN.to_be_bytes(), &mut builder)
            .unwrap();
        assert!(
            Wire::Timestamp
                .push(&(i64::MAX - 1).to_be_bytes(), &mut builder)
                .is_err()
        );
        assert_eq!(
            builder.finish().values,
            Values::Timestamp(vec![i64::MAX, i64::MIN])
        );
    }
}
