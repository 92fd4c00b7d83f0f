//! What can go wrong between a plugin and the database: the host's typed error, or a cell of another type.

use std::fmt;

use crate::bindings::imports::poolhouse::database::types;
use crate::database::{Constraint, ConstraintKind, LimitKind};

/// Displays as one sentence for a person, and turns into a [`Failure`](crate::Failure) or, for a strategy, a `String`.
///
/// What the host answers is in [`Error::Database`], each case with what its reader needs to act; the functions here are
/// for what code asks most.
///
/// ```
/// use poolhouse::database::{Error, Session};
/// use poolhouse::{Failure, params};
///
/// fn register(name: &str) -> Result<(), Failure> {
///     let inserted = Session::open()?.execute("INSERT INTO users (name) VALUES ($1)", params![name]);
///     match inserted {
///         Ok(_) => Ok(()),
///         Err(error) if error.is_unique_violation("users_name_key", &["name"]) => {
///             Err(Failure::failed(format!("there is a user `{name}` already; take another name")))
///         }
///         Err(error) => Err(error.into()),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// What the host answered.
    Database(types::Error),
    /// A cell that can't be read as the type asked for, or a column that is not there; the message names field, column
    /// and row, counted from 1.
    Decode(String),
    /// There is no row where one is needed.
    NoRow,
    /// There are that many rows where one is needed.
    ManyRows(usize),
}

impl Error {
    /// Whether somebody else's work was in the way: the transaction is gone and may be run again from its start, as
    /// [`transaction_retrying_conflicts`](crate::database::transaction_retrying_conflicts) does.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Database(types::Error::Conflict(_)))
    }

    /// Whether the answer had more rows or bytes than the plugin's limit; a cursor reads it.
    pub fn is_too_large(&self) -> bool {
        matches!(
            self,
            Self::Database(types::Error::Limit(limit)) if matches!(limit.kind, LimitKind::Rows | LimitKind::Bytes)
        )
    }

    /// Whether a commit was under way when the connection broke, so that nobody knows whether it happened. Look whether
    /// the work is there before doing it again.
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::Database(types::Error::Unavailable(error)) if error.outcome_unknown)
    }

    /// Whether the database could not be reached, or the connection broke.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Database(types::Error::Unavailable(_)))
    }

    /// Whether no connection became free in time, or none was free for a chain that may not wait.
    pub fn is_pool_exhausted(&self) -> bool {
        matches!(self, Self::Database(types::Error::PoolExhausted(_)))
    }

    /// Whether a deadline passed: the statement's, the transaction's or the call's.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Database(types::Error::Timeout(_)))
    }

    /// Whether the plugin was not granted what it asked for.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Database(types::Error::Denied(_)))
    }

    /// Whether the transaction or cursor had ended: committed, rolled back, or its call was over.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Database(types::Error::Closed(_)))
    }

    /// The constraint that the statement would have broken.
    pub fn constraint(&self) -> Option<&Constraint> {
        match self {
            Self::Database(types::Error::Constraint(constraint)) => Some(constraint),
            _ => None,
        }
    }

    /// Whether the unique constraint of that name, or of those columns in any order, would have been broken:
    /// PostgreSQL tells the name, SQLite the columns.
    pub fn is_unique_violation(&self, name: &str, columns: &[&str]) -> bool {
        self.constraint().is_some_and(|constraint| {
            constraint.kind == ConstraintKind::Unique
                && if constraint.name.is_empty() {
                    constraint.columns.len() == columns.len()
                        && columns
                            .iter()
                            .all(|column| constraint.columns.iter().any(|told| told == column))
                } else {
                    constraint.name == name
                }
        })
    }

    /// Whether a row that is referred to is missing, or one that is still referred to would go.
    pub fn is_foreign_key_violation(&self) -> bool {
        self.constraint()
            .is_some_and(|constraint| constraint.kind == ConstraintKind::ForeignKey)
    }

    /// The five characters of a statement's SQLSTATE; none on SQLite, and none for constraints, conflicts and timeouts,
    /// which are cases of their own.
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Database(types::Error::Statement(error)) if error.code.len() == 5 => {
                Some(&error.code)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use types::Error as Database;
        match self {
            Self::NoRow => f.write_str(
                "the query answered no row, and one is needed; where there may be none, read an optional row",
            ),
            Self::ManyRows(count) => write!(
                f,
                "the query answered {count} rows, and one is needed; narrow its WHERE, add LIMIT 1, or read them all"
            ),
            Self::Decode(message) | Self::Database(Database::Closed(message)) => {
                f.write_str(message)
            }
            Self::Database(Database::Denied(error)) => f.write_str(&error.message),
            Self::Database(Database::Invalid(error)) => f.write_str(&error.message),
            Self::Database(Database::PoolExhausted(error)) => f.write_str(&error.message),
            Self::Database(Database::Unavailable(error)) => f.write_str(&error.message),
            Self::Database(Database::Timeout(error)) => f.write_str(&error.message),
            Self::Database(Database::Constraint(error)) => f.write_str(&error.message),
            Self::Database(Database::Conflict(error)) => f.write_str(&error.message),
            Self::Database(Database::Limit(error)) => f.write_str(&error.message),
            Self::Database(Database::Statement(error)) => {
                f.write_str(&error.message)?;
                for more in [&error.detail, &error.hint].into_iter().flatten() {
                    write!(f, " ({more})")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Error> for String {
    fn from(error: Error) -> Self {
        error.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::{Conflict, ConflictKind, Limit, StatementFailed};
    use crate::{Failure, FailureKind};

    #[test]
    fn errors_become_failures_with_the_sentence() {
        let error = Error::from(types::Error::Statement(StatementFailed {
            code: "42703".into(),
            message: "column \"nme\" does not exist".into(),
            detail: None,
            hint: Some("Perhaps you meant \"name\".".into()),
            position: Some(8),
        }));
        let failure = Failure::from(error);
        assert_eq!(failure.kind, FailureKind::Failed);
        assert_eq!(
            failure.message,
            "column \"nme\" does not exist (Perhaps you meant \"name\".)"
        );
    }

    #[test]
    fn the_kinds_that_code_acts_on_are_told_apart() {
        let conflict = Error::from(types::Error::Conflict(Conflict {
            kind: ConflictKind::Busy,
            message: "database is locked".into(),
        }));
        let limit = |kind| {
            Error::from(types::Error::Limit(Limit {
                kind,
                message: "too many".into(),
                maximum: 1,
            }))
        };
        assert!(conflict.is_conflict() && !conflict.is_too_large());
        assert!(limit(LimitKind::Rows).is_too_large() && limit(LimitKind::Bytes).is_too_large());
        assert!(!limit(LimitKind::Depth).is_too_large());
    }

    #[test]
    fn a_unique_violation_is_told_by_name_or_by_columns() {
        let violation = |kind, name: &str, columns: &[&str]| {
            Error::from(types::Error::Constraint(Constraint {
                kind,
                message: "there already".into(),
                name: name.into(),
                table: "orders".into(),
                columns: columns.iter().map(|&column| column.into()).collect(),
            }))
        };
        let is = |error: Error| error.is_unique_violation("orders_key", &["user_id", "symbol"]);
        assert!(is(violation(ConstraintKind::Unique, "orders_key", &[])));
        assert!(is(violation(
            ConstraintKind::Unique,
            "",
            &["symbol", "user_id"]
        )));
        for other in [
            violation(ConstraintKind::Check, "orders_key", &[]),
            violation(
                ConstraintKind::Unique,
                "orders_pkey",
                &["user_id", "symbol"],
            ),
            violation(ConstraintKind::Unique, "", &["user_id"]),
            violation(ConstraintKind::Unique, "", &["user_id", "side"]),
            violation(ConstraintKind::Unique, "", &[]),
            Error::NoRow,
        ] {
            assert!(!is(other.clone()), "{other:?}");
        }
        assert!(violation(ConstraintKind::ForeignKey, "", &[]).is_foreign_key_violation());
    }

    #[test]
    fn codes_of_sqlite_are_no_sqlstates() {
        let statement = |code: &str| {
            Error::from(types::Error::Statement(StatementFailed {
                code: code.into(),
                message: "no such table".into(),
                detail: None,
                hint: None,
                position: None,
            }))
        };
        assert_eq!(statement("42P01").sqlstate(), Some("42P01"));
        assert_eq!(statement("1").sqlstate(), None);
    }
}
