//! The tables `accounts` and `movements` on both databases.

use crate::bindings::exports::poolhouse::plugin::migrations::{Dialect, Migration, Table};

/// SQLite stores what it is told the type is: only columns declared `…_TEXT` keep decimals exact.
const SQLITE: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, balance DECIMAL_TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS movements (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL,
        amount DECIMAL_TEXT NOT NULL,
        note TEXT NOT NULL,
        at TIMESTAMP NOT NULL
    )",
    "CREATE INDEX IF NOT EXISTS movements_account ON movements (account, id)",
];

const POSTGRESQL: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, balance NUMERIC NOT NULL)",
    "CREATE TABLE IF NOT EXISTS movements (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        account TEXT NOT NULL,
        amount NUMERIC NOT NULL,
        note TEXT NOT NULL,
        at TIMESTAMPTZ NOT NULL
    )",
    "CREATE INDEX IF NOT EXISTS movements_account ON movements (account, id)",
];

/// Every migration, in order of number.
pub(crate) fn migrations(dialect: Dialect) -> Vec<Migration> {
    let table = |name: &str, columns: &[&str]| Table {
        name: name.to_owned(),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
    };
    let statements = match dialect {
        Dialect::Sqlite => SQLITE,
        Dialect::Postgresql => POSTGRESQL,
    };
    vec![Migration {
        number: 1,
        name: "accounts and movements".to_owned(),
        tables: vec![
            table("accounts", &["name", "balance"]),
            table("movements", &["id", "account", "amount", "note", "at"]),
        ],
        statements: statements.map(str::to_owned).to_vec(),
    }]
}
