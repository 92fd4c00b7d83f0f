//! Owns what is asked of a connection and what comes back, the same for both databases.

use std::sync::Arc;

use crate::builder::Limits;
use crate::column::Answer;
use crate::error::Error;
use crate::footprint::StatementKind;
use crate::url::Backend;
use crate::value::Value;

/// One statement to run.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) sql: &'a Arc<str>,
    pub(crate) parameters: &'a [Value],
    pub(crate) kind: StatementKind,
    pub(crate) author: Author,
    pub(crate) limits: Limits,
    /// Whether rows are wanted; otherwise they are counted only.
    pub(crate) rows: bool,
}

/// Whose text it is: by that SQLite's authorizer decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    Host,
    /// A statement or migration that passed the statement check.
    Plugin,
}

/// What a statement begins with that only reads or changes rows.
const ROWS: [&str; 10] = [
    "SELECT", "WITH", "VALUES", "TABLE", "INSERT", "REPLACE", "UPDATE", "DELETE", "MERGE",
    "EXPLAIN",
];

impl Request<'_> {
    /// The second lock behind the footprint: what is said to read or change rows begins as such statements do, so it
    /// leaves no transaction, setting, lock or cursor behind that nobody would take away. `nesting` says whether the
    /// database's comments nest.
    pub(crate) fn check(&self, nesting: bool) -> Result<(), Failed> {
        if self.kind == StatementKind::Ddl {
            return Ok(());
        }
        let word = first_word(self.sql, nesting);
        if ROWS.iter().any(|begins| word.eq_ignore_ascii_case(begins)) {
            return Ok(());
        }
        Err(Failed::ours(Error::invalid(format!(
            "a statement that begins with {word:?} does not run"
        ))))
    }

    /// Whether a cursor can be opened over the statement: EXPLAIN is no query to either database.
    pub(crate) fn check_cursor(&self, backend: Backend) -> Result<(), Error> {
        let word = first_word(self.sql, backend == Backend::Postgresql);
        if word.eq_ignore_ascii_case("EXPLAIN") {
            return Err(Error::invalid(
                "a cursor is opened over SELECT, WITH, VALUES or TABLE: run EXPLAIN with `query`",
            ));
        }
        Ok(())
    }
}

/// The first word behind spaces, comments and parentheses; empty where there is none.
fn first_word(sql: &str, nesting: bool) -> &str {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '(');
        rest = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            after_comment(comment, nesting)
        } else {
            break;
        };
    }
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric());
    rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
}

fn after_comment(mut rest: &str, nesting: bool) -> &str {
    let mut depth = 1_usize;
    while depth > 0 {
        let Some(at) = rest.find(['/', '*']) else {
            return "";
        };
        rest = rest.get(at..).unwrap_or_default();
        let marks = if rest.starts_with("*/") {
            depth -= 1;
            2
        } else if nesting && rest.starts_with("/*") {
            depth += 1;
            2
        } else {
            1
        };
        rest = rest.get(marks..).unwrap_or_default();
    }
    rest
}

/// What a statement gave.
#[derive(Debug)]
pub(crate) struct Ran {
    /// No columns where rows were not wanted.
    pub(crate) answer: Answer,
    /// Rows changed.
    pub(crate) changed: u64,
}

/// What came of a statement that failed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// The database saw it and refused it, so on PostgreSQL the transaction is aborted.
    pub(crate) refused: bool,
    /// The connection must not be used again.
    pub(crate) broken: bool,
}

impl Failed {
    /// Refused before the database saw it, or after it had done its part.
    pub(crate) fn ours(error: Error) -> Self {
        Self {
            error,
            refused: false,
            broken: false,
        }
    }

    /// The connection is of no use any more.
    pub(crate) fn broken(error: Error) -> Self {
        Self {
            error,
            refused: false,
            broken: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_words() {
        for (sql, nesting, flat) in [
            ("SELECT 1", "SELECT", "SELECT"),
            (" \n((select 1))", "select", "select"),
            ("--a\n--b\r\n WITH", "WITH", "WITH"),
            ("/**/BEGIN", "BEGIN", "BEGIN"),
            ("/*/*/BEGIN*/", "", "BEGIN"),
            ("/* a /* b */ c */ SET x", "SET", "c"),
            ("/* ünd /", "", ""),
            ("-- SELECT", "", ""),
            ("SELECTED", "SELECTED", "SELECTED"),
            ("ü", "", ""),
            ("", "", ""),
        ] {
            assert_eq!(first_word(sql, true), nesting, "{sql}");
            assert_eq!(first_word(sql, false), flat, "{sql}");
        }
    }
}
