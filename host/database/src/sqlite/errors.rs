//! Owns reading SQLite's and the driver's errors into the contract's.

use std::path::Path;

use crate::error::{ConflictKind, ConstraintKind, Error, UnavailableReason};
use crate::statement::Failed;

/// Somebody else changed the tables under a statement that was known; what it did is to be undone.
pub(super) fn stale() -> Failed {
    Failed {
        error: Error::Conflict {
            kind: ConflictKind::Serialization,
            message: "the tables were changed since the statement was prepared: run it again"
                .to_owned(),
        },
        refused: true,
        broken: false,
    }
}

/// Primary result codes that have advice of their own.
pub(super) const CORRUPT: i32 = 11;
pub(super) const FULL: i32 = 13;
pub(super) const NOT_A_DATABASE: i32 = 26;

/// Refused by the authorizer.
const AUTHORIZER: i32 = 23;

/// Result codes of constraints; all of them extend the first.
const CONSTRAINT: i32 = 19;
const CHECK: i32 = 275;
const FOREIGN_KEY: i32 = 787;
const NOT_NULL: i32 = 1299;
const PRIMARY_KEY: i32 = 1555;
const TRIGGER: i32 = 1811;
const UNIQUE: i32 = 2067;
const VIRTUAL_TABLE: i32 = 2323;
const ROWID: i32 = 2579;

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
        CONSTRAINT => constraint(code, message),
        AUTHORIZER => Error::Denied(message.to_owned()),
        _ => Error::Statement {
            code: code.to_string(),
            message: message.to_owned(),
            detail: None,
            hint: None,
            position: None,
        },
    }
}

/// The extended code tells the kind, the message all else: `UNIQUE constraint failed: t.a, t.b`.
fn constraint(code: i32, message: &str) -> Error {
    let kind = match code {
        CHECK => ConstraintKind::Check,
        FOREIGN_KEY => ConstraintKind::ForeignKey,
        NOT_NULL => ConstraintKind::NotNull,
        PRIMARY_KEY | UNIQUE | ROWID => ConstraintKind::Unique,
        // ON DELETE RESTRICT is a trigger of SQLite's own.
        TRIGGER if message == "FOREIGN KEY constraint failed" => ConstraintKind::ForeignKey,
        // A virtual table's own key.
        CONSTRAINT | VIRTUAL_TABLE if message.starts_with("UNIQUE constraint failed: ") => {
            ConstraintKind::Unique
        }
        // A datatype (STRICT), a trigger's RAISE.
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
    let rest = message
        .split_once(" constraint failed: ")
        .map_or("", |(_, rest)| rest);
    let (mut name, mut table, mut columns) = (String::new(), String::new(), Vec::new());
    let index = rest
        .strip_prefix("index '")
        .and_then(|rest| rest.strip_suffix('\''));
    if kind == ConstraintKind::Check {
        name = rest.to_owned();
    } else if let Some(index) = index {
        // SQLite doubles the quotes in it.
        name = index.replace("''", "'");
    } else {
        (table, columns) = columns_of(rest);
    }
    Error::Constraint {
        kind,
        message: message.to_owned(),
        name,
        table,
        columns,
    }
}

/// `t.a, t.b`. Nothing is quoted in it: of all that stands before a dot the table is what makes the most columns, and of
/// those what leaves no dot in one.
fn columns_of(list: &str) -> (String, Vec<String>) {
    let (mut best, mut found) = ((0, false), (String::new(), Vec::new()));
    for (dot, _) in list.match_indices('.') {
        let (table, rest) = list.split_at(dot);
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        let between = format!(", {table}.");
        let columns: Vec<String> = rest.split(&between).map(str::to_owned).collect();
        let rank = (
            columns.len(),
            !columns.iter().any(|name| name.contains('.')),
        );
        if rank > best {
            (best, found) = (rank, (table.to_owned(), columns));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraint_messages() {
        use ConstraintKind::{Check, ForeignKey, NotNull, Unique};
        for (code, message, kind, name, table, columns) in [
            (
                UNIQUE,
                "UNIQUE constraint failed: t.a, t.b",
                Unique,
                "",
                "t",
                vec!["a", "b"],
            ),
            (
                PRIMARY_KEY,
                "UNIQUE constraint failed: t.id",
                Unique,
                "",
                "t",
                vec!["id"],
            ),
            (
                ROWID,
                "UNIQUE constraint failed: t.rowid",
                Unique,
                "",
                "t",
                vec!["rowid"],
            ),
            (
                UNIQUE,
                "UNIQUE constraint failed: index 't_lower'",
                Unique,
                "t_lower",
                "",
                vec![],
            ),
            (
                UNIQUE,
                "UNIQUE constraint failed: index 'it''s'",
                Unique,
                "it's",
                "",
                vec![],
            ),
            (
                UNIQUE,
                "UNIQUE constraint failed: my.t.a, my.t.b",
                Unique,
                "",
                "my.t",
                vec!["a", "b"],
            ),
            (
                UNIQUE,
                "UNIQUE constraint failed: odd, t.a, odd, t.b",
                Unique,
                "",
                "odd, t",
                vec!["a", "b"],
            ),
            (
                UNIQUE,
                "UNIQUE constraint failed: t.a.b, t.c",
                Unique,
                "",
                "t",
                vec!["a.b", "c"],
            ),
            (
                UNIQUE,
                "UNIQUE constraint failed: t.a, b, t.c",
                Unique,
                "",
                "t",
                vec!["a, b", "c"],
            ),
            (
                VIRTUAL_TABLE,
                "UNIQUE constraint failed: r.id",
                Unique,
                "",
                "r",
                vec!["id"],
            ),
            (
                NOT_NULL,
                "NOT NULL constraint failed: t.c",
                NotNull,
                "",
                "t",
                vec!["c"],
            ),
            (
                CHECK,
                "CHECK constraint failed: positive",
                Check,
                "positive",
                "",
                vec![],
            ),
            (
                CHECK,
                "CHECK constraint failed: a > 0, b",
                Check,
                "a > 0, b",
                "",
                vec![],
            ),
            (
                CHECK,
                "CHECK constraint failed: a constraint failed: b",
                Check,
                "a constraint failed: b",
                "",
                vec![],
            ),
            (
                FOREIGN_KEY,
                "FOREIGN KEY constraint failed",
                ForeignKey,
                "",
                "",
                vec![],
            ),
            (
                TRIGGER,
                "FOREIGN KEY constraint failed",
                ForeignKey,
                "",
                "",
                vec![],
            ),
        ] {
            let expected = Error::Constraint {
                kind,
                message: message.to_owned(),
                name: name.to_owned(),
                table: table.to_owned(),
                columns: columns.into_iter().map(str::to_owned).collect(),
            };
            assert_eq!(read(code, message, Path::new("x")), expected);
        }
        for (code, message) in [
            (3091, "cannot store TEXT value in INTEGER column t.a"),
            (TRIGGER, "UNIQUE constraint failed: t.a"),
            (VIRTUAL_TABLE, "rtree constraint failed: r.(a<=b)"),
            (CONSTRAINT, "constraint failed"),
            (531, "constraint failed"),
        ] {
            let read = read(code, message, Path::new("x"));
            assert!(matches!(read, Error::Statement { .. }), "{read:?}");
        }
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
