//! Owns the tables of types: what is declared and written as SQL, and the kind and value that a guest is given for it.

mod postgresql;
mod sqlite;

use poolhouse_database::{Answer, Kind, Value, Within};

use crate::both::{Opened, everything, postgresql, rows, sqlite};

/// A value as the tables write it; floats with all their bits.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::Int64(value) | Value::Time(value) | Value::Timestamp(value) => value.to_string(),
        Value::Float64(value) => format!("{value:?}"),
        Value::Decimal(text) | Value::Text(text) | Value::Json(text) => text.clone(),
        Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Value::Uuid(uuid) => uuid.to_string(),
        Value::Date(days) => days.to_string(),
        Value::Array(column) => format!("{column:?}"),
    }
}

async fn answer(opened: &Opened, sql: &str) -> Answer {
    let mut chain = opened.chain();
    let answer = chain.query(&everything(), Within::Session, sql, &[]).await;
    answer.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The type, kind and value of an answer's only column, in each row.
fn column(answer: &Answer) -> (String, Kind, Vec<String>) {
    let [info] = &*answer.columns else {
        panic!("{answer:?}")
    };
    let values = rows(answer).iter().map(|row| shown(&row[0])).collect();
    (info.database_type.clone(), info.kind, values)
}

#[tokio::test]
async fn postgresql_answers_each_type() {
    let opened = postgresql().await;
    opened.ddl(postgresql::TYPES).await;
    let mut wrong = Vec::new();
    for (at, (declared, literal, name, kind, value)) in postgresql::COLUMNS.iter().enumerate() {
        let ddl = format!(
            "CREATE TABLE k{at} (id int PRIMARY KEY, c {declared}); INSERT INTO k{at} VALUES (1, {literal}::{declared}), (2, NULL)"
        );
        opened.ddl(&ddl).await;
        let expected = |values: &[&str]| {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            ((*name).to_owned(), *kind, values)
        };
        for (sql, values) in [
            (format!("SELECT {literal}::{declared} AS c"), vec![*value]),
            (
                format!("SELECT c FROM k{at} ORDER BY id"),
                vec![*value, "NULL"],
            ),
            (
                format!("SELECT c FROM k{at} ORDER BY id DESC; -- done"),
                vec!["NULL", *value],
            ),
            (format!("SELECT c FROM k{at} WHERE false"), vec![]),
            (
                format!("INSERT INTO k{at} SELECT id + 2, c FROM k{at} WHERE id = 1 RETURNING c"),
                vec![*value],
            ),
        ] {
            let got = column(&answer(&opened, &sql).await);
            if got != expected(&values) {
                wrong.push(format!("{sql}: {got:?}, not {:?}", expected(&values)));
            }
        }
    }
    for (expression, name, kind, value) in postgresql::EXPRESSIONS {
        let sql = format!("SELECT {expression}");
        let got = column(&answer(&opened, &sql).await);
        if got != ((*name).to_owned(), *kind, vec![(*value).to_owned()]) {
            wrong.push(format!("{sql}: {got:?}, not {name:?} {kind:?} {value:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn sqlite_answers_each_declared_type() {
    let opened = sqlite().await;
    let mut wrong = Vec::new();
    for (at, (declared, literal, kind, value)) in sqlite::COLUMNS.iter().enumerate() {
        let ddl = format!(
            "CREATE TABLE k{at} (id INTEGER PRIMARY KEY, c {declared}); INSERT INTO k{at} VALUES (1, {literal}), (2, NULL)"
        );
        opened.ddl(&ddl).await;
        for (sql, values) in [
            (
                format!("SELECT c FROM k{at} ORDER BY id"),
                vec![*value, "NULL"],
            ),
            (
                format!("SELECT c FROM k{at} ORDER BY id DESC"),
                vec!["NULL", *value],
            ),
            (
                format!("SELECT x.c FROM (SELECT c FROM k{at} WHERE id = 1) AS x"),
                vec![*value],
            ),
        ] {
            let expected: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            let got = column(&answer(&opened, &sql).await);
            if got != ((*declared).to_owned(), *kind, expected) {
                wrong.push(format!(
                    "{declared} {literal}: {sql}: {got:?}, not {kind:?} {value:?}"
                ));
            }
        }
    }
    for (at, (declared, literal)) in sqlite::CONTRADICTIONS.iter().enumerate() {
        let ddl =
            format!("CREATE TABLE no{at} (c {declared}); INSERT INTO no{at} VALUES ({literal})");
        opened.ddl(&ddl).await;
        let got = opened.rows(&format!("SELECT c FROM no{at}"), &[]).await;
        match got {
            Err(poolhouse_database::Error::Invalid(message)) if message.contains("\"c\"") => {}
            got => wrong.push(format!("{declared} {literal}: {got:?}")),
        }
    }
    for (expression, kind, value) in sqlite::EXPRESSIONS {
        let sql = format!("SELECT {expression}");
        let got = column(&answer(&opened, &sql).await);
        if got != (String::new(), *kind, vec![(*value).to_owned()]) {
            wrong.push(format!("{sql}: {got:?}, not {kind:?} {value:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
