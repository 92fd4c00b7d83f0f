//! The steps of a script and the outcomes that are expected of them, as WAVE texts.

use super::wave::text;

/// One step of the guest's, as WAVE.
pub type Step = String;

/// Options of a transaction with the database's own isolation.
pub const DEFAULT: &str = "{isolation: default, read-only: false}";
/// Options of a read-only transaction.
pub const READ_ONLY: &str = "{isolation: default, read-only: true}";
/// Options of a transaction that sees what others commit.
pub const READ_COMMITTED: &str = "{isolation: read-committed, read-only: false}";
/// Options of a transaction with one snapshot.
pub const REPEATABLE_READ: &str = "{isolation: repeatable-read, read-only: false}";
/// Options of a transaction as if alone.
pub const SERIALIZABLE: &str = "{isolation: serializable, read-only: false}";

/// Any table.
pub const ANY_TABLE: &str = "table(…)";

/// Opens a shared session.
pub fn open(into: u32) -> Step {
    format!("open({{into: {into}, sharing: shared}})")
}

/// Opens a separate session.
pub fn open_separate(into: u32) -> Step {
    format!("open({{into: {into}, sharing: separate}})")
}

/// A query with its parameters as WAVE.
pub fn query(on: u32, sql: &str, params: &[&str]) -> Step {
    format!("query({})", statement(on, sql, params))
}

/// A query whose answer is asked for as it was laid out.
pub fn query_columns(on: u32, sql: &str, params: &[&str]) -> Step {
    format!("query-columns({})", statement(on, sql, params))
}

/// A query that is repeated until it answers a row.
pub fn poll(on: u32, sql: &str) -> Step {
    format!("poll({})", statement(on, sql, &[]))
}

/// A statement with its parameters as WAVE.
pub fn execute(on: u32, sql: &str, params: &[&str]) -> Step {
    format!("execute({})", statement(on, sql, params))
}

/// A statement once for each row of columns, which are WAVE.
pub fn execute_many(on: u32, sql: &str, columns: &[&str]) -> Step {
    format!(
        "execute-many({{on: {on}, sql: {}, columns: [{}]}})",
        text(sql),
        columns.join(", ")
    )
}

/// Begins a transaction with options as WAVE.
pub fn begin(on: u32, into: u32, options: &str) -> Step {
    format!("begin({{on: {on}, into: {into}, options: {options}}})")
}

/// Makes a savepoint in a transaction.
pub fn savepoint(on: u32, into: u32) -> Step {
    format!("savepoint({{on: {on}, into: {into}}})")
}

/// Commits.
pub fn commit(slot: u32) -> Step {
    format!("commit({slot})")
}

/// Rolls back.
pub fn rollback(slot: u32) -> Step {
    format!("rollback({slot})")
}

/// Drops a handle.
pub fn forget(slot: u32) -> Step {
    format!("drop({slot})")
}

/// Opens a cursor.
pub fn open_cursor(on: u32, into: u32, sql: &str, params: &[&str]) -> Step {
    format!(
        "open-cursor({{into: {into}, statement: {}}})",
        statement(on, sql, params)
    )
}

/// A cursor's columns.
pub fn columns(slot: u32) -> Step {
    format!("columns({slot})")
}

/// A cursor's next rows.
pub fn next(slot: u32) -> Step {
    format!("next({slot})")
}

/// Reads a cursor to its end.
pub fn read_to_end(slot: u32) -> Step {
    format!("read-to-end({slot})")
}

fn statement(on: u32, sql: &str, params: &[&str]) -> String {
    format!(
        "{{on: {on}, sql: {}, params: [{}]}}",
        text(sql),
        params.join(", ")
    )
}

/// Expects these rows, whatever the columns.
pub fn rows(rows: &str) -> String {
    format!("table({{columns: […], rows: {rows}}})")
}

/// Expects one row of one value, whatever the column.
pub fn one(value: &str) -> String {
    rows(&format!("[[{value}]]"))
}

/// Expects a refusal for want of a grant, with these words in it.
pub fn denied(words: &str) -> String {
    error_with("denied", words)
}

/// Expects a refusal before the database saw it, with these words in it.
pub fn invalid(words: &str) -> String {
    error_with("invalid", words)
}

/// Expects `closed` with these words in it.
pub fn closed(words: &str) -> String {
    format!("error(closed(\"{}\"))", open_ended(words))
}

/// Expects a conflict of a kind, with these words in it.
pub fn conflict(kind: &str, words: &str) -> String {
    format!(
        "error(conflict({{kind: {kind}, message: \"{}\"}}))",
        open_ended(words)
    )
}

/// Expects a limit of a kind and size.
pub fn limit(kind: &str, maximum: u64) -> String {
    format!("error(limit({{kind: {kind}, message: \"…\", maximum: {maximum}}}))")
}

/// Expects a refusal by the database, with its code and words of its message.
pub fn failed(code: &str, words: &str) -> String {
    format!(
        "error(statement({{code: \"{code}\", message: \"{}\"…}}))",
        open_ended(words)
    )
}

fn error_with(case: &str, words: &str) -> String {
    format!("error({case}({{message: \"{}\"}}))", open_ended(words))
}

fn open_ended(words: &str) -> String {
    match words {
        "" => "…".to_owned(),
        words => format!("…{words}…"),
    }
}
