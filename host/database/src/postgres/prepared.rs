//! Owns what is known of a statement before it runs: its parameters' types and its columns.

use std::sync::Arc;

use sqlx::postgres::PgTypeInfo;
use sqlx::{AssertSqlSafe, Column as _, Either, Executor, SqlSafeStr, Statement as _};

use crate::column::ColumnInfo;
use crate::error::Error;
use crate::statement::Failed;
use crate::value::Kind;

use super::decode::{self, Wire};
use super::{PostgresConnection, errors};

/// A statement that the driver has prepared.
pub(super) struct Prepared {
    /// The text to run.
    pub(super) sql: Arc<str>,
    /// The server's types of the parameters.
    pub(super) types: Vec<PgTypeInfo>,
    /// The columns of its rows.
    pub(super) infos: Vec<ColumnInfo>,
    wires: Vec<Result<Wire, Error>>,
}

impl Prepared {
    /// How each column lies on the wire.
    ///
    /// # Errors
    /// Where one can't be read.
    pub(super) fn wires(&self) -> Result<Vec<Wire>, Failed> {
        self.wires
            .iter()
            .cloned()
            .collect::<Result<_, _>>()
            .map_err(Failed::ours)
    }
}

impl PostgresConnection {
    /// Prepares a statement, or finds it prepared.
    pub(super) async fn prepare(&mut self, sql: &Arc<str>) -> Result<Prepared, Failed> {
        let statement = (&mut self.inner)
            .prepare(AssertSqlSafe(Arc::clone(sql)).into_sql_str())
            .await
            .map_err(|error| errors::failed(error, &self.place))?;
        let types = match statement.parameters() {
            Some(Either::Left(types)) => types.to_vec(),
            _ => Vec::new(),
        };
        let (infos, wires) = statement
            .columns()
            .iter()
            .map(|column| {
                let wire = Wire::of(column);
                let info = ColumnInfo {
                    name: column.name().to_owned(),
                    kind: wire.as_ref().map_or(Kind::Text, |wire| wire.kind()),
                    database_type: decode::type_name(column.type_info()),
                };
                (info, wire)
            })
            .unzip();
        Ok(Prepared {
            sql: Arc::clone(sql),
            types,
            infos,
            wires,
        })
    }
}
