//! Dates, times and timestamps as the contract counts them, and as ISO 8601 writes them; time zones are not here,
//! for the database keeps UTC.

mod civil;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Days since 1970-01-01 in the proleptic Gregorian calendar, negative before it.
///
/// ```
/// use poolhouse::database::Date;
///
/// let leap_day: Date = "2024-02-29".parse()?;
/// assert_eq!(leap_day, Date(19782));
/// assert_eq!(leap_day.year_month_day(), (2024, 2, 29));
/// assert_eq!(Date(leap_day.0 + 1).to_string(), "2024-03-01");
/// assert_eq!(Date::new(2023, 2, 29), None);
/// # Ok::<(), poolhouse::database::ParseTimeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub i32);

/// Microseconds since midnight, without a time zone; up to 24:00:00, which PostgreSQL allows.
///
/// ```
/// use poolhouse::database::Time;
///
/// let opening: Time = "09:30:00.5".parse()?;
/// assert_eq!(opening, Time(34_200_500_000));
/// assert_eq!(opening.to_string(), "09:30:00.5");
/// assert_eq!(Time::new(9, 30, 0), Some(Time(34_200_000_000)));
/// # Ok::<(), poolhouse::database::ParseTimeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// Microseconds since 1970-01-01T00:00:00Z, negative before it, always UTC.
///
/// ```
/// use poolhouse::database::{Date, Time, Timestamp};
/// use std::time::{Duration, SystemTime};
///
/// let noon: Timestamp = "2024-02-29T12:00:00Z".parse()?;
/// assert_eq!(noon, "2024-02-29T13:30:00+01:30".parse()?);
/// assert_eq!((noon.date(), noon.time()), (Date::new(2024, 2, 29).unwrap(), Time::new(12, 0, 0).unwrap()));
///
/// let later = noon.checked_add(Duration::from_millis(1500)).unwrap();
/// assert_eq!(later.to_string(), "2024-02-29T12:00:01.5Z");
/// assert_eq!(Timestamp::try_from(SystemTime::try_from(later)?)?, later);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

const MICROSECONDS_A_DAY: i64 = 86_400_000_000;
const MICROSECONDS_A_SECOND: i64 = 1_000_000;

impl Date {
    /// PostgreSQL's `infinity`, after every other date.
    pub const INFINITY: Self = Self(i32::MAX);

    /// PostgreSQL's `-infinity`, before every other date.
    pub const NEG_INFINITY: Self = Self(i32::MIN);

    /// The day of that year, month (from 1) and day (from 1); none if there is no such day, or if it is more days from
    /// 1970 than an `i32` counts.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let date = Self(civil::days(year, month, day)?);
        date.is_finite().then_some(date)
    }

    /// Whether it is a day, not one of PostgreSQL's infinities.
    pub const fn is_finite(self) -> bool {
        self.0 != i32::MAX && self.0 != i32::MIN
    }

    /// Year, month from 1 and day from 1; year 0 is the one before year 1.
    pub const fn year_month_day(self) -> (i32, u8, u8) {
        civil::year_month_day(self.0)
    }
}

impl Time {
    /// That time of day; none from 24:00:00 on, or with more than 59 minutes or seconds.
    pub fn new(hour: u8, minute: u8, second: u8) -> Option<Self> {
        let fits = hour < 24 && minute < 60 && second < 60;
        let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        fits.then_some(Self(seconds * MICROSECONDS_A_SECOND))
    }

    /// Hours, minutes, seconds and microseconds.
    pub const fn hour_minute_second_micro(self) -> (i64, u8, u8, u32) {
        let seconds = self.0.div_euclid(MICROSECONDS_A_SECOND);
        (
            seconds.div_euclid(3600),
            (seconds.div_euclid(60).rem_euclid(60)) as u8,
            seconds.rem_euclid(60) as u8,
            self.0.rem_euclid(MICROSECONDS_A_SECOND) as u32,
        )
    }
}

impl Timestamp {
    /// PostgreSQL's `infinity`, after every other timestamp.
    pub const INFINITY: Self = Self(i64::MAX);

    /// PostgreSQL's `-infinity`, before every other timestamp.
    pub const NEG_INFINITY: Self = Self(i64::MIN);

    /// The host's clock, down to the microsecond.
    pub fn now() -> Self {
        // The clock would have to stand 292,000 years off.
        Self::try_from(SystemTime::now()).unwrap_or_default()
    }

    /// That time of that day; none outside what an `i64` of microseconds counts, and of an infinite date.
    pub fn from_date_time(date: Date, time: Time) -> Option<Self> {
        let timestamp = Self(civil::micros(date.0, time.0)?);
        (date.is_finite() && timestamp.is_finite()).then_some(timestamp)
    }

    /// Whether it is an instant, not one of PostgreSQL's infinities.
    pub const fn is_finite(self) -> bool {
        self.0 != i64::MAX && self.0 != i64::MIN
    }

    /// Its day, in UTC; an infinity's is the infinite date.
    pub const fn date(self) -> Date {
        match self {
            Self::INFINITY => Date::INFINITY,
            Self::NEG_INFINITY => Date::NEG_INFINITY,
            // 2^63 microseconds are 107 million days.
            Self(micros) => Date(micros.div_euclid(MICROSECONDS_A_DAY) as i32),
        }
    }

    /// Its time of day, in UTC.
    pub const fn time(self) -> Time {
        Time(self.0.rem_euclid(MICROSECONDS_A_DAY))
    }

    /// That much later, down to the microsecond; none past the last timestamp, and of an infinity.
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let later = Self(
            self.0
                .checked_add(i64::try_from(duration.as_micros()).ok()?)?,
        );
        (self.is_finite() && later.is_finite()).then_some(later)
    }

    /// That much earlier, down to the microsecond; none before the first timestamp, and of an infinity.
    pub fn checked_sub(self, duration: Duration) -> Option<Self> {
        let earlier = Self(
            self.0
                .checked_sub(i64::try_from(duration.as_micros()).ok()?)?,
        );
        (self.is_finite() && earlier.is_finite()).then_some(earlier)
    }

    /// How long after `earlier` it is; none if it is before it, and of infinities.
    pub fn duration_since(self, earlier: Self) -> Option<Duration> {
        if !self.is_finite() || !earlier.is_finite() || self < earlier {
            return None;
        }
        Some(Duration::from_micros(self.0.abs_diff(earlier.0)))
    }
}

/// The time lies outside what the other type can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOutOfRange;

impl fmt::Display for TimeOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time is infinite, or outside what the other type of time can hold")
    }
}

impl std::error::Error for TimeOutOfRange {}

/// Down to the microsecond: the rest of the nanoseconds is cut off, toward the past.
impl TryFrom<SystemTime> for Timestamp {
    type Error = TimeOutOfRange;

    fn try_from(time: SystemTime) -> Result<Self, Self::Error> {
        let micros = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()).ok(),
            Err(before) => i64::try_from(before.duration().as_nanos().div_ceil(1000))
                .ok()
                .map(|micros| -micros),
        };
        micros
            .map(Self)
            .filter(|timestamp| timestamp.is_finite())
            .ok_or(TimeOutOfRange)
    }
}

impl TryFrom<Timestamp> for SystemTime {
    type Error = TimeOutOfRange;

    fn try_from(timestamp: Timestamp) -> Result<Self, Self::Error> {
        let distance = Duration::from_micros(timestamp.0.unsigned_abs());
        let time = if timestamp.0 < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        time.filter(|_| timestamp.is_finite()).ok_or(TimeOutOfRange)
    }
}

/// `2024-02-29`; years outside 0 to 9999 with a sign, as ISO 8601 has them; `infinity` and `-infinity`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::INFINITY => f.write_str(civil::INFINITY),
            Self::NEG_INFINITY => f.write_str(civil::NEG_INFINITY),
            date => {
                let (year, month, day) = date.year_month_day();
                match year {
                    0..=9999 => write!(f, "{year:04}-{month:02}-{day:02}"),
                    _ => write!(f, "{year:+05}-{month:02}-{day:02}"),
                }
            }
        }
    }
}

/// `09:30:00`, and up to six digits of a second's fraction where there is one.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second, micro) = self.hour_minute_second_micro();
        write!(f, "{hour:02}:{minute:02}:{second:02}")?;
        if micro != 0 {
            let digits = format!("{micro:06}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        Ok(())
    }
}

/// `2024-02-29T12:00:00Z`, as RFC 3339 has it; `infinity` and `-infinity`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_finite() {
            write!(f, "{}T{}Z", self.date(), self.time())
        } else {
            self.date().fmt(f)
        }
    }
}

/// The text is no date, time or timestamp as ISO 8601 writes it, or has parts of a microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseTimeError(&'static str);

impl fmt::Display for ParseTimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ParseTimeError {}

impl FromStr for Date {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let days = match text {
            civil::INFINITY => Some(i32::MAX),
            civil::NEG_INFINITY => Some(i32::MIN),
            text => civil::parse_date(text),
        };
        days.map(Self)
            .ok_or(ParseTimeError("not a date, such as 2024-02-29"))
    }
}

impl FromStr for Time {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        civil::parse_time(text).map(Self).ok_or(ParseTimeError(
            "not a time of day to the microsecond, such as 09:30:00 or 09:30:00.25",
        ))
    }
}

/// With the zone that RFC 3339 asks for, `Z` or an offset such as `+01:30`; a blank may stand for the `T`.
impl FromStr for Timestamp {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let micros = match text {
            civil::INFINITY => Some(i64::MAX),
            civil::NEG_INFINITY => Some(i64::MIN),
            text => civil::parse_timestamp(text),
        };
        micros.map(Self).ok_or(ParseTimeError(
            "not a timestamp with its zone to the microsecond, such as 2024-02-29T12:00:00Z or 2024-02-29T13:30:00.25+01:30",
        ))
    }
}
