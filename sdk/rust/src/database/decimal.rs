//! Exact decimal numbers in the contract's text form; nothing here rounds.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};
use std::str::FromStr;

use bigdecimal::num_bigint::Sign;
use bigdecimal::{BigDecimal, Zero};

/// An exact decimal number. Its scale is kept: `1.50` prints as `1.50`, though it equals `1.5`.
///
/// ```
/// use poolhouse::database::Decimal;
///
/// let price: Decimal = "101.10".parse()?;
/// assert_eq!((price * Decimal::from(3)).to_string(), "303.30");
/// # Ok::<(), poolhouse::database::ParseDecimalError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(BigDecimal);

impl Decimal {
    /// `digits` × 10^-`scale`.
    pub fn scaled(digits: i128, scale: u32) -> Self {
        Self(BigDecimal::new(digits.into(), scale.into()))
    }

    /// Whether it is 0.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// Whether it is above 0.
    pub fn is_positive(&self) -> bool {
        self.0.sign() == Sign::Plus
    }

    /// Whether it is below 0.
    pub fn is_negative(&self) -> bool {
        self.0.sign() == Sign::Minus
    }

    /// The number for what is not here, such as division with a chosen rounding.
    pub fn as_big_decimal(&self) -> &BigDecimal {
        &self.0
    }
}

/// The text is not `-`, digits, `.` and digits, of which the first and the last two may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseDecimalError;

impl fmt::Display for ParseDecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a decimal number: an optional `-`, digits, and an optional `.` with digits",
        )
    }
}

impl std::error::Error for ParseDecimalError {}

impl FromStr for Decimal {
    type Err = ParseDecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The crate's own parser also takes exponents, underscores and a plus sign, none of which the contract has.
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (unsigned, None),
        };
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !fraction.is_none_or(digits) {
            return Err(ParseDecimalError);
        }
        text.parse().map(Self).map_err(|_| ParseDecimalError)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_plain_string(f)
    }
}

impl From<BigDecimal> for Decimal {
    fn from(number: BigDecimal) -> Self {
        Self(number)
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self(number.into())
    }
}

macro_rules! operation {
    ($($trait:ident::$method:ident),*) => {$(
        impl $trait for Decimal {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Self($trait::$method(self.0, other.0))
            }
        }

        impl $trait<&Decimal> for &Decimal {
            type Output = Decimal;
            fn $method(self, other: &Decimal) -> Decimal {
                Decimal($trait::$method(&self.0, &other.0))
            }
        }
    )*};
}

operation!(Add::add, Sub::sub, Mul::mul);

impl AddAssign<&Decimal> for Decimal {
    fn add_assign(&mut self, other: &Decimal) {
        self.0 += &other.0;
    }
}

impl SubAssign<&Decimal> for Decimal {
    fn sub_assign(&mut self, other: &Decimal) {
        self.0 -= &other.0;
    }
}

impl Neg for Decimal {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn text_comes_back_as_it_was() {
        let big = format!("{}.{}", "9".repeat(60), "0".repeat(60));
        let small = format!("0.{}1", "0".repeat(80));
        for text in [
            "0",
            "0.00",
            "1.50",
            "-1.50",
            "100",
            "1000000000000000000000",
            "0.000001",
            &big,
            &small,
        ] {
            assert_eq!(decimal(text).to_string(), text);
        }
        assert_eq!(decimal("007.50").to_string(), "7.50");
        assert_eq!(Decimal::scaled(-150, 2).to_string(), "-1.50");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "", "-", ".", "1.", ".5", "+1", "1e3", "1_000", "NaN", "Infinity", " 1", "1 ", "--1",
            "1.2.3", "1.-2", "١",
        ] {
            assert_eq!(text.parse::<Decimal>(), Err(ParseDecimalError), "{text}");
        }
    }

    #[test]
    fn arithmetic_is_exact_and_keeps_scales() {
        assert_eq!(decimal("0.1") + decimal("0.2"), decimal("0.3"));
        assert_eq!((&decimal("0.10") * &decimal("3")).to_string(), "0.30");
        assert_eq!((decimal("1") - decimal("0.01")).to_string(), "0.99");
        assert_eq!(
            (decimal("12345678901234567890.12") * decimal("1000000000.01")).to_string(),
            "12345678901358024679132345678.9012"
        );
        let mut sum = decimal("1.5");
        sum += &decimal("0.25");
        sum -= &decimal("2");
        assert_eq!((-sum).to_string(), "0.25");
    }

    #[test]
    fn comparisons_look_at_the_number() {
        assert_eq!(decimal("1.50"), decimal("1.5"));
        assert!(
            decimal("-0.01").is_negative()
                && decimal("0.01").is_positive()
                && decimal("-0.0").is_zero()
        );
        assert!(decimal("9.99") < decimal("10"));
    }
}
