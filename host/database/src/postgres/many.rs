//! Owns running one PostgreSQL statement for many rows: as arrays in one statement where that means the same, else one
//! execution of the prepared statement after the other.
//!
//! A plain `INSERT … VALUES ($1, …)` means the same as `INSERT … SELECT … FROM UNNEST($1, …)` where nothing that runs
//! for a row can see whether the rows before it are there: no trigger, rule, row security or reference of the table to
//! itself, no default or check that calls a function of somebody's own, no domain. UNNEST gives the rows in their
//! order, so that serial numbers and the first of two equal keys are the same, too. Everything else goes one by one, as
//! do rows of which UNNEST's statement failed, to learn which row it was.

use std::sync::Arc;

use sqlparser::ast::{
    ConflictTarget, Expr, Ident, Insert, ObjectName, ObjectNamePart, OnConflictAction, OnInsert,
    Query, SetExpr, Statement, TableObject, Value as Literal,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlx::postgres::PgTypeInfo;
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr, TypeInfo};

use crate::footprint::is_simple;
use crate::many::{Many, at_row, row_bytes, slice};
use crate::statement::Failed;
use crate::url::Backend;
use crate::value::Value;

use super::{PostgresConnection, encode, errors};

/// Fewer rows than this are not worth asking the catalog.
const FEW: usize = 4;

/// Bytes of parameters in one message, about.
const MESSAGE: usize = 8 * 1024 * 1024;

/// Types whose arrays' elements are assigned to a column as they are themselves, by the driver's names.
const TYPES: [&str; 17] = [
    "BOOL",
    "INT2",
    "INT4",
    "INT8",
    "FLOAT4",
    "FLOAT8",
    "NUMERIC",
    "TEXT",
    "VARCHAR",
    "BYTEA",
    "UUID",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMPTZ",
    "JSON",
    "JSONB",
];

/// Whether nothing that runs for a row of this table can see the rows before it.
const PLAIN: &str = "SELECT c.relkind = 'r' AND NOT c.relrowsecurity AND NOT c.relhasrules \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.confrelid = c.oid) \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type y ON y.oid = a.atttypid \
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND y.typtype = 'd') \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass \
        AND (d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass \
                AND d.objid IN (SELECT f.oid FROM pg_catalog.pg_attrdef f WHERE f.adrelid = c.oid) \
            OR d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass \
                AND d.objid IN (SELECT k.oid FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid))) \
    FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)";

impl PostgresConnection {
    /// Runs it in the transaction that is open; the caller undoes what was done before a failure.
    pub(crate) async fn many(&mut self, many: &Many<'_>) -> Result<u64, Failed> {
        let work = async |connection: &mut Self| connection.many_busy(many).await;
        self.on_statement(&many.request(&[]), work).await
    }

    async fn many_busy(&mut self, many: &Many<'_>) -> Result<u64, Failed> {
        let prepared = self.prepare(many.sql, false).await?;
        if many.rows >= FEW
            && let Some(plain) = Plain::read(many.sql)
            && let Some(sql) = plain.unnested(&prepared.types)
            && self.is_plain(&plain.table).await?
        {
            self.batch("SAVEPOINT poolhouse_unnest").await?;
            self.busy = true;
            match self.unnest(many, &Arc::from(sql)).await {
                Ok(changed) => {
                    self.batch("RELEASE SAVEPOINT poolhouse_unnest").await?;
                    return Ok(changed);
                }
                Err(failed) if failed.broken => return Err(failed),
                Err(_) => {
                    self.roll_back_to("poolhouse_unnest").await?;
                }
            }
            self.busy = true;
        }
        let mut changed = 0_u64;
        for row in 0..many.rows {
            let values: Vec<Value> = many.row(row).collect();
            let arguments = encode::arguments(&values, &prepared.types)
                .map_err(|error| at_row(Failed::ours(error), row))?;
            let sql = AssertSqlSafe(Arc::clone(&prepared.sql)).into_sql_str();
            let done = (&mut self.inner)
                .execute(sqlx::query_with(sql, arguments))
                .await
                .map_err(|error| at_row(errors::failed(error, &self.place), row))?;
            changed = changed.saturating_add(done.rows_affected());
        }
        Ok(changed)
    }

    /// Asked each time, as a migration may have given the table a trigger.
    async fn is_plain(&mut self, table: &str) -> Result<bool, Failed> {
        let plain = sqlx::query_scalar(PLAIN)
            .bind(table)
            .fetch_optional(&mut self.inner)
            .await;
        plain
            .map(|plain| plain.unwrap_or(false))
            .map_err(|error| errors::failed(error, &self.place))
    }

    async fn unnest(&mut self, many: &Many<'_>, sql: &Arc<str>) -> Result<u64, Failed> {
        let prepared = self.prepare(sql, false).await?;
        let (mut changed, mut start) = (0_u64, 0);
        while start < many.rows {
            let (mut end, mut bytes) = (start, 0);
            while end < many.rows && (end == start || bytes < MESSAGE) {
                bytes += row_bytes(many.columns, end);
                end += 1;
            }
            let arrays: Vec<Value> = many
                .columns
                .iter()
                .map(|column| Value::Array(slice(column, start, end - start)))
                .collect();
            let arguments = encode::arguments(&arrays, &prepared.types).map_err(Failed::ours)?;
            let text = AssertSqlSafe(Arc::clone(&prepared.sql)).into_sql_str();
            let done = (&mut self.inner)
                .execute(sqlx::query_with(text, arguments))
                .await
                .map_err(|error| errors::failed(error, &self.place))?;
            changed = changed.saturating_add(done.rows_affected());
            start = end;
        }
        Ok(changed)
    }
}

/// An INSERT of one row whose cells are parameters and constants.
struct Plain {
    /// The table as it is written.
    table: String,
    columns: Vec<String>,
    cells: Vec<Cell>,
    /// What stands behind the row.
    conflict: String,
}

enum Cell {
    /// The number of a parameter, from 1.
    Parameter(usize),
    Constant(String),
}

impl Plain {
    fn read(sql: &str) -> Option<Self> {
        // What has many operators is not read on this stack.
        if !is_simple(sql, Backend::Postgresql) {
            return None;
        }
        let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).ok()?;
        let Some(Statement::Insert(insert)) = statements.pop() else {
            return None;
        };
        // Nothing is left out with dots: a clause that is not looked at would be lost.
        let Insert {
            insert_token: _,
            optimizer_hints: _,
            or: None,
            ignore: false,
            into: true,
            table: TableObject::TableName(table),
            table_alias: None,
            columns,
            overwrite: false,
            source: Some(source),
            assignments,
            partitioned: None,
            after_columns,
            has_table_keyword: false,
            on,
            returning: None,
            output: None,
            replace_into: false,
            priority: None,
            insert_alias: None,
            settings: None,
            format_clause: None,
            multi_table_insert_type: None,
            multi_table_into_clauses,
            multi_table_when_clauses,
            multi_table_else_clause: None,
        } = insert
        else {
            return None;
        };
        let Query {
            with: None,
            body,
            order_by: None,
            limit_clause: None,
            fetch: None,
            locks,
            for_clause: None,
            settings: None,
            format_clause: None,
            pipe_operators,
        } = *source
        else {
            return None;
        };
        let SetExpr::Values(values) = *body else {
            return None;
        };
        let [row] = values.rows.as_slice() else {
            return None;
        };
        let others_are_absent = assignments.is_empty()
            && after_columns.is_empty()
            && multi_table_into_clauses.is_empty()
            && multi_table_when_clauses.is_empty()
            && locks.is_empty()
            && pipe_operators.is_empty();
        if !others_are_absent {
            return None;
        }
        Some(Self {
            table: name(&table)?,
            columns: columns.iter().map(name).collect::<Option<_>>()?,
            cells: row.iter().map(Cell::read).collect::<Option<_>>()?,
            conflict: conflict(on.as_ref())?,
        })
    }

    /// The statement that takes an array for each parameter; none where a parameter's type has none here.
    fn unnested(&self, types: &[PgTypeInfo]) -> Option<String> {
        let mut arrays = Vec::with_capacity(types.len());
        for (at, info) in types.iter().enumerate() {
            let name = TYPES.iter().find(|name| **name == info.name())?;
            arrays.push(format!("${}::pg_catalog.{}[]", at + 1, name.to_lowercase()));
        }
        let names: Vec<String> = (1..=types.len()).map(|at| format!("p{at}")).collect();
        let cells: Vec<String> = self
            .cells
            .iter()
            .map(|cell| match cell {
                Cell::Parameter(number) => format!("r.p{number}"),
                Cell::Constant(text) => text.clone(),
            })
            .collect();
        let columns = match self.columns.as_slice() {
            [] => String::new(),
            columns => format!(" ({})", columns.join(", ")),
        };
        Some(format!(
            "INSERT INTO {}{columns} SELECT {} FROM UNNEST({}) AS r ({}){}",
            self.table,
            cells.join(", "),
            arrays.join(", "),
            names.join(", "),
            self.conflict
        ))
    }
}

impl Cell {
    fn read(expression: &Expr) -> Option<Self> {
        let Expr::Value(value) = expression else {
            return None;
        };
        match &value.value {
            Literal::Placeholder(name) => {
                Some(Self::Parameter(name.strip_prefix('$')?.parse().ok()?))
            }
            Literal::Number(digits, false)
                if digits
                    .bytes()
                    .all(|digit| digit.is_ascii_digit() || digit == b'.') =>
            {
                Some(Self::Constant(digits.clone()))
            }
            // What a backslash means in a text is the server's setting.
            Literal::SingleQuotedString(text) if !text.contains(['\\', '\0']) => {
                Some(Self::Constant(format!("'{}'", text.replace('\'', "''"))))
            }
            Literal::Boolean(value) => Some(Self::Constant(value.to_string())),
            Literal::Null => Some(Self::Constant("NULL".to_owned())),
            _ => None,
        }
    }
}

/// What stands behind the row, if anything.
fn conflict(on: Option<&OnInsert>) -> Option<String> {
    match on {
        None => Some(String::new()),
        Some(OnInsert::OnConflict(conflict)) if conflict.action == OnConflictAction::DoNothing => {
            match &conflict.conflict_target {
                None => Some(" ON CONFLICT DO NOTHING".to_owned()),
                Some(ConflictTarget::Columns(columns)) => {
                    let columns: Option<Vec<String>> = columns.iter().map(quoted).collect();
                    Some(format!(" ON CONFLICT ({}) DO NOTHING", columns?.join(", ")))
                }
                Some(ConflictTarget::OnConstraint(_)) => None,
            }
        }
        Some(_) => None,
    }
}

/// A name as the server reads it back. The parser's own way of writing one is not for this: it takes some quotes for
/// escaped already, and then what was inside them is outside.
fn name(name: &ObjectName) -> Option<String> {
    let parts: Option<Vec<String>> = name
        .0
        .iter()
        .map(|part| match part {
            ObjectNamePart::Identifier(ident) => quoted(ident),
            _ => None,
        })
        .collect();
    Some(parts?.join("."))
}

fn quoted(ident: &Ident) -> Option<String> {
    match ident.quote_style {
        None => ident
            .value
            .bytes()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
            .then(|| ident.value.clone()),
        Some('"') => Some(format!("\"{}\"", ident.value.replace('"', "\"\""))),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_and_names_are_written_as_the_server_reads_them() {
        let types = [PgTypeInfo::with_name("INT8")];
        let unnested = |sql: &str| Plain::read(sql).and_then(|plain| plain.unnested(&types));
        let from = "FROM UNNEST($1::pg_catalog.int8[]) AS r (p1)";
        for (sql, expected) in [
            (
                "INSERT INTO t VALUES ($1, 'a''''b')",
                format!("INSERT INTO t SELECT r.p1, 'a''''b' {from}"),
            ),
            (
                "INSERT INTO \"a\"\"\"\"b\" (\"c \"\" d\") VALUES ($1)",
                format!("INSERT INTO \"a\"\"\"\"b\" (\"c \"\" d\") SELECT r.p1 {from}"),
            ),
        ] {
            assert_eq!(unnested(sql), Some(expected), "{sql}");
        }
        let many_operators = format!("INSERT INTO t VALUES ($1, true{})", " AND true".repeat(200));
        for sql in [
            r"INSERT INTO t VALUES ($1, '\''||(SELECT password FROM users) FROM UNNEST($1::int8[]) AS r (p1) --')",
            "INSERT INTO t VALUES ($1) FETCH FIRST 0 ROWS ONLY",
            "INSERT INTO t VALUES ($1) LIMIT 0",
            "INSERT INTO t VALUES ($1) FOR UPDATE",
            many_operators.as_str(),
        ] {
            assert_eq!(unnested(sql), None, "{sql}");
        }
    }

    #[test]
    fn what_is_the_same_as_arrays() {
        let types = ["INT8", "TEXT", "NUMERIC"].map(PgTypeInfo::with_name);
        for (sql, unnested) in [
            (
                "INSERT INTO t (a, b, \"C\") VALUES ($1, $2, $3)",
                Some(
                    "INSERT INTO t (a, b, \"C\") SELECT r.p1, r.p2, r.p3 FROM UNNEST($1::pg_catalog.int8[], $2::pg_catalog.text[], $3::pg_catalog.numeric[]) AS r (p1, p2, p3)",
                ),
            ),
            (
                "insert into s.\"T\" values ($3, 'it''s', $1, 7, null, $2) on conflict (a, b) do nothing;",
                Some(
                    "INSERT INTO s.\"T\" SELECT r.p3, 'it''s', r.p1, 7, NULL, r.p2 FROM UNNEST($1::pg_catalog.int8[], $2::pg_catalog.text[], $3::pg_catalog.numeric[]) AS r (p1, p2, p3) ON CONFLICT (a, b) DO NOTHING",
                ),
            ),
            ("INSERT INTO t VALUES ($1, $2), ($3, 1)", None),
            ("INSERT INTO t VALUES ($1, $2, $3 + 1)", None),
            ("INSERT INTO t VALUES ($1, $2, $3::int4)", None),
            ("INSERT INTO t VALUES ($1, $2, DEFAULT, $3)", None),
            ("INSERT INTO t VALUES ($1, $2, now(), $3)", None),
            ("INSERT INTO t SELECT $1, $2, $3", None),
            ("INSERT INTO t VALUES ($1, $2, $3) RETURNING a", None),
            (
                "INSERT INTO t AS x VALUES ($1, $2, $3) ON CONFLICT (a) DO UPDATE SET b = x.b",
                None,
            ),
            ("UPDATE t SET a = $1, b = $2, c = $3", None),
        ] {
            let read = Plain::read(sql).and_then(|plain| plain.unnested(&types));
            assert_eq!(read.as_deref(), unnested, "{sql}");
        }
    }
}
