//! Owns what is known of a statement before it runs: its parameters' types and its columns, and the text that is run
//! where one of those can't be read as it is.

use std::num::NonZeroUsize;
use std::sync::Arc;

use sqlx::postgres::{PgColumn, PgStatement, PgTypeInfo, types::Oid};
use sqlx::{AssertSqlSafe, Column as _, Either, Executor, SqlSafeStr, Statement as _};

use crate::column::ColumnInfo;
use crate::error::Error;
use crate::statement::Failed;

use super::decode::{self, Shape, Wire};
use super::wrapped::{Shown, wrapped};
use super::{PostgresConnection, errors};

/// Statements that are known without asking the driver again.
pub(super) const KNOWN: NonZeroUsize = NonZeroUsize::MIN.saturating_add(99);

/// Statements that the driver keeps prepared. A statement that is known here takes two of them at most, and every use of
/// it is a use of the driver's, too: what is known here, the driver has not thrown away.
pub(super) const KEPT: usize = 256;

/// A statement that the driver has prepared.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The text to run.
    pub(super) sql: Arc<str>,
    /// The server's types of the parameters.
    pub(super) types: Vec<PgTypeInfo>,
    /// The columns of its rows, as a guest is told.
    pub(super) infos: Vec<ColumnInfo>,
    /// The same columns, as they are read.
    pub(super) columns: Vec<Read>,
}

/// How one column of an answer is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub(super) wire: Wire,
    oid: Option<Oid>,
    shown: Shown,
}

/// A statement as it was given, and the one that answers its rows where that is another.
#[derive(Debug)]
pub(super) struct Known {
    given: Arc<Prepared>,
    wrapped: Option<Arc<Prepared>>,
}

impl Read {
    fn of(column: &PgColumn) -> Self {
        let info = column.type_info();
        let (wire, shown) = match Shape::of(info) {
            Shape::Scalar(wire) => (wire, Shown::Itself),
            Shape::Array(_) => (Wire::Json, Shown::Json),
            Shape::Other => (Wire::Text, Shown::Text),
        };
        Self {
            wire,
            oid: info.oid(),
            shown,
        }
    }

    /// Whether the column of an answer is of the type that was prepared.
    pub(super) fn is(&self, column: &PgColumn) -> bool {
        self.oid == column.type_info().oid()
    }
}

impl Prepared {
    fn new(sql: Arc<str>, statement: &PgStatement) -> Self {
        let types = match statement.parameters() {
            Some(Either::Left(types)) => types.to_vec(),
            _ => Vec::new(),
        };
        let columns: Vec<Read> = statement.columns().iter().map(Read::of).collect();
        let infos = statement
            .columns()
            .iter()
            .zip(&columns)
            .map(|(column, read)| ColumnInfo {
                name: column.name().to_owned(),
                kind: read.wire.kind(),
                database_type: decode::type_name(column.type_info()),
            });
        Self {
            sql,
            types,
            infos: infos.collect(),
            columns,
        }
    }

    /// Whether all its columns can be read as they are.
    fn is_readable(&self) -> bool {
        self.columns.iter().all(|read| read.shown == Shown::Itself)
    }

    /// Why it can't be wrapped, and what to do about it.
    fn unreadable(&self, reason: &str) -> Error {
        let column = self
            .columns
            .iter()
            .zip(&self.infos)
            .find(|(read, _)| read.shown != Shown::Itself);
        let (name, kind, cast) = match column {
            Some((read, info)) if read.shown == Shown::Json => (
                &*info.name,
                &*info.database_type,
                format!("to_json({})", info.name),
            ),
            Some((_, info)) => (
                &*info.name,
                &*info.database_type,
                format!("{}::text", info.name),
            ),
            None => ("", "", "::text".to_owned()),
        };
        Error::invalid(format!(
            "column {name:?} has the type {kind}, which can't be asked for as text around this statement ({reason}): cast it in the statement, for example {cast}"
        ))
    }
}

impl PostgresConnection {
    /// Prepares a statement, or finds it prepared. Where its rows are wanted it is one whose columns can all be read.
    pub(super) async fn prepare(
        &mut self,
        sql: &Arc<str>,
        rows: bool,
    ) -> Result<Arc<Prepared>, Failed> {
        let given = match self.prepared.get(sql) {
            Some(known) => match &known.wrapped {
                Some(wrapped) if rows => return Ok(Arc::clone(wrapped)),
                _ => Arc::clone(&known.given),
            },
            None => {
                let statement = self.prepare_text(sql, &[]).await?;
                let given = Arc::new(Prepared::new(Arc::clone(sql), &statement));
                let known = Known {
                    given: Arc::clone(&given),
                    wrapped: None,
                };
                self.prepared.put(Arc::clone(sql), known);
                given
            }
        };
        if !rows || given.is_readable() {
            return Ok(given);
        }
        let wrapped = Arc::new(self.wrap(&given).await?);
        if let Some(known) = self.prepared.get_mut(sql) {
            known.wrapped = Some(Arc::clone(&wrapped));
        }
        Ok(wrapped)
    }

    /// Only the columns that were not readable are changed, so the common statement pays nothing for this.
    async fn wrap(&mut self, given: &Prepared) -> Result<Prepared, Failed> {
        let shown: Vec<Shown> = given.columns.iter().map(|read| read.shown).collect();
        let Some(text) = wrapped(&given.sql, &shown) else {
            return Err(Failed::ours(given.unreadable("its text can't be read")));
        };
        let sql: Arc<str> = Arc::from(text);
        let statement = match self.prepare_text(&sql, &given.types).await {
            Err(failed) if failed.refused && !failed.broken => {
                return Err(Failed {
                    error: given.unreadable(&failed.error.to_string()),
                    ..failed
                });
            }
            prepared => prepared?,
        };
        let (answered, own) = statement
            .columns()
            .split_at_checked(given.columns.len())
            .ok_or_else(errors::stale)?;
        let is_same = own.len() == given.columns.len()
            && own
                .iter()
                .zip(given.columns.iter().zip(&given.infos))
                .all(|(column, (read, info))| read.is(column) && column.name() == info.name);
        let columns: Vec<Read> = answered.iter().map(Read::of).collect();
        let is_read = columns
            .iter()
            .zip(&given.infos)
            .all(|(read, info)| read.shown == Shown::Itself && read.wire.kind() == info.kind);
        // Between the two the table was changed.
        if !is_same || !is_read {
            return Err(errors::stale());
        }
        Ok(Prepared {
            types: given.types.clone(),
            infos: given.infos.clone(),
            columns,
            sql,
        })
    }

    async fn prepare_text(
        &mut self,
        sql: &Arc<str>,
        types: &[PgTypeInfo],
    ) -> Result<PgStatement, Failed> {
        let sql = AssertSqlSafe(Arc::clone(sql)).into_sql_str();
        (&mut self.inner)
            .prepare_with(sql, types)
            .await
            .map_err(|error| errors::prepare(error, &self.place))
    }
}
