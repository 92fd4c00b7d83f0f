//! Owns the text that asks for the same rows where a column's binary form is not read here: such columns as text, arrays
//! as JSON.

use crate::footprint::before_semicolon;
use crate::url::Backend;

/// What the rows are called, and what they are called with columns c1, c2, … A person would not name a table so.
const ROWS: &str = "\"poolhouse rows\"";
pub(super) const COLUMNS: &str = "poolhouse columns";

/// How a column is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Itself,
    Text,
    Json,
}

/// The statement around the statement; none where its text can't be read.
///
/// The rows' own columns follow, all null and never computed: a plan is kept for long, and only with them in the answer
/// does the server say that a table under `SELECT *` has got another column, or a column another type or name.
pub(super) fn wrapped(sql: &str, columns: &[Shown]) -> Option<String> {
    let sql = before_semicolon(sql, Backend::Postgresql)?;
    let names: Vec<String> = (1..=columns.len()).map(|at| format!("c{at}")).collect();
    let shown: Vec<String> = columns
        .iter()
        .zip(&names)
        .map(|(column, name)| match column {
            Shown::Itself => format!("c.{name}"),
            // As the type itself writes it: a cast to text may write it otherwise, as that of inet does.
            Shown::Text => format!(
                "CASE WHEN pg_catalog.num_nonnulls(c.{name}) > 0 THEN pg_catalog.concat(c.{name}) END"
            ),
            Shown::Json => format!("pg_catalog.to_json(c.{name})"),
        })
        .collect();
    Some(format!(
        "WITH {ROWS} AS (\n{sql}\n), \"{COLUMNS}\" ({}) AS (SELECT * FROM {ROWS}) SELECT {}, n.* FROM \"{COLUMNS}\" AS c LEFT JOIN {ROWS} AS n ON false",
        names.join(", "),
        shown.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_is_asked_for_as_it_is_read() {
        assert_eq!(
            wrapped(
                "SELECT a, b, c FROM t --",
                &[Shown::Itself, Shown::Text, Shown::Json]
            )
            .unwrap(),
            "WITH \"poolhouse rows\" AS (\nSELECT a, b, c FROM t --\n), \"poolhouse columns\" (c1, c2, c3) AS (SELECT * FROM \"poolhouse rows\") SELECT c.c1, CASE WHEN pg_catalog.num_nonnulls(c.c2) > 0 THEN pg_catalog.concat(c.c2) END, pg_catalog.to_json(c.c3), n.* FROM \"poolhouse columns\" AS c LEFT JOIN \"poolhouse rows\" AS n ON false"
        );
    }
}
