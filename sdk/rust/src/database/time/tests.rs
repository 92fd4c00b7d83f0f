//! What is printed is read back over the whole range, and the calendar is one that is known.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]

use super::*;

#[test]
fn days_are_those_of_the_calendar() {
    for (text, days) in [
        ("1970-01-01", 0),
        ("1969-12-31", -1),
        ("2000-02-29", 11_016),
        ("1900-03-01", -25_508),
        ("0001-01-01", -719_162),
        ("0000-03-01", -719_468),
        ("9999-12-31", 2_932_896),
        ("+10000-01-01", 2_932_897),
        ("-0001-12-31", -719_529),
    ] {
        assert_eq!(text.parse(), Ok(Date(days)), "{text}");
        assert_eq!(Date(days).to_string(), text);
    }
    // Every day of 1,200 years follows the one before it.
    let mut expected = (1500, 1, 1);
    let Date(first) = Date::new(1500, 1, 1).unwrap();
    for days in first..first + 3 * 146_097 {
        assert_eq!(Date(days).year_month_day(), expected);
        let (year, month, day) = expected;
        assert_eq!(Date::new(year, month, day), Some(Date(days)));
        expected = if Date::new(year, month, day + 1).is_some() {
            (year, month, day + 1)
        } else if month < 12 {
            (year, month + 1, 1)
        } else {
            (year + 1, 1, 1)
        };
    }
    assert_eq!(expected, (2700, 1, 1));
}

#[test]
fn the_whole_range_is_printed_and_read_back() {
    let mut state = 1_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state ^ state >> 29
    };
    let ends = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
    for number in ends.into_iter().chain((0..20_000).map(|_| {
        let number = random() as i64;
        number >> (random() % 63)
    })) {
        let timestamp = Timestamp(number);
        assert_eq!(timestamp.to_string().parse(), Ok(timestamp), "{timestamp}");
        let date = Date((number >> 32) as i32);
        assert_eq!(date.to_string().parse(), Ok(date), "{date}");
        let time = Time(number.rem_euclid(MICROSECONDS_A_DAY + 1));
        assert_eq!(time.to_string().parse(), Ok(time), "{time}");
        if timestamp.is_finite() {
            assert_eq!(
                Timestamp::from_date_time(timestamp.date(), timestamp.time()),
                Some(timestamp)
            );
            let system = SystemTime::try_from(timestamp).unwrap();
            assert_eq!(Timestamp::try_from(system), Ok(timestamp));
        }
    }
    for date in [i32::MIN, i32::MIN + 1, i32::MAX - 1, i32::MAX].map(Date) {
        assert_eq!(date.to_string().parse(), Ok(date), "{date}");
    }
}

#[test]
fn infinities_are_not_instants() {
    assert_eq!(Timestamp::INFINITY.to_string(), "infinity");
    assert_eq!(Timestamp::NEG_INFINITY.date(), Date::NEG_INFINITY);
    assert_eq!(Date::INFINITY.to_string(), "infinity");
    assert_eq!("-infinity".parse(), Ok(Date::NEG_INFINITY));
    assert_eq!(
        SystemTime::try_from(Timestamp::INFINITY),
        Err(TimeOutOfRange)
    );
    assert_eq!(
        Timestamp::from_date_time(Date::INFINITY, Time::default()),
        None
    );
    assert_eq!(Timestamp::INFINITY.checked_sub(Duration::ZERO), None);
    assert_eq!(
        Timestamp(i64::MAX - 1).checked_add(Duration::from_micros(1)),
        None
    );
    assert_eq!(Timestamp(0).duration_since(Timestamp::NEG_INFINITY), None);
    assert_eq!(Timestamp(0).duration_since(Timestamp(1)), None);
    assert_eq!(
        Timestamp(1).duration_since(Timestamp(-1)),
        Some(Duration::from_micros(2))
    );
}

#[test]
fn parts_of_a_microsecond_are_cut_off_toward_the_past() {
    let nanos = |nanos| Duration::from_nanos(nanos);
    assert_eq!(
        Timestamp::try_from(UNIX_EPOCH + nanos(1999)),
        Ok(Timestamp(1))
    );
    assert_eq!(
        Timestamp::try_from(UNIX_EPOCH - nanos(1)),
        Ok(Timestamp(-1))
    );
    assert!(Timestamp::now() > "2024-01-01T00:00:00Z".parse().unwrap());
}

#[test]
fn zones_and_fractions_are_read_strictly() {
    for (text, expected) in [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01 00:00:00.000001z", 1),
        ("1970-01-01t01:00:00+01:00", 0),
        ("1969-12-31T18:30:00.5-05:30", 500_000),
        ("1970-01-01T00:00:00.1234560000Z", 123_456),
        ("1970-01-01T24:00:00Z", MICROSECONDS_A_DAY),
    ] {
        assert_eq!(text.parse(), Ok(Timestamp(expected)), "{text}");
    }
    for text in [
        "",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-01-01T00:00Z",
        "1970-01-01T00:00:60Z",
        "1970-01-01T24:00:00.1Z",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00.0000001Z",
        "1970-01-01T00:00:00+0100",
        "1970-01-01T00:00:00+1:00",
        "1970-01-01T00:00:00+24:00",
        "1970-02-29T00:00:00Z",
        "1970-13-01T00:00:00Z",
        "1970-00-01T00:00:00Z",
        "1970-01-00T00:00:00Z",
        "70-01-01T00:00:00Z",
        "12345-01-01T00:00:00Z",
        "1970-01-01T00:00:00ZZ",
        "1970-01-01T-1:00:00Z",
        "+999999-01-01T00:00:00Z",
        "Infinity",
    ] {
        assert!(text.parse::<Timestamp>().is_err(), "{text}");
    }
    assert!("9:30:00".parse::<Time>().is_err() && "09:30".parse::<Time>().is_err());
    assert!("2024-2-29".parse::<Date>().is_err() && "2024-02-29 ".parse::<Date>().is_err());
    assert_eq!((Time::new(24, 0, 0), Time::new(0, 60, 0)), (None, None));
}
