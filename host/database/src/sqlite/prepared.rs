//! Owns what is known of a statement before it runs: the text that the driver has it under, and how its columns were declared.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Column as _, ColumnOrigin, Executor, Row, SqlSafeStr, Statement as _};

use crate::statement::{Failed, Request};
use crate::value::Kind;

use super::{SqliteConnection, authorizer, decode, errors, placeholders};

/// What is known of a prepared statement.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The text that the driver has it under.
    pub(super) sql: Arc<str>,
    /// The same with the question behind it whether the tables are still those that were prepared for; both in one turn of
    /// the driver's thread.
    pub(super) checked: Arc<str>,
    /// Which columns it has may depend on the table.
    pub(super) has_star: bool,
    pub(super) columns: Vec<Declared>,
}

#[derive(Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) database_type: String,
    /// None: the first value decides.
    pub(super) kind: Option<Kind>,
}

impl SqliteConnection {
    /// [`Self::prepare`] for rows that are read in more than one turn of the driver's thread.
    pub(super) async fn prepare_anew(
        &mut self,
        request: &Request<'_>,
    ) -> Result<Arc<Prepared>, Failed> {
        // What is not known yet is found out of the tables as they are now in any case.
        if self.prepared.contains(request.sql) {
            self.forget_changed().await?;
        }
        self.prepare(request).await
    }

    pub(super) async fn prepare(&mut self, request: &Request<'_>) -> Result<Arc<Prepared>, Failed> {
        if let Some(prepared) = self.prepared.get(request.sql) {
            return Ok(Arc::clone(prepared));
        }
        let sql = placeholders::nameless(request.sql);
        let sql = authorizer::text(sql.as_deref().unwrap_or(request.sql), request.author);
        // What is found out now is of the tables as they are now.
        self.forget_changed().await?;
        let text = AssertSqlSafe(Arc::clone(&sql)).into_sql_str();
        let prepared = self
            .by_rules(request.rules(), async |connection| {
                (&mut connection.inner).prepare(text).await
            })
            .await;
        let statement = prepared.map_err(|error| errors::failed(error, &self.path))?;
        let mut columns = Vec::with_capacity(statement.columns().len());
        for column in statement.columns() {
            let database_type = match column.origin() {
                ColumnOrigin::Table(origin) => {
                    self.declared_type(&origin.table, &origin.name).await?
                }
                _ => String::new(),
            };
            columns.push(Declared {
                name: column.name().to_owned(),
                kind: decode::declared_kind(&database_type),
                database_type,
            });
        }
        let checked = Arc::from(format!("{sql}; PRAGMA schema_version"));
        let prepared = Arc::new(Prepared {
            sql,
            checked,
            has_star: request.sql.contains('*'),
            columns,
        });
        self.prepared
            .put(Arc::clone(request.sql), Arc::clone(&prepared));
        Ok(prepared)
    }

    /// The type with which a column was declared, as it was written; the driver drops it.
    async fn declared_type(&mut self, table: &str, column: &str) -> Result<String, Failed> {
        let table = table.to_ascii_lowercase();
        if !self.declared.contains_key(&table) {
            let rows = sqlx::query("SELECT name, type FROM pragma_table_xinfo($1)")
                .bind(&table)
                .fetch_all(&mut self.inner)
                .await
                .map_err(|error| errors::failed(error, &self.path))?;
            let types = rows
                .iter()
                .filter_map(|row| {
                    Some((
                        row.try_get::<String, _>(0).ok()?.to_ascii_lowercase(),
                        row.try_get::<String, _>(1).ok()?,
                    ))
                })
                .collect();
            self.declared.insert(table.clone(), types);
        }
        Ok(self
            .declared
            .get(&table)
            .and_then(|types| types.get(&column.to_ascii_lowercase()))
            .cloned()
            .unwrap_or_default())
    }
}
