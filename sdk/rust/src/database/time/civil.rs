//! The proleptic Gregorian calendar, and the texts of ISO 8601 read strictly; what is counted, the types say.

use super::{MICROSECONDS_A_DAY, Time};

pub(super) const INFINITY: &str = "infinity";
pub(super) const NEG_INFINITY: &str = "-infinity";

/// Days from 0000-03-01, where the years of this arithmetic begin, to 1970-01-01.
const MARCH_0_TO_1970: i64 = 719_468;
/// Days of 400 years: the calendar repeats.
const DAYS_AN_ERA: i64 = 146_097;

/// Days since 1970-01-01; none if there is no such day, or it does not fit.
pub(super) fn days(year: i32, month: u8, day: u8) -> Option<i32> {
    if !(1..=12).contains(&month) || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    // Years from March on, so that the leap day is a year's last.
    let (year, month) = match month {
        1..=2 => (i64::from(year) - 1, i64::from(month) + 9),
        _ => (i64::from(year), i64::from(month) - 3),
    };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * DAYS_AN_ERA + day_of_era - MARCH_0_TO_1970).ok()
}

/// Year, month from 1, day from 1.
pub(super) const fn year_month_day(days: i32) -> (i32, u8, u8) {
    let days = days as i64 + MARCH_0_TO_1970;
    let era = days.div_euclid(DAYS_AN_ERA);
    let day_of_era = days.rem_euclid(DAYS_AN_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (
        (year_of_era + era * 400 + later) as i32,
        month as u8,
        day as u8,
    )
}

fn days_of_month(year: i32, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `2024-02-29`, or a year with a sign and four to seven digits.
pub(super) fn parse_date(text: &str) -> Option<i32> {
    let signed = text.strip_prefix(['+', '-']);
    let (year, rest) = signed.unwrap_or(text).split_once('-')?;
    let digits = if signed.is_some() { 4..=7 } else { 4..=4 };
    if !digits.contains(&year.len()) {
        return None;
    }
    let year: i32 = number(year)?;
    let year = if text.starts_with('-') { -year } else { year };
    let (month, day) = rest.split_once('-')?;
    days(year, two_digits(month)?, two_digits(day)?)
        .filter(|days| ![i32::MIN, i32::MAX].contains(days))
}

/// `09:30:00.25`, or 24:00:00 itself.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, micros_of_fraction(fraction)?),
        None => (text, 0),
    };
    let mut parts = whole.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let [hour, minute, second] = [hour, minute, second].map(two_digits);
    if let (Some(24), Some(0), Some(0), 0) = (hour, minute, second, fraction) {
        return Some(MICROSECONDS_A_DAY);
    }
    let Time(micros) = Time::new(hour?, minute?, second?)?;
    Some(micros + fraction)
}

/// `2024-02-29T13:30:00+01:30` in microseconds of UTC.
pub(super) fn parse_timestamp(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = rest.split_at(zone);
    let offset = match zone {
        "Z" | "z" => 0,
        zone => {
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let Time(offset) = Time::new(two_digits(hours)?, two_digits(minutes)?, 0)?;
            if zone.starts_with('-') {
                -offset
            } else {
                offset
            }
        }
    };
    micros(parse_date(date)?, parse_time(time)? - offset)
        .filter(|micros| ![i64::MIN, i64::MAX].contains(micros))
}

/// A day and microseconds of it in microseconds since 1970. The first and the last day are not whole in an `i64`.
pub(super) fn micros(days: i32, within_day: i64) -> Option<i64> {
    let midnight = i128::from(days) * i128::from(MICROSECONDS_A_DAY);
    i64::try_from(midnight + i128::from(within_day)).ok()
}

/// Digits after the point in microseconds; more than six only if the rest are zeros.
fn micros_of_fraction(digits: &str) -> Option<i64> {
    if !is_digits(digits) {
        return None;
    }
    let (micros, rest) = digits.split_at(digits.len().min(6));
    if rest.bytes().any(|digit| digit != b'0') {
        return None;
    }
    let scale = 10_i64.pow(6 - micros.len() as u32);
    number::<i64>(micros).map(|micros| micros * scale)
}

fn two_digits(text: &str) -> Option<u8> {
    if text.len() == 2 { number(text) } else { None }
}

/// Unlike the standard library, without a sign.
fn number<T: std::str::FromStr>(digits: &str) -> Option<T> {
    if is_digits(digits) {
        digits.parse().ok()
    } else {
        None
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
