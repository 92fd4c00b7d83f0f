//! Owns asking both databases' catalogs which columns a table has and whose an index is.

use crate::builder::Limits;
use crate::column::{Answer, Values};
use crate::footprint::fold;
use crate::postgres::quoted as quoted_name;
use crate::url::Backend;

/// For our own questions: more than any catalog answers.
pub(super) const LIMITS: Limits = Limits {
    rows: 100_000,
    bytes: 64 * 1024 * 1024,
};

/// A table's name as grants and footprints have it.
pub(super) fn table_name(name: &str, backend: Backend) -> String {
    let mut parts = parts(name, backend);
    let home = match backend {
        Backend::Sqlite => "main",
        Backend::Postgresql => "public",
    };
    if parts.len() == 2 && parts.first().is_some_and(|schema| schema == home) {
        parts.remove(0);
    }
    parts.join(".")
}

/// The names of a table's columns; no rows where there is no such table.
pub(super) fn columns_query(table: &str, backend: Backend) -> (&'static str, String) {
    match backend {
        Backend::Sqlite => (
            "SELECT name FROM pragma_table_xinfo($1)",
            table_name(table, backend),
        ),
        Backend::Postgresql => (
            "SELECT attname::text FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
            quoted(table, backend),
        ),
    }
}

/// The table that an index belongs to; an empty name where it is another thing than an index, and no rows where there is
/// none of that name.
pub(super) fn index_query(index: &str, backend: Backend) -> (&'static str, String) {
    match backend {
        Backend::Sqlite => (
            "SELECT lower(tbl_name) FROM sqlite_master WHERE type = 'index' AND lower(name) = $1",
            unquoted(index),
        ),
        Backend::Postgresql => (
            "SELECT CASE WHEN i.indrelid IS NULL THEN '' WHEN n.nspname = 'public' THEN t.relname::text ELSE n.nspname || '.' || t.relname END \
             FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_catalog.pg_class t ON t.oid = i.indrelid \
             LEFT JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace WHERE c.oid = to_regclass($1)",
            split(index)
                .into_iter()
                .map(|part| quoted_name(&unquoted(part)))
                .collect::<Vec<_>>()
                .join("."),
        ),
    }
}

/// The texts of an answer's first column.
pub(super) fn texts(answer: &Answer) -> Vec<String> {
    match answer.batch.columns.first().map(|column| &column.values) {
        Some(Values::Text(packed)) => (0..packed.len())
            .filter_map(|at| packed.get(at))
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect(),
        _ => Vec::new(),
    }
}

/// The integers of an answer's first column.
pub(super) fn integers(answer: &Answer) -> Vec<i64> {
    match answer.batch.columns.first().map(|column| &column.values) {
        Some(Values::Int64(values)) => values.clone(),
        _ => Vec::new(),
    }
}

fn parts(name: &str, backend: Backend) -> Vec<String> {
    split(name)
        .into_iter()
        .map(|part| {
            let part = part.trim();
            fold(&unquoted(part), part.starts_with('"'), backend)
        })
        .collect()
}

/// At the dots outside quotes.
fn split(name: &str) -> Vec<&str> {
    let mut in_quotes = false;
    name.split(|letter| {
        in_quotes ^= letter == '"';
        letter == '.' && !in_quotes
    })
    .collect()
}

fn unquoted(part: &str) -> String {
    let inside = part
        .strip_prefix('"')
        .and_then(|part| part.strip_suffix('"'));
    inside.map_or_else(|| part.to_owned(), |inside| inside.replace("\"\"", "\""))
}

fn quoted(name: &str, backend: Backend) -> String {
    parts(name, backend)
        .iter()
        .map(|part| quoted_name(part))
        .collect::<Vec<_>>()
        .join(".")
}
