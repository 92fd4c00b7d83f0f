//! Owns the error of the contract, case by case; leaves reading the databases' own errors to the backends.

use std::time::Duration;

/// Why a statement gave no answer. Each case carries what its reader needs to act; the display is one sentence for a
/// person and never holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not granted. The message has the lines to add to host.toml.
    #[error("{0}")]
    Denied(String),
    /// Refused before the database saw it.
    #[error("{0}")]
    Invalid(String),
    /// No connection became free in time. Counts are of connections.
    #[error("{message}")]
    PoolExhausted {
        /// One sentence for a person.
        message: String,
        /// How long the caller waited.
        waited: Duration,
        /// Connections kept (`pool_size`).
        size: u32,
        /// Connections allowed beyond them.
        overflow: u32,
        /// Connections lent out.
        checked_out: u32,
        /// Callers in the queue.
        waiting: u32,
    },
    /// The database can't be reached, or the connection broke under the statement.
    #[error("{message}")]
    Unavailable {
        /// Which trouble.
        reason: UnavailableReason,
        /// One sentence for a person.
        message: String,
        /// True when a commit was under way: whether it happened is not known. It is never repeated.
        outcome_unknown: bool,
    },
    /// A time limit passed.
    #[error("{message}")]
    Timeout {
        /// Which limit.
        kind: TimeoutKind,
        /// One sentence for a person.
        message: String,
        /// The limit; zero where only the database knows it.
        limit: Duration,
    },
    /// A constraint of the schema was violated.
    #[error("{message}")]
    Constraint {
        /// Which kind of constraint.
        kind: ConstraintKind,
        /// The database's own sentence.
        message: String,
        /// The constraint's name; empty where the database does not tell.
        name: String,
        /// Empty where the database does not tell.
        table: String,
        /// Empty where the database does not tell.
        columns: Vec<String>,
    },
    /// Somebody else's work was in the way; run the transaction again from its start.
    #[error("{message}")]
    Conflict {
        /// Which kind of conflict.
        kind: ConflictKind,
        /// One sentence for a person.
        message: String,
    },
    /// The database refused the statement.
    #[error("{message}")]
    Statement {
        /// SQLSTATE on PostgreSQL, the extended result code in decimal on SQLite.
        code: String,
        /// The database's own sentence.
        message: String,
        /// More of it, where there is more.
        detail: Option<String>,
        /// The database's advice, where it gives one.
        hint: Option<String>,
        /// Characters into the SQL text, from 1.
        position: Option<u32>,
    },
    /// A limit was hit.
    #[error("{message}")]
    Limit {
        /// Which limit.
        kind: LimitKind,
        /// One sentence for a person.
        message: String,
        /// In the kind's own unit: rows, bytes, connections, handles, bytes of SQL, parameters, levels.
        maximum: u64,
    },
    /// The transaction or cursor has ended: committed, rolled back, or its call is over.
    #[error("{0}")]
    Closed(String),
}

/// Why the database is not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnavailableReason {
    /// Nobody listens, no route, no such host, or the socket broke.
    Unreachable,
    /// The server refused user or password.
    Authentication,
    /// No database of that name.
    NoDatabase,
    /// TLS was asked for and is not to be had, or its certificate was not trusted.
    Tls,
    /// The server has no connection left, or is going down.
    NotReady,
    /// The server is there and takes no connections yet, or no more: it is starting up or shutting down.
    Starting,
    /// A file that can't be opened, or is not a database.
    File,
    /// Anything else.
    Other,
}

/// Which time limit passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeoutKind {
    /// One statement's time.
    Statement,
    /// The transaction's own timeout option.
    Transaction,
    /// The whole call's deadline.
    Call,
}

/// Which kind of constraint was violated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConstraintKind {
    /// A unique index or primary key.
    Unique,
    /// A reference to a row that is not there, or still referred to.
    ForeignKey,
    /// A null where none may be.
    NotNull,
    /// A CHECK.
    Check,
    /// An exclusion constraint.
    Exclusion,
}

/// Which kind of conflict with somebody else's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConflictKind {
    /// Serialization failure.
    Serialization,
    /// Deadlock; this side was the victim.
    Deadlock,
    /// SQLite: another writer holds the lock; PostgreSQL: lock not available.
    Busy,
}

/// Which limit was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitKind {
    /// Rows of one answer.
    Rows,
    /// Bytes of one answer.
    Bytes,
    /// Connections held at once.
    Connections,
    /// Live handles.
    Handles,
    /// Bytes of one SQL text.
    SqlLength,
    /// Parameters of one statement.
    Parameters,
    /// Levels of nesting.
    Depth,
}

impl Error {
    /// Whether the same work may go well another time, nothing having been changed: the database is away or has no room,
    /// or somebody else's work was in the way.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Conflict { .. }
            | Self::Unavailable { .. }
            | Self::PoolExhausted { .. }
            | Self::Timeout { .. } => true,
            // PostgreSQL's classes of insufficient resources, an operator's intervention and system errors; and a
            // server that has become a standby.
            Self::Statement { code, .. } => {
                code.len() == 5
                    && (["53", "57", "58"]
                        .iter()
                        .any(|class| code.starts_with(class))
                        || code == "25006")
            }
            _ => false,
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Error::Invalid(message.into())
    }

    pub(crate) fn unavailable(reason: UnavailableReason, message: impl Into<String>) -> Self {
        Error::Unavailable {
            reason,
            message: message.into(),
            outcome_unknown: false,
        }
    }

    /// The same error, saying that nobody knows whether the commit happened.
    pub(crate) fn with_unknown_outcome(self) -> Self {
        match self {
            Error::Unavailable {
                reason,
                message,
                outcome_unknown: false,
            } => Error::Unavailable {
                reason,
                message: format!("{message}; whether the changes were committed is not known"),
                outcome_unknown: true,
            },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_go_well_another_time() {
        let statement = |code: &str| Error::Statement {
            code: code.to_owned(),
            message: String::new(),
            detail: None,
            hint: None,
            position: None,
        };
        for (error, expected) in [
            (Error::unavailable(UnavailableReason::File, "x"), true),
            (statement("53100"), true),
            (statement("57014"), true),
            (statement("25006"), true),
            (statement("42703"), false),
            // SQLite's codes are not PostgreSQL's.
            (statement("531"), false),
            (Error::invalid("x"), false),
            (Error::Closed(String::new()), false),
        ] {
            assert_eq!(error.is_passing(), expected, "{error:?}");
        }
    }
}
