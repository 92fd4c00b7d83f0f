//! Owns the kinds and the single values of the contract; leaves columns to `column`.

use crate::column::Column;

/// One parameter. It is bound to the type that the server gives the placeholder, exactly or not at all.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value; fits every type.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Int64(i64),
    /// A binary floating-point number.
    Float64(f64),
    /// An exact decimal: optional `-`, digits, optional `.` and digits; or `NaN`, `Infinity`, `-Infinity`
    /// (PostgreSQL only). Never an exponent.
    Decimal(String),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// 128 bits.
    Uuid(Uuid),
    /// Days since 1970-01-01; the largest and smallest i32 are PostgreSQL's `infinity` and `-infinity`.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970-01-01T00:00:00Z; the largest and smallest i64 are PostgreSQL's `infinity` and
    /// `-infinity`.
    Timestamp(i64),
    /// One JSON text.
    Json(String),
    /// PostgreSQL only: an array of one dimension, each element bound as a single value is.
    Array(Column),
}

/// What a column holds, and what a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `bool`.
    Boolean,
    /// `i64`.
    Int64,
    /// `f64`.
    Float64,
    /// Decimal text.
    Decimal,
    /// UTF-8.
    Text,
    /// Bytes.
    Bytes,
    /// 128 bits.
    Uuid,
    /// Days since 1970-01-01.
    Date,
    /// Microseconds since midnight.
    Time,
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// JSON text.
    Json,
}

/// 128 bits, most significant half first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uuid {
    /// Bits 127 to 64.
    pub high: u64,
    /// Bits 63 to 0.
    pub low: u64,
}

impl Uuid {
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        let all = u128::from_be_bytes(bytes);
        Self {
            high: (all >> 64) as u64,
            low: all as u64,
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; 16] {
        ((u128::from(self.high) << 64) | u128::from(self.low)).to_be_bytes()
    }

    /// Reads 32 hexadecimal digits, with hyphens at the usual places or with none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let hyphens: &[usize] = match text.len() {
            36 => &[8, 13, 18, 23],
            32 => &[],
            _ => return None,
        };
        let mut all: u128 = 0;
        for (at, byte) in text.bytes().enumerate() {
            if hyphens.contains(&at) {
                if byte != b'-' {
                    return None;
                }
                continue;
            }
            all = (all << 4) | u128::from(char::from(byte).to_digit(16)?);
        }
        Some(Self {
            high: (all >> 64) as u64,
            low: all as u64,
        })
    }
}

impl std::fmt::Display for Uuid {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (high, low) = (self.high, self.low);
        write!(
            formatter,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Kind::Boolean => "boolean",
            Kind::Int64 => "int64",
            Kind::Float64 => "float64",
            Kind::Decimal => "decimal",
            Kind::Text => "text",
            Kind::Bytes => "bytes",
            Kind::Uuid => "uuid",
            Kind::Date => "date",
            Kind::Time => "time",
            Kind::Timestamp => "timestamp",
            Kind::Json => "json",
        })
    }
}

impl Value {
    /// The name of its kind as people write it in messages.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Boolean(_) => "boolean",
            Value::Int64(_) => "int64",
            Value::Float64(_) => "float64",
            Value::Decimal(_) => "decimal",
            Value::Text(_) => "text",
            Value::Bytes(_) => "bytes",
            Value::Uuid(_) => "uuid",
            Value::Date(_) => "date",
            Value::Time(_) => "time",
            Value::Timestamp(_) => "timestamp",
            Value::Json(_) => "json",
            Value::Array(_) => "array",
        }
    }
}

/// Whether the text is a decimal as the contract writes it: `-`? digits (`.` digits)?, never an exponent.
pub(crate) fn is_plain_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned
        .split_once('.')
        .map_or((unsigned, None), |(whole, fraction)| {
            (whole, Some(fraction))
        });
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && fraction.is_none_or(digits)
}

/// Whether the text is one JSON text.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_reads_back_what_it_writes() {
        let uuid = Uuid {
            high: 0x0123_4567_89ab_cdef,
            low: 0xfedc_ba98_7654_3210,
        };
        assert_eq!(uuid.to_string(), "01234567-89ab-cdef-fedc-ba9876543210");
        assert_eq!(Uuid::parse(&uuid.to_string()), Some(uuid));
        assert_eq!(Uuid::parse("0123456789abcdeffedcba9876543210"), Some(uuid));
        assert_eq!(Uuid::from_bytes(uuid.to_bytes()), uuid);
        for bad in [
            "",
            "01234567-89ab-cdef-fedc-ba987654321",
            "01234567x89ab-cdef-fedc-ba9876543210",
            "g1234567-89ab-cdef-fedc-ba9876543210",
            "ééééééééééééééééé",
        ] {
            assert_eq!(Uuid::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn plain_decimals() {
        for good in ["0", "-0", "1.50", "-12345678901234567890123456789.123"] {
            assert!(is_plain_decimal(good), "{good}");
        }
        for bad in [
            "", "-", ".", "1.", ".5", "+1", "1e5", "1 ", "NaN", "--1", "1.2.3", "١",
        ] {
            assert!(!is_plain_decimal(bad), "{bad}");
        }
    }

    #[test]
    fn json_texts() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for good in [
            "null",
            " [1, -0.5e+3, \"\\ud800\"] ",
            "{\"a\": {}, \"a\": 123456789012345678901234567890.10}",
            &deep,
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in [
            "", " ", "nul", "[1,]", "{a: 1}", "'a'", "01", "NaN", "1 2", "\"\n\"",
        ] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
