//! Decimal amounts compared exactly and fast: thousands of orders come in one call, and their numbers are short.

use std::str::FromStr;

use poolhouse::database::{Decimal, ParseDecimalError};

/// Most digits whose number fits `u64`, and whose products fit `u128`.
const MAX_DIGITS: usize = 18;

/// An exact decimal number.
#[derive(Clone, Debug)]
pub(crate) enum Amount {
    /// `digits` × 10^-`scale`, with at most [`MAX_DIGITS`] digits, so that `scale` is no more either.
    Short { digits: u64, scale: u32 },
    /// Negative, or longer.
    Long(Decimal),
}

impl Amount {
    pub(crate) fn is_positive(&self) -> bool {
        match self {
            Self::Short { digits, .. } => *digits > 0,
            Self::Long(decimal) => decimal.is_positive(),
        }
    }

    /// Whether `quantity` × `price` is above `limit`.
    pub(crate) fn product_exceeds(quantity: &Self, price: &Self, limit: &Self) -> bool {
        if let (
            Self::Short {
                digits: q,
                scale: qs,
            },
            Self::Short {
                digits: p,
                scale: ps,
            },
            Self::Short {
                digits: l,
                scale: ls,
            },
        ) = (quantity, price, limit)
        {
            let product = u128::from(*q) * u128::from(*p);
            let limit = u128::from(*l);
            // Both to the larger scale. At most 36 powers of ten apart, so the power itself fits; a side that does not
            // fit any more is above the other, which has at most 36 digits.
            return match (qs + ps).checked_sub(*ls) {
                Some(apart) => limit
                    .checked_mul(10_u128.pow(apart))
                    .is_some_and(|limit| product > limit),
                None => product
                    .checked_mul(10_u128.pow(ls - (qs + ps)))
                    .is_none_or(|product| product > limit),
            };
        }
        &quantity.decimal() * &price.decimal() > limit.decimal()
    }

    /// `quantity` × `price`.
    pub(crate) fn product(quantity: &Self, price: &Self) -> Decimal {
        match (quantity, price) {
            (
                Self::Short {
                    digits: q,
                    scale: qs,
                },
                Self::Short {
                    digits: p,
                    scale: ps,
                },
            ) => Decimal::scaled(i128::from(*q) * i128::from(*p), qs + ps),
            _ => &quantity.decimal() * &price.decimal(),
        }
    }

    fn decimal(&self) -> Decimal {
        match self {
            Self::Short { digits, scale } => Decimal::scaled((*digits).into(), *scale),
            Self::Long(decimal) => decimal.clone(),
        }
    }
}

impl FromStr for Amount {
    type Err = ParseDecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match short(text.as_bytes()) {
            Some(amount) => Ok(amount),
            None => text.parse().map(Self::Long),
        }
    }
}

/// The amount if it is short and well formed; anything else is left to the thorough parser.
fn short(text: &[u8]) -> Option<Amount> {
    // One byte more for the point.
    if text.len() > MAX_DIGITS + 1 {
        return None;
    }
    let mut digits = 0_u64;
    let mut point = None;
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => digits = digits * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() && index > 0 => point = Some(index),
            _ => return None,
        }
    }
    let fraction = match point {
        Some(index) => text.len() - index - 1,
        None if text.is_empty() || text.len() > MAX_DIGITS => return None,
        None => 0,
    };
    if point.is_some() && fraction == 0 {
        return None;
    }
    Some(Amount::Short {
        digits,
        scale: fraction as u32,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn short_numbers_take_the_short_way() {
        for (text, digits, scale) in [
            ("0", 0, 0),
            ("10", 10, 0),
            ("101.50", 10150, 2),
            ("0.000001", 1, 6),
            ("999999999999999999", 999_999_999_999_999_999, 0),
            ("9.99999999999999999", 999_999_999_999_999_999, 17),
        ] {
            match amount(text) {
                Amount::Short {
                    digits: d,
                    scale: s,
                } => assert_eq!((d, s), (digits, scale), "{text}"),
                Amount::Long(_) => panic!("{text}"),
            }
        }
        for text in ["-1", "1000000000000000000", "0.9999999999999999999"] {
            assert!(matches!(amount(text), Amount::Long(_)), "{text}");
        }
    }

    #[test]
    fn malformed_texts_are_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "1..2",
            "1.2.3",
            "+1",
            "1e3",
            "ten",
            " 1",
            "-",
            "NaN",
            "1.000000000000000000.",
        ] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }

    #[test]
    fn both_ways_agree() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) % below
        };
        let edges = [
            "0",
            "1",
            "999999999999999999",
            "0.00000000000000001",
            "-1",
            "1000000000000000000000",
            "0.10",
        ];
        let mut text = || match random(3) {
            0 => edges[random(edges.len() as u64) as usize].to_owned(),
            1 => random(1000).to_string(),
            _ => format!("{}.{:04}", random(100_000), random(10_000)),
        };
        let mut above = 0;
        for _ in 0..20_000 {
            let (q, p, l) = (text(), text(), text());
            let [qd, pd, ld] = [&q, &p, &l].map(|text| text.parse::<Decimal>().unwrap());
            let expected = &qd * &pd > ld;
            above += usize::from(expected);
            assert_eq!(
                Amount::product_exceeds(&amount(&q), &amount(&p), &amount(&l)),
                expected,
                "{q} × {p} > {l}"
            );
            assert_eq!(amount(&q).is_positive(), qd.is_positive(), "{q}");
        }
        assert!((5_000..15_000).contains(&above), "{above}");
    }

    #[test]
    fn the_limit_itself_is_allowed() {
        let exceeds = |q, p, l| Amount::product_exceeds(&amount(q), &amount(p), &amount(l));
        assert!(!exceeds("10", "100.00", "1000"));
        assert!(exceeds("10", "100.01", "1000"));
        assert!(!exceeds("0.1", "0.3", "0.03"));
        assert!(exceeds("0.1", "0.3", "0.02999999999999999"));
    }
}
