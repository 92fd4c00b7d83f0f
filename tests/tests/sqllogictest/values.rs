//! Renders values as sqllogictest's files write them, sorts and hashes them, and compares them with what a record expects.

use std::fmt::Write;

use md5::{Digest, Md5};

use crate::records::{Answer, Sort};

/// A value, wherever it came from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    /// PostgreSQL's; the files, which know no such type, write 1 and 0.
    Boolean(bool),
    Integer(i64),
    Real(f64),
    /// Exact, as text.
    Decimal(String),
    Text(String),
}

/// The rows of a query, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rows {
    /// None where the driver does not tell it of an answer without rows.
    pub(crate) columns: Option<usize>,
    pub(crate) values: Vec<Value>,
}

impl Rows {
    /// Whether they are what was expected; an error says how they differ.
    pub(crate) fn meet(&self, answer: &Answer) -> Result<(), String> {
        let wanted = answer.types.len();
        if let Some(columns) = self.columns.filter(|columns| *columns != wanted) {
            return Err(format!("{columns} columns, not {wanted}"));
        }
        let rendered = self.rendered(answer);
        let lines = match answer.lines.as_slice() {
            [line] if line.contains(" values hashing to ") => vec![hashed(&rendered)],
            _ => rendered,
        };
        if lines == answer.lines {
            return Ok(());
        }
        Err(format!(
            "{} instead of {}",
            shown(&lines),
            shown(&answer.lines)
        ))
    }

    fn rendered(&self, answer: &Answer) -> Vec<String> {
        let kinds = answer.types.chars().cycle();
        let values = self.values.iter().zip(kinds);
        let mut lines: Vec<_> = values.map(|(value, kind)| render(value, kind)).collect();
        match answer.sort {
            Sort::No => lines,
            Sort::Values => {
                lines.sort();
                lines
            }
            Sort::Rows => {
                let mut rows: Vec<_> = lines.chunks(answer.types.len()).collect();
                rows.sort();
                rows.concat()
            }
        }
    }
}

fn shown(lines: &[String]) -> String {
    let mut text = lines.iter().take(12).cloned().collect::<Vec<_>>().join(" ");
    if lines.len() > 12 {
        text.push_str(" …");
    }
    format!("[{text}]")
}

/// What is expected of more values than the file's threshold.
fn hashed(lines: &[String]) -> String {
    let mut md5 = Md5::new();
    for line in lines {
        md5.update(line);
        md5.update("\n");
    }
    let mut text = format!("{} values hashing to ", lines.len());
    for byte in md5.finalize() {
        // Writing into a string never fails.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// As the original program asks SQLite for a column's text, integer or float.
fn render(value: &Value, kind: char) -> String {
    match (value, kind) {
        (Value::Null, _) => "NULL".to_owned(),
        (value, 'I') => integer(value).to_string(),
        (value, 'R') => sixteen_digits(real(value)),
        (value, _) => printable(&text(value)),
    }
}

/// Three decimals, and noughts after the sixteenth digit: as SQLite's own `%.3f` does.
fn sixteen_digits(value: f64) -> String {
    if value.abs() < 1e16 {
        return format!("{value:.3}");
    }
    let text = format!("{value:.15e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.replace('.', "");
    let noughts = exponent.parse().unwrap_or(15_usize).saturating_sub(15);
    format!("{digits}{}.000", "0".repeat(noughts))
}

fn integer(value: &Value) -> i64 {
    match value {
        Value::Null => 0,
        Value::Boolean(value) => i64::from(*value),
        Value::Integer(value) => *value,
        // Towards zero, as SQLite does.
        value => real(value) as i64,
    }
}

fn real(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Boolean(value) => f64::from(u8::from(*value)),
        Value::Integer(value) => *value as f64,
        Value::Real(value) => *value,
        Value::Decimal(text) | Value::Text(text) => leading_number(text),
    }
}

/// The number that a text begins with, 0 for none: SQLite's way to make one of it.
fn leading_number(text: &str) -> f64 {
    let text = text.trim_start();
    let letters = text.bytes();
    let length = letters
        .take_while(|letter| b"+-.eE0123456789".contains(letter))
        .count();
    let starts = (0..=length).rev().filter_map(|end| text.get(..end));
    starts
        .filter_map(|start| start.parse().ok())
        .next()
        .unwrap_or(0.0)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Boolean(value) => u8::from(*value).to_string(),
        Value::Integer(value) => value.to_string(),
        // With a point, as SQLite shows floats.
        Value::Real(value) => format!("{value:?}"),
        Value::Decimal(text) | Value::Text(text) => text.clone(),
    }
}

fn printable(text: &str) -> String {
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let bytes = text.bytes().map(|byte| match byte {
        b' '..=b'~' => char::from(byte),
        _ => '@',
    });
    bytes.collect()
}

#[test]
fn values_are_rendered_as_the_files_do() {
    let text = |text: &str| Value::Text(text.to_owned());
    for (value, kind, expected) in [
        (Value::Null, 'I', "NULL"),
        (Value::Integer(-7), 'I', "-7"),
        (Value::Integer(-7), 'R', "-7.000"),
        (Value::Integer(-7), 'T', "-7"),
        (Value::Real(-7.96), 'I', "-7"),
        (Value::Real(2.0 / 3.0), 'R', "0.667"),
        (
            Value::Real(-(2_f64.powi(63))),
            'R',
            "-9223372036854776000.000",
        ),
        (
            Value::Real(-(2_f64.powi(64))),
            'R',
            "-18446744073709550000.000",
        ),
        (Value::Real(2.0), 'T', "2.0"),
        (Value::Decimal("12.3456".to_owned()), 'R', "12.346"),
        (Value::Decimal("-12.9".to_owned()), 'I', "-12"),
        (Value::Boolean(true), 'I', "1"),
        (text(""), 'T', "(empty)"),
        (text("a\té"), 'T', "a@@@"),
        (text("12abc"), 'I', "12"),
        (text("1.5e1 x"), 'R', "15.000"),
        (text("infinite"), 'I', "0"),
        (text("table tn7 row 51"), 'I', "0"),
    ] {
        assert_eq!(render(&value, kind), expected, "{value:?} as {kind}");
    }
}

#[test]
fn answers_are_sorted_hashed_and_compared() {
    let rows = Rows {
        columns: Some(2),
        values: [3, 1, 10, 2, 2, 9].map(Value::Integer).to_vec(),
    };
    let answer = |sort, lines: &str| Answer {
        types: "II".to_owned(),
        sort,
        lines: lines.split(',').map(str::to_owned).collect(),
    };
    for (sort, lines, same) in [
        (Sort::No, "3,1,10,2,2,9", true),
        (Sort::Rows, "10,2,2,9,3,1", true),
        (Sort::Values, "1,10,2,2,3,9", true),
        (Sort::No, "3,1,10,2,2,8", false),
        (Sort::No, "3,1,10,2", false),
        // printf '3\n1\n10\n2\n2\n9\n' | md5sum
        (
            Sort::No,
            "6 values hashing to 125d805cdf0effc69858e86d81b67e72",
            true,
        ),
        (
            Sort::Rows,
            "6 values hashing to 125d805cdf0effc69858e86d81b67e72",
            false,
        ),
    ] {
        let met = rows.meet(&answer(sort, lines));
        assert_eq!(met.is_ok(), same, "{sort:?} {lines}: {met:?}");
    }
    let wider = Rows {
        columns: Some(3),
        ..rows
    };
    assert!(wider.meet(&answer(Sort::No, "3,1,10,2,2,9")).is_err());
}
