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

/// Reads the wire's bytes; an error says what is wrong with them.
pub(super) fn decode(bytes: &[u8]) -> Result<String, String> {
    let short = || "the numeric is cut short".to_owned();
    let word = |at: usize| {
        bytes
            .get(at * 2..at * 2 + 2)
            .and_then(|pair| <[u8; 2]>::try_from(pair).ok())
            .map(u16::from_be_bytes)
            .ok_or_else(short)
    };
    let (count, weight, sign, scale) = (
        usize::from(word(0)?),
        i32::from(word(1)? as i16),
        word(2)?,
        usize::from(word(3)? & 0x3FFF),
    );
    match sign {
        NAN => return Ok("NaN".to_owned()),
        INFINITY => return Ok("Infinity".to_owned()),
        MINUS_INFINITY => return Ok("-Infinity".to_owned()),
        POSITIVE | NEGATIVE => {}
        other => return Err(format!("the numeric's sign is {other:#06x}")),
    }
    if bytes.len() != 8 + count * 2 {
        return Err("the numeric's length contradicts its digits".to_owned());
    }
    let digit = |index: i32| -> Result<u16, String> {
        match usize::try_from(index) {
            Ok(index) if index < count => {
                let digit = word(4 + index)?;
                if digit < 10_000 {
                    Ok(digit)
                } else {
                    Err(format!("the numeric has a digit {digit}"))
                }
            }
            _ => Ok(0),
        }
    };
    let mut text = String::with_capacity(count * 4 + scale + 3);
    if sign == NEGATIVE {
        text.push('-');
    }
    if weight < 0 {
        text.push('0');
    } else {
        text.push_str(&digit(0)?.to_string());
        for index in 1..=weight {
            text.push_str(&format!("{:04}", digit(index)?));
        }
    }
    if scale > 0 {
        text.push('.');
        let end = text.len() + scale;
        let mut index = weight.saturating_add(1);
        while text.len() < end {
            text.push_str(&format!("{:04}", digit(index)?));
            index = index.saturating_add(1);
        }
        text.truncate(end);
    }
    Ok(text)
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
            assert_eq!(decode(&encode(text).unwrap()).unwrap(), text);
        }
        for (text, plain) in [
            ("-0", "0"),
            ("-0.00", "0.00"),
            ("007", "7"),
            ("00.10", "0.10"),
        ] {
            assert_eq!(decode(&encode(text).unwrap()).unwrap(), plain);
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
            assert!(decode(&good[..end]).is_err());
        }
        for at in 0..good.len() {
            for value in [0, 1, 0x3f, 0x7f, 0x80, 0xff] {
                let mut bytes = good.clone();
                bytes[at] = value;
                let _ = decode(&bytes);
            }
        }
    }
}
