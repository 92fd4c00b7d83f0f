//! What can go wrong between a plugin and the database: the host's typed error, or a cell of another type.

use std::fmt;

use crate::bindings::imports::poolhouse::database::types;
use crate::database::{Constraint, LimitKind};

/// Displays as one sentence for a person, and turns into a [`Failure`](crate::Failure) or, for a strategy, a `String`.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// What the host answered.
    Database(types::Error),
    /// A cell that can't be read as the type asked for; the message names the column.
    Decode(String),
}

impl Error {
    /// Whether somebody else's work was in the way: the transaction is gone and may be run again from its start.
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

    /// The constraint that the statement would have broken.
    pub fn constraint(&self) -> Option<&Constraint> {
        match self {
            Self::Database(types::Error::Constraint(constraint)) => Some(constraint),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use types::Error as Database;
        match self {
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
}
