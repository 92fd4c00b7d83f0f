//! Bars from CSV text: header `symbol,time,open,high,low,close,volume` in any column order.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use csv::{ReaderBuilder, StringRecord, Trim};
use poolhouse_runtime::trading::Bar;

use super::{FeedError, Order, Source};

const COLUMNS: [&str; 7] = ["symbol", "time", "open", "high", "low", "close", "volume"];
/// Bytes in one line.
const MAX_LINE: usize = 64 << 10;

/// A CSV feed under way. One line is one bar: a field can't hold a line break.
pub(crate) struct CsvBars {
    lines: Lines,
    /// How many fields the header has.
    width: usize,
    /// Where each of [`COLUMNS`] stands in a line.
    positions: [usize; 7],
    order: Order,
}

/// Opens a feed and reads its header.
///
/// # Errors
/// Where it can't be opened or a column is missing.
pub(crate) fn open(source: &Source) -> Result<CsvBars, FeedError> {
    let input: Box<dyn Read + Send> =
        match source {
            Source::StandardInput => Box::new(std::io::stdin()),
            Source::File(path) => Box::new(File::open(path).map_err(|error| {
                FeedError::new(source, None, format!("can't be opened: {error}"))
            })?),
        };
    from_reader(source, input)
}

fn from_reader(source: &Source, input: Box<dyn Read + Send>) -> Result<CsvBars, FeedError> {
    let mut lines = Lines {
        source: source.clone(),
        input: BufReader::new(input),
        number: 0,
        line: Vec::new(),
    };
    let header = match lines.next_record()? {
        Some(header) => header,
        None => StringRecord::new(),
    };
    let mut positions = [0; 7];
    let mut missing = Vec::new();
    for (position, column) in positions.iter_mut().zip(COLUMNS) {
        let mut found = header.iter().enumerate().filter(|(_, name)| {
            name.trim_start_matches('\u{feff}')
                .eq_ignore_ascii_case(column)
        });
        match (found.next(), found.next()) {
            (Some((at, _)), None) => *position = at,
            (None, _) => missing.push(column),
            (Some(_), Some(_)) => {
                return Err(lines.wrong(format!("the column {column} is there twice")));
            }
        }
    }
    if !missing.is_empty() {
        return Err(lines.wrong(format!(
            "the header lacks {}: it must have {}",
            missing.join(", "),
            COLUMNS.join(",")
        )));
    }
    Ok(CsvBars {
        lines,
        width: header.len(),
        positions,
        order: Order::default(),
    })
}

impl Iterator for CsvBars {
    type Item = Result<Bar, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = match self.lines.next_record() {
            Ok(record) => record?,
            Err(error) => return Some(Err(error)),
        };
        let bar = if record.len() == self.width {
            bar(&record, &self.positions).and_then(|bar| self.order.check(&bar).map(|()| bar))
        } else {
            Err(format!(
                "it has {} fields, the header {}",
                record.len(),
                self.width
            ))
        };
        Some(bar.map_err(|reason| self.lines.wrong(reason)))
    }
}

/// The lines of a feed, with their numbers in the file.
struct Lines {
    source: Source,
    input: BufReader<Box<dyn Read + Send>>,
    /// Of the line read last, from 1.
    number: u64,
    line: Vec<u8>,
}

impl Lines {
    /// The fields of the next line that is not blank.
    fn next_record(&mut self) -> Result<Option<StringRecord>, FeedError> {
        loop {
            self.line.clear();
            self.number += 1;
            let read = (&mut self.input)
                .take(MAX_LINE as u64)
                .read_until(b'\n', &mut self.line);
            match read {
                Ok(0) => return Ok(None),
                Ok(MAX_LINE) if !self.line.ends_with(b"\n") => {
                    return Err(self.wrong(format!("it is longer than {MAX_LINE} bytes")));
                }
                Ok(_) if self.line.trim_ascii().is_empty() => {}
                Ok(_) => break,
                Err(error) => return Err(self.wrong(format!("it can't be read: {error}"))),
            }
        }
        let line = self.line.trim_ascii_end();
        let mut record = StringRecord::new();
        if !line.contains(&b'"') {
            let Ok(line) = str::from_utf8(line) else {
                return Err(self.wrong("it is not UTF-8 text"));
            };
            line.split(',')
                .for_each(|field| record.push_field(field.trim()));
            return Ok(Some(record));
        }
        let read = ReaderBuilder::new()
            .has_headers(false)
            .trim(Trim::All)
            .buffer_capacity(line.len())
            .from_reader(line)
            .read_record(&mut record);
        match read {
            Ok(_) => Ok(Some(record)),
            Err(_) => Err(self.wrong("it is not UTF-8 text")),
        }
    }

    /// What is wrong with the line read last.
    fn wrong(&self, reason: impl Into<String>) -> FeedError {
        FeedError::new(&self.source, self.number, reason)
    }
}

fn bar(record: &StringRecord, positions: &[usize; 7]) -> Result<Bar, String> {
    let field = |column: usize| {
        positions
            .get(column)
            .and_then(|at| record.get(*at))
            .unwrap_or_default()
    };
    let number = |column: usize| {
        let text = field(column);
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            // Digits that are infinite: 1e309.
            Ok(_) if text.contains(|character: char| character.is_ascii_digit()) => Err(format!(
                "{} is \"{text}\", larger than a 64-bit float can be",
                COLUMNS.get(column).unwrap_or(&"a field")
            )),
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
    let outside = || {
        format!(
            "time is \"{text}\", outside the years that a time can have here ({} to {})",
            jiff::Timestamp::MIN,
            jiff::Timestamp::MAX
        )
    };
    let timestamp: jiff::Timestamp = if text.len() == 10 {
        let date: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
        jiff::tz::TimeZone::UTC
            .to_timestamp(date.at(0, 0, 0, 0))
            .map_err(|_| outside())?
    } else {
        text.parse().map_err(|_| {
            let is_time = jiff::fmt::temporal::Pieces::parse(text)
                .is_ok_and(|pieces| pieces.time().is_some() && pieces.offset().is_some());
            if is_time { outside() } else { wrong() }
        })?
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
        let bars =
            read("volume,close,LOW,high,open,time,note,symbol\n100,2.5,1,3,2,2000-03-01,x,A\n")?;
        let [bar] = bars.as_slice() else {
            panic!("{bars:?}");
        };
        assert_eq!((bar.symbol.as_str(), bar.time), ("A", 951_868_800_000_000));
        assert_eq!(
            (bar.open, bar.high, bar.low, bar.close, bar.volume),
            (2.0, 3.0, 1.0, 2.5, 100.0)
        );
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
            (
                "A,2000-03-03T00:00:00Z,1,2,1,1e309,5",
                "close is \"1e309\", larger than",
            ),
            ("A,9999-12-31T23:00:00Z,1,2,1,2,5", "outside the years"),
            ("A,9999-12-31,1,2,1,2,5", "outside the years"),
            ("A,9999-12-31T23:00:61Z,1,2,1,2,5", "not RFC 3339"),
            ("A,yesterday,1,2,1,2,5", "time is \"yesterday\""),
            (
                "A,2000-03-03T00:00:00.0000001Z,1,2,1,2,5",
                "finer than a microsecond",
            ),
            (
                "A,2000-03-03T00:00:00Z,1,2,1,2",
                "it has 6 fields, the header 7",
            ),
            (",2000-03-03T00:00:00Z,1,2,1,2,5", "symbol is empty"),
            (
                "A,2000-03-03T00:00:00Z,1,1,2,2,5",
                "high 1 lies below low 2",
            ),
            ("A,2000-03-03T00:00:00Z,1,2,1,2,-5", "volume -5"),
            ("A,2000-03-01T00:00:00Z,1,2,1,2,5", "sort the feed by time"),
            ("A,2000-03-02T00:00:00Z,1,2,1,2,5", "second bar of A"),
        ] {
            let error = read(&format!("{HEADER}{good}{line}\n"))
                .unwrap_err()
                .to_string();
            assert!(
                error.starts_with("feed bars.csv, line 3: "),
                "{line}: {error}"
            );
            assert!(error.contains(words), "{line}: {error}");
        }
    }

    #[test]
    fn lines_are_counted_as_an_editor_does() {
        let bad = "A,2000-03-03T00:00:00Z,1,2,1,x,5";
        let good = "A,2000-03-02T00:00:00Z,1,2,1,2,5";
        for (text, line) in [
            (format!("{HEADER}{good}\n{bad}\n"), 3),
            (format!("{HEADER}{good}\n{bad}"), 3),
            (format!("{HEADER}{good}\n{bad}\n").replace('\n', "\r\n"), 3),
            (format!("\n{HEADER}\n\n{good}\n \n{bad}\n"), 7),
            (format!("{HEADER}{good}\n\"{good}\n{good}\n"), 3),
            (format!("{HEADER}{good}\nA{}\n", "x".repeat(MAX_LINE)), 3),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(&format!("line {line}:")), "{error}");
        }
        assert_eq!(read(&format!("{HEADER}{good}\r\n\r\n")).unwrap().len(), 1);
    }

    #[test]
    fn a_wrong_header_is_named() {
        for (header, words) in [
            ("symbol,time,open,high,low,volume\n", "lacks close"),
            ("", "lacks symbol, time"),
            (
                "symbol,symbol,time,open,high,low,close,volume\n",
                "symbol is there twice",
            ),
        ] {
            let error = read(header).unwrap_err().to_string();
            assert!(error.contains(words), "{header:?}: {error}");
        }
    }
}
