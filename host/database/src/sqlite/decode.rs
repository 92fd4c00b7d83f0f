//! Owns reading SQLite's values into columns by the type their column was declared with, or by the first value.

use jiff::civil;
use sqlx::sqlite::SqliteValueRef;
use sqlx::{Decode, TypeInfo, ValueRef};

use crate::builder::{Builder, pack, width};
use crate::column::Values;
use crate::value::{Kind, Uuid, is_json, is_plain_decimal};

/// The kind that a declared type has; none where the values decide.
pub(super) fn declared_kind(declared: &str) -> Option<Kind> {
    let upper = declared.to_ascii_uppercase();
    let name = upper.split('(').next().unwrap_or("").trim();
    Some(match name {
        "BOOLEAN" | "BOOL" => Kind::Boolean,
        "DECIMAL_TEXT" => Kind::Decimal,
        "UUID_TEXT" => Kind::Uuid,
        "JSON_TEXT" | "JSON" => Kind::Json,
        "DATE" => Kind::Date,
        "TIME" => Kind::Time,
        "TIMESTAMP"
        | "DATETIME"
        | "TIMESTAMPTZ"
        | "TIMESTAMP WITH TIME ZONE"
        | "TIMESTAMP WITHOUT TIME ZONE" => Kind::Timestamp,
        "BLOB" | "BYTEA" => Kind::Bytes,
        // A plain DECIMAL holds integers, floats and text, as it comes.
        "" | "DECIMAL" | "NUMERIC" | "ANY" => return None,
        // The rest by SQLite's own rules of affinity.
        name if name.contains("INT") => Kind::Int64,
        name if name.contains("CHAR") || name.contains("CLOB") || name.contains("TEXT") => {
            Kind::Text
        }
        name if name.contains("BLOB") => Kind::Bytes,
        name if name.contains("REAL") || name.contains("FLOA") || name.contains("DOUB") => {
            Kind::Float64
        }
        _ => return None,
    })
}

/// One column of an answer while its rows arrive.
#[derive(Debug)]
pub(super) enum Reader {
    /// Nothing but nulls so far, and no declared kind.
    Undecided,
    /// The declared type decides: a value that contradicts it is refused.
    Declared(Builder),
    /// The first value decided.
    Decided(Builder),
}

/// A value in one of SQLite's storage classes.
#[derive(Clone, Copy, Debug)]
enum Stored<'r> {
    Integer(i64),
    Real(f64),
    Text(&'r str),
    Blob(&'r [u8]),
}

impl Reader {
    pub(super) fn new(kind: Option<Kind>) -> Self {
        kind.map_or(Self::Undecided, |kind| Self::Declared(Builder::new(kind)))
    }

    /// Appends the value of row `row` and tells the bytes it takes. An error says what is wrong with the value.
    pub(super) fn push(&mut self, value: SqliteValueRef<'_>, row: u32) -> Result<u64, String> {
        let Some(stored) = stored(value)? else {
            return Ok(match self {
                Self::Undecided => 1,
                Self::Declared(builder) | Self::Decided(builder) => {
                    builder.null();
                    width(builder.kind(), 0)
                }
            });
        };
        if let Self::Undecided = self {
            *self = Self::Decided(Builder::with_nulls(stored.kind(), row));
        }
        match self {
            Self::Declared(builder) => declared(stored, builder),
            Self::Decided(builder) => decided(stored, builder),
            Self::Undecided => Ok(0),
        }
    }

    pub(super) fn finish(self, rows: u32) -> Builder {
        match self {
            Self::Undecided => Builder::with_nulls(Kind::Text, rows),
            Self::Declared(builder) | Self::Decided(builder) => builder,
        }
    }
}

impl Stored<'_> {
    /// A few characters of it, for a message.
    fn shown(self) -> String {
        match self {
            Stored::Integer(value) => format!("the integer {value}"),
            Stored::Real(value) => format!("the float {value}"),
            Stored::Text(text) => {
                format!("the text {:?}", text.chars().take(40).collect::<String>())
            }
            Stored::Blob(bytes) => format!("a blob of {} bytes", bytes.len()),
        }
    }

    fn kind(self) -> Kind {
        match self {
            Stored::Integer(_) => Kind::Int64,
            Stored::Real(_) => Kind::Float64,
            Stored::Text(_) => Kind::Text,
            Stored::Blob(_) => Kind::Bytes,
        }
    }
}

fn stored(value: SqliteValueRef<'_>) -> Result<Option<Stored<'_>>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let words = |error: sqlx::error::BoxDynError| error.to_string();
    let info = value.type_info().into_owned();
    Ok(Some(match info.name() {
        "INTEGER" => Stored::Integer(Decode::<sqlx::Sqlite>::decode(value).map_err(words)?),
        "REAL" => Stored::Real(Decode::<sqlx::Sqlite>::decode(value).map_err(words)?),
        "TEXT" => Stored::Text(
            Decode::<sqlx::Sqlite>::decode(value).map_err(|_| "it is not UTF-8".to_owned())?,
        ),
        "BLOB" => Stored::Blob(Decode::<sqlx::Sqlite>::decode(value).map_err(words)?),
        other => return Err(format!("its storage class is {other}")),
    }))
}

fn declared(stored: Stored<'_>, builder: &mut Builder) -> Result<u64, String> {
    let kind = builder.kind();
    let wrong = || format!("it is declared as {kind} and holds {}", stored.shown());
    let length = match (stored, builder.values()) {
        (Stored::Integer(value @ (0 | 1)), Values::Boolean(values)) => {
            values.push(value == 1);
            1
        }
        (Stored::Integer(value), Values::Int64(values)) => {
            values.push(value);
            8
        }
        (Stored::Real(value), Values::Float64(values)) => {
            values.push(value);
            8
        }
        // REAL affinity stores whole numbers as integers only in indexes; a view or a STRICT-less table may show one.
        (Stored::Integer(value), Values::Float64(values)) => {
            values.push(exact(value).ok_or_else(wrong)?);
            8
        }
        (Stored::Text(text), Values::Text(packed)) => {
            pack(packed, text.as_bytes())?;
            text.len()
        }
        (Stored::Text(text), Values::Json(packed)) if is_json(text) => {
            pack(packed, text.as_bytes())?;
            text.len()
        }
        (Stored::Text(text), Values::Decimal(packed)) if is_plain_decimal(text) => {
            pack(packed, text.as_bytes())?;
            text.len()
        }
        (Stored::Blob(bytes), Values::Bytes(packed)) => {
            pack(packed, bytes)?;
            bytes.len()
        }
        (Stored::Text(text), Values::Uuid(values)) => {
            values.push(Uuid::parse(text).ok_or_else(wrong)?);
            16
        }
        (Stored::Text(text), Values::Date(values)) => {
            values.push(date(text).ok_or_else(wrong)?);
            4
        }
        (Stored::Text(text), Values::Time(values)) => {
            values.push(time(text).ok_or_else(wrong)?);
            8
        }
        (Stored::Text(text), Values::Timestamp(values)) => {
            values.push(timestamp(text).ok_or_else(wrong)?);
            8
        }
        _ => return Err(wrong()),
    };
    builder.pushed();
    Ok(width(kind, length))
}

/// A column that was declared as nothing: whole numbers become floats where that is exact, everything else stays what
/// the first value was.
fn decided(stored: Stored<'_>, builder: &mut Builder) -> Result<u64, String> {
    let kind = builder.kind();
    let mixed = || {
        format!(
            "its first value is {kind} and another is {}: cast it, for example CAST(… AS TEXT)",
            stored.shown()
        )
    };
    if let (Stored::Real(_), Values::Int64(values)) = (stored, builder.values()) {
        let floats = values
            .iter()
            .map(|value| exact(*value))
            .collect::<Option<Vec<f64>>>()
            .ok_or_else(mixed)?;
        builder.replace(Values::Float64(floats));
    }
    let length = match (stored, builder.values()) {
        (Stored::Integer(value), Values::Int64(values)) => {
            values.push(value);
            8
        }
        (Stored::Integer(value), Values::Float64(values)) => {
            values.push(exact(value).ok_or_else(mixed)?);
            8
        }
        (Stored::Real(value), Values::Float64(values)) => {
            values.push(value);
            8
        }
        (Stored::Text(text), Values::Text(packed)) => {
            pack(packed, text.as_bytes())?;
            text.len()
        }
        (Stored::Blob(bytes), Values::Bytes(packed)) => {
            pack(packed, bytes)?;
            bytes.len()
        }
        _ => return Err(mixed()),
    };
    builder.pushed();
    Ok(width(kind, length))
}

/// The float, where it is the same number.
fn exact(value: i64) -> Option<f64> {
    let float = value as f64;
    (float as i128 == i128::from(value)).then_some(float)
}

fn date(text: &str) -> Option<i32> {
    let date: civil::Date = text.parse().ok().filter(|_| text.len() == 10)?;
    Some((date - civil::date(1970, 1, 1)).get_days())
}

/// `HH:MM`, `HH:MM:SS` and a fraction of at most six digits that count; 24:00:00 is the end of the day.
fn time(text: &str) -> Option<i64> {
    if text.strip_prefix("24:00:00").is_some_and(|rest| {
        rest.trim_start_matches('.')
            .bytes()
            .all(|digit| digit == b'0')
    }) {
        return Some(86_400_000_000);
    }
    let time: civil::Time = text
        .parse()
        .ok()
        .filter(|_| text.as_bytes().get(2) == Some(&b':'))?;
    microseconds(
        i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second()),
        time.subsec_nanosecond(),
    )
}

/// `YYYY-MM-DD`, `T` or a space, a time, and `Z`, an offset or nothing, which is UTC.
fn timestamp(text: &str) -> Option<i64> {
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        let nanoseconds = timestamp.as_nanosecond();
        return (nanoseconds % 1_000 == 0)
            .then(|| i64::try_from(nanoseconds / 1_000).ok())
            .flatten();
    }
    let (day, rest) = text.split_at_checked(10)?;
    let days = i64::from(date(day)?);
    let within = match rest.split_at_checked(1) {
        None => 0,
        Some(("T" | "t" | " ", rest)) => time(rest.trim_end_matches(['Z', 'z']))?,
        Some(_) => return None,
    };
    days.checked_mul(86_400_000_000)?.checked_add(within)
}

/// What is finer than a microsecond would be lost, so it is refused.
fn microseconds(seconds: i64, nanoseconds: i32) -> Option<i64> {
    (nanoseconds % 1_000 == 0).then(|| seconds * 1_000_000 + i64::from(nanoseconds) / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, expected) in [
            ("1970-01-01T00:00:00.000000Z", Some(0)),
            ("1970-01-01 00:00:01", Some(1_000_000)),
            ("1970-01-01", Some(0)),
            ("1970-01-01T01:00:00+01:00", Some(0)),
            ("1970-01-01 00:00:00.5-00:30", Some(1_800_500_000)),
            ("1969-12-31T23:59:59.999999Z", Some(-1)),
            ("0000-01-01T00:00:00.000000Z", Some(-62_167_219_200_000_000)),
            ("9999-12-31T23:59:59.999999Z", Some(253_402_300_799_999_999)),
            ("1970-01-01T00:00:00.0000001Z", None),
            ("yesterday", None),
            ("", None),
            ("1970-13-01T00:00:00Z", None),
        ] {
            assert_eq!(timestamp(text), expected, "{text}");
        }
        for (text, expected) in [
            ("23:59:59.999999", Some(86_399_999_999)),
            ("00:00", Some(0)),
            ("24:00:00.000000", Some(86_400_000_000)),
            ("24:00:01", None),
            ("1:2:3", None),
            ("x", None),
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
        for (text, expected) in [
            ("1970-01-02", Some(1)),
            ("0000-01-01", Some(-719_528)),
            ("9999-12-31", Some(2_932_896)),
            ("1970-1-1", None),
            ("1970-01-01T00:00", None),
        ] {
            assert_eq!(date(text), expected, "{text}");
        }
    }

    #[test]
    fn declared_types() {
        for (declared, kind) in [
            ("INTEGER", Some(Kind::Int64)),
            ("bigint", Some(Kind::Int64)),
            ("INT UNSIGNED", Some(Kind::Int64)),
            ("REAL", Some(Kind::Float64)),
            ("DOUBLE PRECISION", Some(Kind::Float64)),
            ("FLOAT", Some(Kind::Float64)),
            ("BOOLEAN", Some(Kind::Boolean)),
            ("DECIMAL_TEXT", Some(Kind::Decimal)),
            ("UUID_TEXT", Some(Kind::Uuid)),
            ("JSON_TEXT", Some(Kind::Json)),
            ("DATE", Some(Kind::Date)),
            ("TIME", Some(Kind::Time)),
            ("TIMESTAMP", Some(Kind::Timestamp)),
            ("datetime", Some(Kind::Timestamp)),
            ("VARCHAR(20)", Some(Kind::Text)),
            ("TEXT", Some(Kind::Text)),
            ("CLOB", Some(Kind::Text)),
            ("BLOB", Some(Kind::Bytes)),
            ("DECIMAL(20,2)", None),
            ("NUMERIC", None),
            ("", None),
            ("WHATEVER", None),
        ] {
            assert_eq!(declared_kind(declared), kind, "{declared}");
        }
    }
}
