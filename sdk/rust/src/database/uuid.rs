//! UUIDs as texts and as numbers; making new ones is the database's or the caller's business.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::database::Uuid;

/// ```
/// use poolhouse::database::Uuid;
///
/// let id: Uuid = "01234567-89ab-cdef-0011-223344556677".parse()?;
/// assert_eq!(id, Uuid::from_u128(0x0123_4567_89ab_cdef_0011_2233_4455_6677));
/// assert_eq!(id.to_string(), "01234567-89ab-cdef-0011-223344556677");
/// # Ok::<(), poolhouse::database::ParseUuidError>(())
/// ```
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

/// Of all bits 0.
impl Default for Uuid {
    fn default() -> Self {
        Self::from_u128(0)
    }
}

impl Eq for Uuid {}

impl Hash for Uuid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_u128().hash(state);
    }
}

/// In the order of the texts.
impl Ord for Uuid {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_u128().cmp(&other.as_u128())
    }
}

impl PartialOrd for Uuid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
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

/// The text is not 32 hexadecimal digits, with hyphens between groups of 8, 4, 4, 4 and 12 or without any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseUuidError;

impl fmt::Display for ParseUuidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a UUID: 32 hexadecimal digits, with hyphens as in 01234567-89ab-cdef-0011-223344556677 or without any")
    }
}

impl std::error::Error for ParseUuidError {}

/// Where the hyphens are in the 36 characters.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

impl FromStr for Uuid {
    type Err = ParseUuidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hyphens = match text.len() {
            36 => &HYPHENS[..],
            32 => &[],
            _ => return Err(ParseUuidError),
        };
        let mut bits = 0;
        for (index, byte) in text.bytes().enumerate() {
            if hyphens.contains(&index) {
                if byte != b'-' {
                    return Err(ParseUuidError);
                }
                continue;
            }
            let digit = char::from(byte).to_digit(16).ok_or(ParseUuidError)?;
            bits = bits << 4 | u128::from(digit);
        }
        Ok(Self::from_u128(bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BITS: u128 = 0x0123_4567_89ab_cdef_0011_2233_4455_6677;

    #[test]
    fn uuids_print_in_groups_and_are_read_back() {
        let uuid = Uuid::from_u128(BITS);
        assert_eq!(uuid.to_string(), "01234567-89ab-cdef-0011-223344556677");
        assert_eq!(Uuid::from_u128(uuid.as_u128()), uuid);
        for text in [
            "01234567-89ab-cdef-0011-223344556677",
            "01234567-89AB-CDEF-0011-223344556677",
            "0123456789abcdef0011223344556677",
        ] {
            assert_eq!(text.parse(), Ok(uuid), "{text}");
        }
        assert_eq!(Uuid::default().to_string().parse(), Ok(Uuid::default()));
        assert!(Uuid::from_u128(1 << 64) > Uuid::from_u128(u64::MAX.into()));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "0123456789abcdef001122334455667",
            "01234567-89ab-cdef-0011-22334455667",
            "0123456-789ab-cdef-0011-223344556677",
            "01234567-89ab-cdef-0011-22334455667g",
            "{123456789abcdef001122334455667}",
            "012345678-9ab-cdef-0011-223344556677",
            "ä1234567-89ab-cdef-0011-22334455667",
        ] {
            assert_eq!(text.parse::<Uuid>(), Err(ParseUuidError), "{text}");
        }
    }
}
