//! Times, sizes and hashes as people write them in a settings file.

use std::fmt;
use std::time::Duration;

use anyhow::bail;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Longer than anything is meant to wait, and short enough to be added to any instant.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A time: `"30s"`, `"1h"`, `"500ms"`, or a number of seconds, up to a year; `-1` = never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Option<Duration>);

/// A size: `"64MiB"`, or a number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) u64);

/// A SHA-256, as `sha256sum` prints it: 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sha256(pub(crate) [u8; 32]);

/// Refuses a time of 0 and one without an end.
pub(super) fn must_end(name: &str, time: Option<Time>) -> anyhow::Result<()> {
    match time {
        Some(Time(Some(Duration::ZERO))) => {
            bail!("{name} is 0, which leaves no time at all: give a time such as \"30s\"")
        }
        Some(Time(None)) => bail!("{name} can't be endless: give a time such as \"30s\""),
        _ => Ok(()),
    }
}

/// Refuses a number of 0.
pub(super) fn at_least_one(name: &str, number: Option<u64>) -> anyhow::Result<()> {
    if number == Some(0) {
        bail!("{name} is 0, which allows nothing at all: give 1 or more");
    }
    Ok(())
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TimeVisitor;
        impl Visitor<'_> for TimeVisitor {
            type Value = Time;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a time such as \"30s\", \"500ms\" or \"1h\", or a number of seconds, a year at most")
            }

            fn visit_i64<E: Error>(self, seconds: i64) -> Result<Time, E> {
                match u64::try_from(seconds).map(Duration::from_secs) {
                    Ok(time) if time <= LONGEST => Ok(Time(Some(time))),
                    Err(_) if seconds == -1 => Ok(Time(None)),
                    _ => Err(E::invalid_value(
                        serde::de::Unexpected::Signed(seconds),
                        &self,
                    )),
                }
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
                match humantime::parse_duration(text) {
                    Ok(time) if time <= LONGEST => Ok(Time(Some(time))),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(TimeVisitor)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BytesVisitor;
        impl Visitor<'_> for BytesVisitor {
            type Value = Bytes;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a size such as \"64MiB\", or a number of bytes")
            }

            fn visit_i64<E: Error>(self, bytes: i64) -> Result<Bytes, E> {
                u64::try_from(bytes)
                    .map(Bytes)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(bytes), &self))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Bytes, E> {
                text.parse::<bytesize::ByteSize>()
                    .map(|size| Bytes(size.as_u64()))
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(BytesVisitor)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sha256Visitor;
        impl Visitor<'_> for Sha256Visitor {
            type Value = Sha256;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("64 hexadecimal digits, as sha256sum prints them")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Sha256, E> {
                let refused = || E::invalid_value(serde::de::Unexpected::Str(text), &self);
                // The number's reader alone would take a sign.
                if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err(refused());
                }
                let mut bytes = [0; 32];
                for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
                    let digits = std::str::from_utf8(digits).map_err(|_| refused())?;
                    *byte = u8::from_str_radix(digits, 16).map_err(|_| refused())?;
                }
                Ok(Sha256(bytes))
            }
        }
        deserializer.deserialize_str(Sha256Visitor)
    }
}
