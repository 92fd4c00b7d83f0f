//! Owns what is asked of a connection and what comes back, the same for both databases.

use std::sync::Arc;

use crate::builder::Limits;
use crate::column::Answer;
use crate::error::Error;
use crate::footprint::StatementKind;
use crate::value::Value;

/// One statement to run.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) sql: &'a Arc<str>,
    pub(crate) parameters: &'a [Value],
    pub(crate) kind: StatementKind,
    pub(crate) limits: Limits,
    /// Whether rows are wanted; otherwise they are counted only.
    pub(crate) rows: bool,
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
}
