//! Owns why a plugin's migrations were not applied.

use crate::error::{ConflictKind, Error};

/// Why a plugin's migrations were not applied. Nothing was changed then, unless the cause says that nobody knows. The
/// text holds the cause, which is therefore not a `source`: whoever prints sources would say it twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MigrationError {
    /// Not granted; the message has the lines to add to host.toml.
    #[error("{0}")]
    Denied(String),
    /// The list of migrations is wrong.
    #[error("the migrations of plugin {plugin:?} can't be applied: {reason}")]
    Invalid {
        /// Whose they are.
        plugin: String,
        /// What is wrong.
        reason: String,
    },
    /// A table that is there already lacks columns.
    #[error(
        "migration {number} of plugin {plugin:?} needs table {table:?} with the columns {}, but the one that is there lacks {}: add them, or rename the table",
        columns.join(", "),
        missing.join(", ")
    )]
    MissingColumns {
        /// Whose migration.
        plugin: String,
        /// Which one.
        number: u32,
        /// The table.
        table: String,
        /// The columns that the plugin needs.
        columns: Vec<String>,
        /// Those that are missing.
        missing: Vec<String>,
    },
    /// The database refused a statement.
    #[error(
        "migration {number} ({name}) of plugin {plugin:?} failed at statement {statement}: {cause}"
    )]
    Statement {
        /// Whose migration.
        plugin: String,
        /// Which one.
        number: u32,
        /// Its name.
        name: String,
        /// Which statement, from 1.
        statement: usize,
        /// What the database said.
        cause: Box<Error>,
    },
    /// The database is not to be had, or refused what the host does around the migrations.
    #[error("the migrations of plugin {plugin:?} could not be applied: {cause}")]
    Database {
        /// Whose they are.
        plugin: String,
        /// Why.
        cause: Box<Error>,
    },
}

impl MigrationError {
    /// What the database said, where it was the database.
    #[must_use]
    pub fn database(&self) -> Option<&Error> {
        match self {
            Self::Statement { cause, .. } | Self::Database { cause, .. } => Some(cause),
            Self::Denied(_) | Self::Invalid { .. } | Self::MissingColumns { .. } => None,
        }
    }

    /// Which conflict with somebody else's work it was, if one.
    pub(super) fn conflict(&self) -> Option<ConflictKind> {
        match self.database() {
            Some(Error::Conflict { kind, .. }) => Some(*kind),
            _ => None,
        }
    }
}
