//! The driver alone, without host and guest, on a database of its own in which the same happens: the second opinion that
//! tells a dialect's failure from the host's.

use anyhow::{Context, anyhow, bail};
use poolhouse_tests::{Backend, House};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{
    AssertSqlSafe, Connection, Decode, PgConnection, Row, Sqlite, SqliteConnection, TypeInfo,
    ValueRef,
};

use crate::outcome::{Failure, Outcome};
use crate::values::{Rows, Value};

/// A connection to a database of its own.
pub(crate) enum Driver {
    Sqlite(SqliteConnection),
    Postgresql(PgConnection),
}

impl Driver {
    pub(crate) async fn start(backend: Backend) -> anyhow::Result<Self> {
        Ok(match backend {
            Backend::Sqlite => Self::Sqlite(SqliteConnection::connect("sqlite::memory:").await?),
            Backend::Postgresql => {
                let house = House::empty(backend)?;
                Self::Postgresql(PgConnection::connect(house.url()).await?)
            }
        })
    }

    /// Runs a statement or query as it is, unprepared.
    pub(crate) async fn run(&mut self, sql: &str, is_query: bool) -> anyhow::Result<Outcome> {
        let text = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let outcome = match self {
            Self::Sqlite(connection) if is_query => {
                let rows = text.fetch_all(connection).await;
                rows.map(|rows| answer(&rows, of_sqlite))
            }
            Self::Sqlite(connection) => {
                let done = text.execute(connection).await;
                done.map(|done| Ok(Outcome::Changed(done.rows_affected())))
            }
            Self::Postgresql(connection) if is_query => {
                let rows = text.fetch_all(connection).await;
                rows.map(|rows| answer(&rows, of_postgresql))
            }
            Self::Postgresql(connection) => {
                let done = text.execute(connection).await;
                done.map(|done| Ok(Outcome::Changed(done.rows_affected())))
            }
        };
        match outcome {
            Ok(outcome) => outcome,
            Err(sqlx::Error::Database(error)) => Ok(Outcome::Failed(Failure {
                case: "statement".to_owned(),
                code: error.code().unwrap_or_default().into_owned(),
                message: error.message().to_owned(),
            })),
            Err(error) => Err(error).with_context(|| sql.to_owned()),
        }
    }
}

fn answer<R: Row>(
    rows: &[R],
    read: impl Fn(&R, usize) -> anyhow::Result<Value>,
) -> anyhow::Result<Outcome> {
    let mut values = Vec::new();
    for row in rows {
        for at in 0..row.len() {
            values.push(read(row, at)?);
        }
    }
    let columns = rows.first().map(Row::len);
    Ok(Outcome::Rows(Rows { columns, values }))
}

fn of_sqlite(row: &SqliteRow, at: usize) -> anyhow::Result<Value> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(Value::Null);
    }
    let kind = value.type_info().name().to_owned();
    let read = match kind.as_str() {
        "INTEGER" => <i64 as Decode<Sqlite>>::decode(value).map(Value::Integer),
        "REAL" => <f64 as Decode<Sqlite>>::decode(value).map(Value::Real),
        "TEXT" => <String as Decode<Sqlite>>::decode(value).map(Value::Text),
        other => bail!("{other} is no type of the files'"),
    };
    read.map_err(|error| anyhow!(error))
}

fn of_postgresql(row: &PgRow, at: usize) -> anyhow::Result<Value> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(Value::Null);
    }
    let kind = value.type_info().name().to_owned();
    // What was not prepared comes as text.
    let text = value.as_str().map_err(|error| anyhow!(error))?;
    Ok(match kind.as_str() {
        "BOOL" => Value::Boolean(text == "t"),
        "INT2" | "INT4" | "INT8" => Value::Integer(text.parse()?),
        "FLOAT4" | "FLOAT8" => Value::Real(text.parse()?),
        "NUMERIC" => Value::Decimal(text.to_owned()),
        "TEXT" | "VARCHAR" | "CHAR" => Value::Text(text.to_owned()),
        other => bail!("{other} is no type of the files'"),
    })
}
