//! Exact decimal numbers in the contract's text form; nothing here rounds unless it is asked to.

#[cfg(test)]
mod tests;

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

use bigdecimal::num_bigint::{BigInt, Sign};
use bigdecimal::{BigDecimal, ToPrimitive, Zero};

/// How a number is made to fit fewer digits: `HalfEven` is a bank's, `HalfUp` a shop's, `Down` cuts off.
pub use bigdecimal::RoundingMode as Rounding;

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

    /// Without its sign.
    pub fn abs(&self) -> Self {
        Self(self.0.abs())
    }

    /// Digits after the point, `1.50` has two; negative for a `BigDecimal` that counts in tens or hundreds.
    pub fn scale(&self) -> i64 {
        self.0.fractional_digit_count()
    }

    /// With that many digits after the point.
    ///
    /// ```
    /// use poolhouse::database::{Decimal, Rounding};
    ///
    /// let price: Decimal = "2.345".parse()?;
    /// assert_eq!(price.round(2, Rounding::HalfEven).to_string(), "2.34");
    /// assert_eq!(price.round(2, Rounding::HalfUp).to_string(), "2.35");
    /// assert_eq!(price.round(5, Rounding::HalfUp).to_string(), "2.34500");
    /// # Ok::<(), poolhouse::database::ParseDecimalError>(())
    /// ```
    pub fn round(&self, scale: u32, rounding: Rounding) -> Self {
        Self(self.0.with_scale_round(scale.into(), rounding))
    }

    /// The quotient with that many digits after the point, rounded once from its exact value; none if `divisor` is 0.
    ///
    /// ```
    /// use poolhouse::database::{Decimal, Rounding};
    ///
    /// let total: Decimal = "100.00".parse()?;
    /// let share = total.divide(&Decimal::from(3), 2, Rounding::HalfEven).unwrap();
    /// assert_eq!(share.to_string(), "33.33");
    /// assert_eq!(total.divide(&Decimal::default(), 2, Rounding::HalfEven), None);
    /// # Ok::<(), poolhouse::database::ParseDecimalError>(())
    /// ```
    pub fn divide(&self, divisor: &Self, scale: u32, rounding: Rounding) -> Option<Self> {
        if divisor.is_zero() {
            return None;
        }
        let (mut dividend, dividend_scale) = self.0.as_bigint_and_scale();
        let (mut by, by_scale) = divisor.0.as_bigint_and_scale();
        // One digit more than is asked for, cut off…
        let shift = i64::from(scale) + 1 + by_scale - dividend_scale;
        let power = BigInt::from(10).pow(u32::try_from(shift.unsigned_abs()).ok()?);
        let widened = if shift >= 0 { &mut dividend } else { &mut by };
        *widened.to_mut() *= power;
        let quotient = &*dividend / &*by;
        let rest = &*dividend % &*by;
        // …and one for whether anything was cut off, so that only an exact half is rounded as a half.
        let sticky = match rest.sign() {
            Sign::NoSign => 0,
            _ if (dividend.sign() == Sign::Minus) == (by.sign() == Sign::Minus) => 1,
            _ => -1,
        };
        let exact_enough = BigDecimal::new(quotient * 10 + sticky, i64::from(scale) + 2);
        Some(Self(exact_enough).round(scale, rounding))
    }

    /// The shortest number that reads back as that float: `0.1`, not the 55 digits of the float itself. None for NaN
    /// and infinities.
    ///
    /// ```
    /// use poolhouse::database::Decimal;
    ///
    /// assert_eq!(Decimal::shortest(101.1).unwrap().to_string(), "101.1");
    /// assert_eq!(Decimal::shortest(f64::NAN), None);
    /// ```
    pub fn shortest(float: f64) -> Option<Self> {
        // `Display` of a float writes just these digits, and never an exponent.
        float.to_string().parse().ok()
    }

    /// The float nearest to it, which most often is not the same number: for ratios and charts, not for money.
    pub fn to_nearest_f64(&self) -> f64 {
        // The parser of the standard library rounds correctly, out to the infinities.
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The number for what is not here, such as roots.
    pub fn as_big_decimal(&self) -> &BigDecimal {
        &self.0
    }
}

/// Why a text is no exact decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseDecimalError {
    /// It is not an optional `-`, digits, and an optional `.` with digits.
    Malformed,
    /// It is `NaN`, `Infinity` or `-Infinity`, which PostgreSQL's `numeric` can hold and a decimal can't: read the cell
    /// as a `String`, or keep them out with a CHECK.
    NotFinite,
}

impl fmt::Display for ParseDecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => {
                "not a decimal number: an optional `-`, digits, and an optional `.` with digits"
            }
            Self::NotFinite => "not a finite decimal number",
        })
    }
}

impl std::error::Error for ParseDecimalError {}

impl FromStr for Decimal {
    type Err = ParseDecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if ["NaN", "Infinity", "-Infinity"].contains(&text) {
            return Err(ParseDecimalError::NotFinite);
        }
        // The crate's own parser also takes exponents, underscores and a plus sign, none of which the contract has.
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (unsigned, None),
        };
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !fraction.is_none_or(digits) {
            return Err(ParseDecimalError::Malformed);
        }
        text.parse()
            .map(Self)
            .map_err(|_| ParseDecimalError::Malformed)
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

macro_rules! from_integer {
    ($($type:ty),*) => {$(
        impl From<$type> for Decimal {
            fn from(number: $type) -> Self {
                Self(BigDecimal::from(BigInt::from(number)))
            }
        }
    )*};
}

from_integer!(i32, i64, i128, u32, u64, u128);

/// The decimal is no whole number, or does not fit the integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnInteger;

impl fmt::Display for NotAnInteger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the decimal is no whole number, or too large for the integer; round it first, or keep it a decimal")
    }
}

impl std::error::Error for NotAnInteger {}

/// Of a whole number only: `3.00` is one.
impl TryFrom<&Decimal> for i64 {
    type Error = NotAnInteger;

    fn try_from(number: &Decimal) -> Result<Self, NotAnInteger> {
        if !number.0.is_integer() {
            return Err(NotAnInteger);
        }
        number.0.to_i64().ok_or(NotAnInteger)
    }
}

macro_rules! operation {
    ($($trait:ident::$method:ident, $assign_trait:ident::$assign:ident;)*) => {$(
        impl $trait for Decimal {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Self($trait::$method(self.0, other.0))
            }
        }

        impl $trait<&Decimal> for Decimal {
            type Output = Self;
            fn $method(self, other: &Decimal) -> Self {
                Self($trait::$method(self.0, &other.0))
            }
        }

        impl $trait<&Decimal> for &Decimal {
            type Output = Decimal;
            fn $method(self, other: &Decimal) -> Decimal {
                Decimal($trait::$method(&self.0, &other.0))
            }
        }

        impl $assign_trait<&Decimal> for Decimal {
            fn $assign(&mut self, other: &Decimal) {
                $assign_trait::$assign(&mut self.0, &other.0);
            }
        }

        impl $assign_trait for Decimal {
            fn $assign(&mut self, other: Decimal) {
                $assign_trait::$assign(&mut self.0, &other.0);
            }
        }
    )*};
}

operation! {
    Add::add, AddAssign::add_assign;
    Sub::sub, SubAssign::sub_assign;
    Mul::mul, MulAssign::mul_assign;
}

impl Sum for Decimal {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::default(), |sum, number| sum + number)
    }
}

impl<'a> Sum<&'a Decimal> for Decimal {
    fn sum<I: Iterator<Item = &'a Decimal>>(numbers: I) -> Self {
        numbers.fold(Self::default(), |sum, number| sum + number)
    }
}

impl Neg for Decimal {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}
