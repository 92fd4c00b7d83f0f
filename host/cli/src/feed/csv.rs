//! Bars from CSV text: header `symbol,time,open,high,low,close,volume` in any column order.

use std::fs::File;
use std::io::Read;

use csv::{Reader, ReaderBuilder, StringRecord, Trim};
use poolhouse_runtime::trading::Bar;

use super::{FeedError, Order, Source};

const COLUMNS: [&str; 7] = ["symbol", "time", "open", "high", "low", "close", "volume"];

/// A CSV feed under way.
pub(crate) struct CsvBars {
    source: Source,
    reader: Reader<Box<dyn Read + Send>>,
    record: StringRecord,
    /// Where each of [`COLUMNS`] stands in a line.
    positions: [usize; 7],
    order: Order,
}

/// Opens a feed and reads its header.
///
/// # Errors
/// Where it can't be opened or a column is missing.
pub(crate) fn open(source: &Source) -> Result<CsvBars, FeedError> {
    let input: Box<dyn Read + Send> = match source {
        Source::StandardInput => Box::new(std::io::stdin()),
        Source::File(path) => Box::new(
            File::open(path).map_err(|error| FeedError::new(source, None, format!("can't be opened: {error}")))?,
        ),
    };
    from_reader(source, input)
}

fn from_reader(source: &Source, input: Box<dyn Read + Send>) -> Result<CsvBars, FeedError> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(input);
    let header = reader.headers().map_err(|error| unreadable(source, &error))?.clone();
    let mut positions = [0; 7];
    let mut missing = Vec::new();
    for (position, column) in positions.iter_mut().zip(COLUMNS) {
        let mut found = header.iter().enumerate().filter(|(_, name)| {
            name.trim_start_matches('\u{feff}').eq_ignore_ascii_case(column)
        });
        match (found.next(), found.next()) {
            (Some((at, _)), None) => *position = at,
            (None, _) => missing.push(column),
            (Some(_), Some(_)) => {
                return Err(FeedError::new(source, 1, format!("the column {column} is there twice")));
            }
        }
    }
    if !missing.is_empty() {
        return Err(FeedError::new(
            source,
            1,
            format!("the header lacks {}: it must have {}", missing.join(", "), COLUMNS.join(",")),
        ));
    }
    Ok(CsvBars {
        source: source.clone(),
        reader,
        record: StringRecord::new(),
        positions,
        order: Order::default(),
    })
}

impl Iterator for CsvBars {
    type Item = Result<Bar, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.reader.read_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(unreadable(&self.source, &error))),
        }
        let line = self.record.position().map(csv::Position::line);
        let bar = bar(&self.record, &self.positions).and_then(|bar| {
            self.order.check(&bar)?;
            Ok(bar)
        });
        Some(bar.map_err(|reason| FeedError::new(&self.source, line, reason)))
    }
}

fn unreadable(source: &Source, error: &csv::Error) -> FeedError {
    let line = error.position().map(csv::Position::line);
    let reason = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} fields, the header {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    };
    FeedError::new(source, line, reason)
}

fn bar(record: &StringRecord, positions: &[usize; 7]) -> Result<Bar, String> {
    let field = |column: usize| positions.get(column).and_then(|at| record.get(*at)).unwrap_or_default();
    let number = |column: usize| {
        let text = field(column);
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(format!(
                "{} is \"{text}\", not a number",
                COLUMNS.get(column).unwrap_or(&"a field")
            )),
        }
    };
    let bar = Bar {
        symbol: field(0).to_owned(),
        time: time(field(1))?,
        open: number(2)?,
        high: number(3)?,
        low: number(4)?,
        close: number(5)?,
        volume: number(6)?,
    };
    if bar.symbol.is_empty() {
        return Err("symbol is empty".to_owned());
    }
    if bar.high < bar.low {
        return Err(format!("high {} lies below low {}", bar.high, bar.low));
    }
    if bar.volume < 0.0 {
        return Err(format!("volume {} is below 0", bar.volume));
    }
    Ok(bar)
}

/// RFC 3339, or a date alone for its midnight in UTC; in microseconds since the Unix epoch.
fn time(text: &str) -> Result<i64, String> {
    let wrong = || format!("time is \"{text}\", not RFC 3339 such as 2000-03-01T00:00:00Z");
    let timestamp: jiff::Timestamp = if text.len() == 10 {
        let date: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
        jiff::tz::TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).map_err(|_| wrong())?
    } else {
        text.parse().map_err(|_| wrong())?
    };
    if timestamp.subsec_nanosecond() % 1000 != 0 {
        return Err(format!("time is \"{text}\", finer than a microsecond"));
    }
    Ok(timestamp.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "symbol,time,open,high,low,close,volume\n";

    fn read(text: &str) -> Result<Vec<Bar>, FeedError> {
        let source = Source::File("bars.csv".into());
        from_reader(&source, Box::new(std::io::Cursor::new(text.to_owned())))?.collect()
    }

    #[test]
    fn columns_may_stand_in_any_order() -> Result<(), FeedError> {
        let bars = read("volume,close,LOW,high,open,time,note,symbol\n100,2.5,1,3,2,2000-03-01,x,A\n")?;
        let [bar] = bars.as_slice() else {
            panic!("{bars:?}");
        };
        assert_eq!((bar.symbol.as_str(), bar.time), ("A", 951_868_800_000_000));
        assert_eq!((bar.open, bar.high, bar.low, bar.close, bar.volume), (2.0, 3.0, 1.0, 2.5, 100.0));
        Ok(())
    }

    #[test]
    fn a_wrong_line_is_named_with_its_reason() {
        let good = "A,2000-03-02T00:00:00Z,1,2,1,2,5\n";
        for (line, words) in [
            ("A,2000-03-03T00:00:00Z,1,2,1,x,5", "close is \"x\""),
            ("A,2000-03-03T00:00:00Z,1,2,1,,5", "close is \"\""),
            ("A,2000-03-03T00:00:00Z,1,2,1,NaN,5", "close is \"NaN\""),
            ("A,2000-03-03T00:00:00Z,1,2,1,inf,5", "close is \"inf\""),
            ("A,yesterday,1,2,1,2,5", "time is \"yesterday\""),
            ("A,2000-03-03T00:00:00.0000001Z,1,2,1,2,5", "finer than a microsecond"),
            ("A,2000-03-03T00:00:00Z,1,2,1,2", "it has 6 fields, the header 7"),
            (",2000-03-03T00:00:00Z,1,2,1,2,5", "symbol is empty"),
            ("A,2000-03-03T00:00:00Z,1,1,2,2,5", "high 1 lies below low 2"),
            ("A,2000-03-03T00:00:00Z,1,2,1,2,-5", "volume -5"),
            ("A,2000-03-01T00:00:00Z,1,2,1,2,5", "sort the feed by time"),
            ("A,2000-03-02T00:00:00Z,1,2,1,2,5", "second bar of A"),
        ] {
            let error = read(&format!("{HEADER}{good}{line}\n")).unwrap_err().to_string();
            assert!(error.starts_with("feed bars.csv, line 3: "), "{line}: {error}");
            assert!(error.contains(words), "{line}: {error}");
        }
    }

    #[test]
    fn a_wrong_header_is_named() {
        for (header, words) in [
            ("symbol,time,open,high,low,volume\n", "lacks close"),
            ("", "lacks symbol, time"),
            ("symbol,symbol,time,open,high,low,close,volume\n", "symbol is there twice"),
        ] {
            let error = read(header).unwrap_err().to_string();
            assert!(error.contains(words), "{header:?}: {error}");
        }
    }
}
