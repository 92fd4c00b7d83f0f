//! Reads sqllogictest's files into the records that are meant for one database; runs nothing.

use anyhow::{Context, bail};
use poolhouse_tests::Backend;

/// What a file holds for one database.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) records: Vec<Record>,
    /// How many records are for other databases only.
    pub(crate) skipped: usize,
}

/// One statement or query.
#[derive(Debug)]
pub(crate) struct Record {
    /// Of its first line, from 1.
    pub(crate) line: usize,
    pub(crate) sql: String,
    pub(crate) expected: Expected,
}

/// What a record asks of its SQL.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// `statement ok`
    Success,
    /// `statement error`
    Failure,
    Answer(Answer),
}

/// A query's answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// `T`, `I` or `R` for each column.
    pub(crate) types: String,
    pub(crate) sort: Sort,
    /// One value a line, or the one line "30 values hashing to 3c13dee48d9356ae19af2515e05e6b54".
    pub(crate) lines: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    No,
    Rows,
    Values,
}

/// Reads a file. Labels are not kept: every query says what it expects, so two with one label are compared anyway.
pub(crate) fn parse(text: &str, backend: Backend) -> anyhow::Result<Script> {
    let lines: Vec<_> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.starts_with('#'))
        .map(|(at, line)| (at + 1, line))
        .collect();
    let mut script = Script::default();
    for lines in lines.split(|(_, line)| line.trim().is_empty()) {
        let conditions = lines.iter().take_while(|(_, line)| is_condition(line));
        let meant = conditions.clone().all(|(_, line)| holds(line, backend));
        let rest = &lines[conditions.count()..];
        let Some(((line, header), body)) = rest.split_first() else {
            continue;
        };
        let words: Vec<_> = header.split_whitespace().collect();
        match words.first().copied() {
            // Only says how long an answer is written out, which can be seen from the answer.
            Some("hash-threshold") => {}
            Some("halt") if meant => break,
            Some("halt") => {}
            _ if !meant => script.skipped += 1,
            _ => {
                let record = record(*line, &words, body);
                script
                    .records
                    .push(record.with_context(|| format!("line {line}"))?);
            }
        }
    }
    Ok(script)
}

fn is_condition(line: &str) -> bool {
    line.starts_with("onlyif ") || line.starts_with("skipif ")
}

fn holds(condition: &str, backend: Backend) -> bool {
    let name = match backend {
        Backend::Sqlite => "sqlite",
        Backend::Postgresql => "postgresql",
    };
    let named = condition
        .split_whitespace()
        .nth(1)
        .is_some_and(|word| word.eq_ignore_ascii_case(name));
    named == condition.starts_with("onlyif")
}

fn record(line: usize, words: &[&str], body: &[(usize, &str)]) -> anyhow::Result<Record> {
    let mut sections = body.splitn(2, |(_, line)| *line == "----");
    let texts = |lines: Option<&[(usize, &str)]>| -> Vec<String> {
        let lines = lines.unwrap_or_default().iter();
        lines.map(|(_, line)| (*line).to_owned()).collect()
    };
    let sql = texts(sections.next()).join("\n");
    let expected = match words {
        ["statement", "ok", ..] => Expected::Success,
        ["statement", "error", ..] => Expected::Failure,
        ["query", types, rest @ ..] if types.chars().all(|kind| "TIR".contains(kind)) => {
            Expected::Answer(Answer {
                types: (*types).to_owned(),
                sort: match rest.first().copied() {
                    None | Some("nosort") => Sort::No,
                    Some("rowsort") => Sort::Rows,
                    Some("valuesort") => Sort::Values,
                    Some(other) => bail!("{other} is no way to sort"),
                },
                lines: texts(sections.next()),
            })
        }
        _ => bail!("{} is no record", words.join(" ")),
    };
    Ok(Record {
        line,
        sql,
        expected,
    })
}

#[test]
fn a_file_is_read_for_one_database() -> anyhow::Result<()> {
    let text = "# a comment\r\nhash-threshold 8\r\n\r\nonlyif mysql # a reason\r\nstatement ok\r\nDROP\r\n\r\n\
        skipif PostgreSQL\nskipif mysql\nquery TI rowsort label-1\nSELECT 1,\n# in between\n2\n----\n1\n2\n \n\n\
        statement error\nSELECT\n\nquery R\nSELECT 3\n\nonlyif postgresql\nhalt\n\nstatement ok\nLAST\n";
    let sqlite = parse(text, Backend::Sqlite)?;
    let found: Vec<_> = sqlite
        .records
        .iter()
        .map(|record| (record.line, record.sql.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (10, "SELECT 1,\n2"),
            (19, "SELECT"),
            (22, "SELECT 3"),
            (28, "LAST")
        ]
    );
    assert_eq!(sqlite.skipped, 1);
    let expected = Expected::Answer(Answer {
        types: "TI".to_owned(),
        sort: Sort::Rows,
        lines: vec!["1".to_owned(), "2".to_owned()],
    });
    assert_eq!(sqlite.records[0].expected, expected);
    assert_eq!(sqlite.records[1].expected, Expected::Failure);
    let postgresql = parse(text, Backend::Postgresql)?;
    assert_eq!(postgresql.records.len(), 2, "the halt is PostgreSQL's");
    assert_eq!(postgresql.skipped, 2);
    assert!(parse("query IX\nSELECT 1", Backend::Sqlite).is_err());
    Ok(())
}
