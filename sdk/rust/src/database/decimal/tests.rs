//! Texts come back as they were, arithmetic is exact, and rounding is that of the exact value.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]

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
        "", "-", ".", "1.", ".5", "+1", "1e3", "1_000", " 1", "1 ", "--1", "1.2.3", "1.-2", "١",
    ] {
        assert_eq!(
            text.parse::<Decimal>(),
            Err(ParseDecimalError::Malformed),
            "{text}"
        );
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

#[test]
fn what_has_no_digits_is_an_error_of_its_own() {
    for text in ["NaN", "Infinity", "-Infinity"] {
        assert_eq!(
            text.parse::<Decimal>(),
            Err(ParseDecimalError::NotFinite),
            "{text}"
        );
    }
    for text in ["nan", "inf", "-NaN", "infinity"] {
        assert_eq!(
            text.parse::<Decimal>(),
            Err(ParseDecimalError::Malformed),
            "{text}"
        );
    }
}

#[test]
fn quotients_are_rounded_once_from_the_exact_value() {
    let divide = |a: &str, b: &str, scale, rounding| {
        decimal(a)
            .divide(&decimal(b), scale, rounding)
            .unwrap()
            .to_string()
    };
    for (a, b, scale, rounding, expected) in [
        ("1", "3", 2, Rounding::HalfEven, "0.33"),
        ("2", "3", 2, Rounding::HalfEven, "0.67"),
        ("-2", "3", 2, Rounding::HalfEven, "-0.67"),
        ("2", "-3", 2, Rounding::Down, "-0.66"),
        ("-2", "3", 2, Rounding::Floor, "-0.67"),
        ("-2", "3", 2, Rounding::Ceiling, "-0.66"),
        ("1", "300", 0, Rounding::Up, "1"),
        ("1", "8", 2, Rounding::HalfEven, "0.12"),
        ("3", "8", 2, Rounding::HalfEven, "0.38"),
        ("1", "8", 2, Rounding::HalfUp, "0.13"),
        ("1", "8", 2, Rounding::HalfDown, "0.12"),
        // Just above and just below a half, far behind the digits that are kept.
        (
            "0.125000000000000000000000000001",
            "1",
            2,
            Rounding::HalfEven,
            "0.13",
        ),
        (
            "0.134999999999999999999999999999",
            "1",
            2,
            Rounding::HalfUp,
            "0.13",
        ),
        ("1.5", "0.0005", 0, Rounding::HalfEven, "3000"),
        ("0.000001", "1000000", 3, Rounding::HalfEven, "0.000"),
        ("0.000001", "1000000", 3, Rounding::Up, "0.001"),
        ("10", "4", 3, Rounding::HalfEven, "2.500"),
    ] {
        assert_eq!(divide(a, b, scale, rounding), expected, "{a} / {b}");
    }
    // Multiplied back, it is never more than half of the last digit away.
    for a in -60_i64..60 {
        for b in [-7_i64, -3, 1, 3, 8, 11] {
            let quotient = Decimal::from(a)
                .divide(&Decimal::from(b), 2, Rounding::HalfEven)
                .unwrap();
            let off = (&quotient * &Decimal::from(b) - Decimal::from(a)).abs();
            assert!(
                off <= Decimal::scaled(5, 3) * Decimal::from(b.abs()),
                "{a} / {b}"
            );
        }
    }
}

#[test]
fn integers_come_back_only_as_themselves() {
    assert_eq!(i64::try_from(&decimal("3.00")), Ok(3));
    assert_eq!(i64::try_from(&Decimal::from(i64::MIN)), Ok(i64::MIN));
    assert_eq!(i64::try_from(&decimal("3.01")), Err(NotAnInteger));
    assert_eq!(
        i64::try_from(&decimal("9223372036854775808")),
        Err(NotAnInteger)
    );
    assert_eq!(Decimal::from(u128::MAX).to_string(), u128::MAX.to_string());
}

#[test]
fn floats_are_the_shortest_that_read_back() {
    for (float, text) in [
        (0.1, "0.1"),
        (-0.5, "-0.5"),
        (100.0, "100"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
    ] {
        let number = Decimal::shortest(float).unwrap();
        assert_eq!(number.to_string(), text);
        assert_eq!(number.to_nearest_f64(), float);
    }
    for float in [f64::MAX, f64::MIN_POSITIVE, f64::from_bits(1)] {
        assert_eq!(Decimal::shortest(float).unwrap().to_nearest_f64(), float);
    }
    assert_eq!(Decimal::shortest(f64::INFINITY), None);
    assert_eq!(decimal(&"9".repeat(400)).to_nearest_f64(), f64::INFINITY);
}

#[test]
fn sums_scales_and_signs() {
    let numbers = ["0.10", "0.2", "-1"].map(decimal);
    assert_eq!(numbers.iter().sum::<Decimal>().to_string(), "-0.70");
    assert_eq!(numbers.into_iter().sum::<Decimal>(), decimal("-0.7"));
    assert_eq!(
        (decimal("1.50").scale(), decimal("-2").abs().scale()),
        (2, 0)
    );
    let mut product = decimal("1.5");
    product *= decimal("0.2");
    product += decimal("1");
    assert_eq!(product.to_string(), "1.30");
}
