//! Owns PostgreSQL's binary `numeric`: base-10,000 digits to decimal text and back, without losing a digit or the scale.

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const MINUS_INFINITY: u16 = 0xF000;

/// Decimal digits before the point that the server takes.
const MAX_WHOLE: usize = 131_072;

/// Decimal digits after the point that the server takes.
const MAX_FRACTION: usize = 16_383;

/// Appends the text of the wire's bytes; an error says what is wrong with them.
pub(super) fn decode(bytes: &[u8], text: &mut Vec<u8>) -> Result<(), String> {
    let (words, rest) = bytes.as_chunks::<2>();
    let word = |at: usize| words.get(at).copied().map(u16::from_be_bytes);
    let (Some(count), Some(weight), Some(sign), Some(scale)) = (word(0), word(1), word(2), word(3))
    else {
        return Err("the numeric is cut short".to_owned());
    };
    match sign {
        NAN => text.extend_from_slice(b"NaN"),
        INFINITY => text.extend_from_slice(b"Infinity"),
        MINUS_INFINITY => text.extend_from_slice(b"-Infinity"),
        POSITIVE | NEGATIVE => {}
        other => return Err(format!("the numeric's sign is {other:#06x}")),
    }
    if !matches!(sign, POSITIVE | NEGATIVE) {
        return Ok(());
    }
    let digits = words.get(4..).unwrap_or_default();
    if !rest.is_empty() || digits.len() != usize::from(count) {
        return Err("the numeric's length contradicts its digits".to_owned());
    }
    if let Some(digit) = digits
        .iter()
        .map(|digit| u16::from_be_bytes(*digit))
        .find(|digit| *digit > 9_999)
    {
        return Err(format!("the numeric has a digit {digit}"));
    }
    let digit = |index: i32| {
        let digit = usize::try_from(index)
            .ok()
            .and_then(|index| digits.get(index));
        digit.copied().map_or(0, u16::from_be_bytes)
    };
    let (weight, scale) = (i32::from(weight as i16), usize::from(scale & 0x3FFF));
    if sign == NEGATIVE {
        text.push(b'-');
    }
    if weight < 0 {
        text.push(b'0');
    } else {
        let first = four(digit(0));
        let zeros = first.iter().take_while(|letter| **letter == b'0').count();
        text.extend_from_slice(first.get(zeros.min(3)..).unwrap_or_default());
        for index in 1..=weight {
            text.extend_from_slice(&four(digit(index)));
        }
    }
    if scale > 0 {
        text.push(b'.');
        let end = text.len() + scale;
        let mut index = weight.saturating_add(1);
        while text.len() < end {
            text.extend_from_slice(&four(digit(index)));
            index = index.saturating_add(1);
        }
        text.truncate(end);
    }
    Ok(())
}

/// The four decimal digits of one of base 10,000.
fn four(digit: u16) -> [u8; 4] {
    [digit / 1000, digit / 100, digit / 10, digit].map(|part| b'0' + (part % 10) as u8)
}

/// Writes decimal text (`-`? digits (`.` digits)?, `NaN`, `Infinity`, `-Infinity`) as the wire has it; an error says
/// what is wrong with it.
pub(super) fn encode(text: &str) -> Result<Vec<u8>, String> {
    let special = match text {
        "NaN" => Some(NAN),
        "Infinity" => Some(INFINITY),
        "-Infinity" => Some(MINUS_INFINITY),
        _ => None,
    };
    if let Some(sign) = special {
        return Ok(written(&[], 0, sign, 0));
    }
    if !crate::value::is_plain_decimal(text) {
        return Err(format!(
            "{text:?} is not a decimal: it is written with digits and a point, without an exponent"
        ));
    }
    let (negative, unsigned) = text
        .strip_prefix('-')
        .map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let whole = whole.trim_start_matches('0');
    if whole.len() > MAX_WHOLE || fraction.len() > MAX_FRACTION {
        return Err(format!(
            "the decimal has {} digits before its point and {} after it; PostgreSQL takes {MAX_WHOLE} and {MAX_FRACTION}",
            whole.len(),
            fraction.len()
        ));
    }
    let mut digits: Vec<u16> = Vec::with_capacity(unsigned.len() / 4 + 2);
    let lead = whole.len() % 4;
    let (first, rest) = whole.split_at(lead);
    if lead > 0 {
        digits.push(group(first.as_bytes(), 0));
    }
    digits.extend(rest.as_bytes().chunks(4).map(|chunk| group(chunk, 0)));
    let mut weight = i32::try_from(digits.len()).unwrap_or(i32::MAX) - 1;
    digits.extend(
        fraction
            .as_bytes()
            .chunks(4)
            .map(|chunk| group(chunk, 4 - chunk.len())),
    );
    let leading = digits.iter().take_while(|digit| **digit == 0).count();
    digits.drain(..leading);
    weight -= i32::try_from(leading).unwrap_or(i32::MAX);
    while digits.last() == Some(&0) {
        digits.pop();
    }
    if digits.is_empty() {
        return Ok(written(&[], 0, POSITIVE, fraction.len()));
    }
    let weight = i16::try_from(weight).map_err(|_| "the decimal is too large".to_owned())?;
    Ok(written(
        &digits,
        weight,
        if negative { NEGATIVE } else { POSITIVE },
        fraction.len(),
    ))
}

/// One base-10,000 digit of at most four decimal ones, with zeros after them.
fn group(digits: &[u8], zeros: usize) -> u16 {
    let value = digits.iter().fold(0_u16, |value, digit| {
        value * 10 + u16::from(digit.wrapping_sub(b'0'))
    });
    (0..zeros).fold(value, |value, _| value * 10)
}

fn written(digits: &[u16], weight: i16, sign: u16, scale: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + digits.len() * 2);
    // Lengths were checked against the server's own limits, far below 65,536.
    bytes.extend_from_slice(
        &u16::try_from(digits.len())
            .unwrap_or(u16::MAX)
            .to_be_bytes(),
    );
    bytes.extend_from_slice(&weight.to_be_bytes());
    bytes.extend_from_slice(&sign.to_be_bytes());
    bytes.extend_from_slice(&u16::try_from(scale).unwrap_or(u16::MAX).to_be_bytes());
    for digit in digits {
        bytes.extend_from_slice(&digit.to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Result<String, String> {
        let mut text = b"before ".to_vec();
        decode(bytes, &mut text)?;
        Ok(String::from_utf8(text[7..].to_vec()).unwrap())
    }

    #[test]
    fn decimals_read_back_as_written() {
        for text in [
            "0",
            "0.00",
            "1",
            "-1",
            "1.50",
            "10000",
            "9999",
            "100000000",
            "0.0001",
            "0.00010",
            "0.00000001",
            "-0.5",
            "12345678901234567890123456789012345678",
            "123.4567890123456789",
            "99999999999999999999.99",
            "1000000000000000000000000000000000000000000000",
            "10000.0001",
            "NaN",
            "Infinity",
            "-Infinity",
        ] {
            assert_eq!(decoded(&encode(text).unwrap()).unwrap(), text);
        }
        for (text, plain) in [
            ("-0", "0"),
            ("-0.00", "0.00"),
            ("007", "7"),
            ("00.10", "0.10"),
        ] {
            assert_eq!(decoded(&encode(text).unwrap()).unwrap(), plain);
        }
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in [
            "",
            "1e5",
            "+1",
            ".5",
            "1.",
            "inf",
            "nan",
            "1,5",
            " 1",
            &"9".repeat(131_073),
        ] {
            assert!(encode(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_bytes_panic() {
        let good = encode("-12345.678").unwrap();
        for end in 0..good.len() {
            assert!(decoded(&good[..end]).is_err());
        }
        for at in 0..good.len() {
            for value in [0, 1, 0x3f, 0x7f, 0x80, 0xff] {
                let mut bytes = good.clone();
                bytes[at] = value;
                let _ = decoded(&bytes);
            }
        }
    }
}
