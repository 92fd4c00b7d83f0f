//! Owns binding parameters on SQLite, whose five storage classes hold every kind of ours, some as text.

use jiff::civil;
use sqlx::Arguments;
use sqlx::sqlite::SqliteArguments;

use crate::error::Error;
use crate::value::{Value, is_json, is_plain_decimal};

/// Days from 0000-01-01 to 1970-01-01 and on to 9999-12-31: years of four digits, so that text sorts as time does.
const DAYS: std::ops::RangeInclusive<i32> = -719_528..=2_932_896;

const DAY: i64 = 86_400_000_000;

/// Binds all parameters of one statement; how many there must be was checked before.
pub(super) fn arguments(values: &[Value]) -> Result<SqliteArguments, Error> {
    let mut arguments = SqliteArguments::default();
    for (at, value) in values.iter().enumerate() {
        let refused = |reason: String| Error::invalid(format!("parameter ${}: {reason}", at + 1));
        let added = match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Boolean(value) => arguments.add(i64::from(*value)),
            Value::Int64(value) => arguments.add(*value),
            Value::Float64(value) if value.is_nan() => {
                return Err(refused("SQLite would store NaN as null".to_owned()));
            }
            Value::Float64(value) => arguments.add(*value),
            Value::Decimal(text) if !is_plain_decimal(text) => {
                return Err(refused(format!(
                    "{text:?} is not a decimal: it is written with digits and a point, and SQLite has no NaN or Infinity"
                )));
            }
            Value::Json(text) if !is_json(text) => {
                return Err(refused("it is given as JSON and is none".to_owned()));
            }
            Value::Decimal(text) | Value::Text(text) | Value::Json(text) => {
                arguments.add(text.clone())
            }
            Value::Bytes(bytes) => arguments.add(bytes.clone()),
            Value::Uuid(uuid) => arguments.add(uuid.to_string()),
            Value::Date(days) => arguments.add(date(*days).map_err(refused)?),
            Value::Time(microseconds) => arguments.add(time(*microseconds).map_err(refused)?),
            Value::Timestamp(microseconds) => {
                arguments.add(timestamp(*microseconds).map_err(refused)?)
            }
            Value::Array(_) => {
                return Err(refused(format!(
                    "SQLite has no arrays: pass them as JSON text, and read it with json_each(${})",
                    at + 1
                )));
            }
        };
        added.map_err(|error| refused(error.to_string()))?;
    }
    Ok(arguments)
}

fn date(days: i32) -> Result<String, String> {
    if !DAYS.contains(&days) {
        return Err(format!(
            "the date {days} days from 1970 is outside the years 0000 to 9999"
        ));
    }
    let date = civil::date(1970, 1, 1)
        .checked_add(jiff::Span::new().days(days))
        .map_err(|error| error.to_string())?;
    Ok(format!(
        "{:04}-{:02}-{:02}",
        date.year(),
        date.month(),
        date.day()
    ))
}

fn time(microseconds: i64) -> Result<String, String> {
    if !(0..=DAY).contains(&microseconds) {
        return Err(format!(
            "{microseconds} is not a time: it is 0 to 86,400,000,000 microseconds since midnight"
        ));
    }
    let seconds = microseconds / 1_000_000;
    Ok(format!(
        "{:02}:{:02}:{:02}.{:06}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        microseconds % 1_000_000
    ))
}

fn timestamp(microseconds: i64) -> Result<String, String> {
    let outside = || format!("the timestamp {microseconds} is outside the years 0000 to 9999");
    let days = i32::try_from(microseconds.div_euclid(DAY)).map_err(|_| outside())?;
    let date = date(days).map_err(|_| outside())?;
    Ok(format!("{date}T{}Z", time(microseconds.rem_euclid(DAY))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_times() {
        assert_eq!(date(0).unwrap(), "1970-01-01");
        assert_eq!(date(-719_528).unwrap(), "0000-01-01");
        assert_eq!(date(2_932_896).unwrap(), "9999-12-31");
        assert_eq!(date(19_782).unwrap(), "2024-02-29");
        assert!(date(-719_529).is_err() && date(2_932_897).is_err() && date(i32::MAX).is_err());
        assert_eq!(time(86_399_999_999).unwrap(), "23:59:59.999999");
        assert_eq!(time(DAY).unwrap(), "24:00:00.000000");
        assert!(time(-1).is_err() && time(DAY + 1).is_err());
        assert_eq!(timestamp(0).unwrap(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(timestamp(-1).unwrap(), "1969-12-31T23:59:59.999999Z");
        assert!(timestamp(i64::MAX).is_err() && timestamp(i64::MIN).is_err());
    }
}
