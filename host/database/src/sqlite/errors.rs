//! Owns reading SQLite's and the driver's errors into the contract's.

use std::path::Path;

use crate::error::{ConflictKind, ConstraintKind, Error, UnavailableReason};
use crate::statement::Failed;

/// Primary result codes that have advice of their own.
pub(super) const CORRUPT: i32 = 11;
pub(super) const FULL: i32 = 13;
pub(super) const NOT_A_DATABASE: i32 = 26;

/// SQLite's primary result code.
pub(super) fn code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error()?.code()?;
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

/// What became of a statement on an open connection.
pub(super) fn failed(error: sqlx::Error, path: &Path) -> Failed {
    match &error {
        sqlx::Error::Database(database) => {
            let code = database
                .code()
                .and_then(|code| code.parse::<i32>().ok())
                .unwrap_or(1);
            let error = read(code, database.message(), path);
            Failed {
                error,
                refused: true,
                broken: is_fatal(code),
            }
        }
        sqlx::Error::Encode(source) => Failed::ours(Error::invalid(format!(
            "a parameter can't be bound: {source}"
        ))),
        sqlx::Error::Protocol(message) => Failed::ours(Error::invalid(format!(
            "the statement can't be run: {message}"
        ))),
        other => {
            let message = format!("the SQLite connection to {} broke: {other}", path.display());
            Failed::broken(Error::unavailable(UnavailableReason::Other, message))
        }
    }
}

/// Whether a failed COMMIT may have happened all the same.
pub(super) fn is_outcome_unknown(failed: &Failed) -> bool {
    !failed.refused || matches!(&failed.error, Error::Unavailable { .. })
}

pub(super) fn is_no_transaction(error: &Error) -> bool {
    matches!(error, Error::Statement { message, .. } if message.contains("no transaction is active"))
}

pub(super) fn is_within_transaction(error: &Error) -> bool {
    matches!(error, Error::Statement { message, .. } if message.contains("within a transaction"))
}

/// Corrupt, not a database, I/O: the file may be sound under a new connection, this one is not.
fn is_fatal(code: i32) -> bool {
    matches!(code & 0xff, 10 | CORRUPT | NOT_A_DATABASE)
}

fn read(code: i32, message: &str, path: &Path) -> Error {
    let file = |what: &str| {
        Error::unavailable(
            UnavailableReason::File,
            format!("the SQLite file {} {what}: {message}", path.display()),
        )
    };
    match code & 0xff {
        5 | 6 => Error::Conflict {
            kind: ConflictKind::Busy,
            message: format!(
                "another connection is writing to the SQLite file {} ({message}): run it again",
                path.display()
            ),
        },
        8 => file("can't be written"),
        10 => file("can't be read or written"),
        CORRUPT => file("is damaged"),
        FULL => file("has no room to grow"),
        14 => file("can't be opened"),
        NOT_A_DATABASE => file("is not a database"),
        19 => constraint(code, message),
        _ => Error::Statement {
            code: code.to_string(),
            message: message.to_owned(),
            detail: None,
            hint: None,
            position: None,
        },
    }
}

/// SQLite tells the constraint in its message only: `UNIQUE constraint failed: t.a, t.b`.
fn constraint(code: i32, message: &str) -> Error {
    let (what, rest) = message
        .split_once(" constraint failed")
        .unwrap_or((message, ""));
    let rest = rest.strip_prefix(": ").unwrap_or("");
    let kind = match what {
        "UNIQUE" | "PRIMARY KEY" => ConstraintKind::Unique,
        "NOT NULL" => ConstraintKind::NotNull,
        "FOREIGN KEY" => ConstraintKind::ForeignKey,
        "CHECK" => ConstraintKind::Check,
        // A datatype (STRICT), a trigger's RAISE, a virtual table.
        _ => {
            return Error::Statement {
                code: code.to_string(),
                message: message.to_owned(),
                detail: None,
                hint: None,
                position: None,
            };
        }
    };
    let (mut name, mut table, mut columns) = (String::new(), String::new(), Vec::new());
    if kind == ConstraintKind::Check {
        name = rest.to_owned();
    } else if let Some(index) = rest.strip_prefix("index ") {
        name = index.trim_matches('\'').to_owned();
    } else {
        for part in rest.split(", ").filter(|part| !part.is_empty()) {
            let (of, column) = part.rsplit_once('.').unwrap_or(("", part));
            table = of.to_owned();
            columns.push(column.to_owned());
        }
    }
    Error::Constraint {
        kind,
        message: message.to_owned(),
        name,
        table,
        columns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraint_messages() {
        use ConstraintKind::{Check, ForeignKey, NotNull, Unique};
        for (message, kind, name, table, columns) in [
            (
                "UNIQUE constraint failed: t.a, t.b",
                Unique,
                "",
                "t",
                vec!["a", "b"],
            ),
            (
                "UNIQUE constraint failed: t.id",
                Unique,
                "",
                "t",
                vec!["id"],
            ),
            (
                "UNIQUE constraint failed: index 't_lower'",
                Unique,
                "t_lower",
                "",
                vec![],
            ),
            (
                "NOT NULL constraint failed: t.c",
                NotNull,
                "",
                "t",
                vec!["c"],
            ),
            (
                "CHECK constraint failed: positive",
                Check,
                "positive",
                "",
                vec![],
            ),
            (
                "CHECK constraint failed: a > 0, b",
                Check,
                "a > 0, b",
                "",
                vec![],
            ),
            ("FOREIGN KEY constraint failed", ForeignKey, "", "", vec![]),
        ] {
            let expected = Error::Constraint {
                kind,
                message: message.to_owned(),
                name: name.to_owned(),
                table: table.to_owned(),
                columns: columns.into_iter().map(str::to_owned).collect(),
            };
            assert_eq!(read(19 | (1 << 8), message, Path::new("x")), expected);
        }
        assert!(matches!(
            read(
                3091,
                "cannot store TEXT value in INTEGER column t.a",
                Path::new("x")
            ),
            Error::Statement { .. }
        ));
    }

    #[test]
    fn codes() {
        for (code, expected) in [
            (5, "another"),
            (517, "another"),
            (6, "another"),
            (8, "can't be written"),
            (14, "can't be opened"),
            (26, "not a database"),
            (13, "no room"),
        ] {
            assert!(
                read(code, "m", Path::new("/x/y.db"))
                    .to_string()
                    .contains(expected),
                "{code}"
            );
            assert!(
                read(code, "m", Path::new("/x/y.db"))
                    .to_string()
                    .contains("/x/y.db"),
                "{code}"
            );
        }
    }
}
