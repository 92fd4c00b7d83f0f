//! The tables `users` and `subscriptions` on both databases.

use crate::bindings::exports::poolhouse::plugin::migrations::{Dialect, Migration, Table};

/// SQLite stores what it is told the type is: only columns declared `…_TEXT` keep decimals exact.
const SQLITE: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS users (
        id TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        active BOOLEAN NOT NULL DEFAULT 1,
        max_order_value DECIMAL_TEXT,
        max_exposure DECIMAL_TEXT,
        exposure DECIMAL_TEXT NOT NULL DEFAULT '0'
    )",
    "CREATE TABLE IF NOT EXISTS subscriptions (
        user_id TEXT NOT NULL,
        strategy_id TEXT NOT NULL,
        quantity DECIMAL_TEXT NOT NULL,
        PRIMARY KEY (user_id, strategy_id)
    )",
];

const POSTGRESQL: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS users (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        active BOOLEAN NOT NULL DEFAULT true,
        max_order_value NUMERIC,
        max_exposure NUMERIC,
        exposure NUMERIC NOT NULL DEFAULT 0
    )",
    "CREATE TABLE IF NOT EXISTS subscriptions (
        user_id TEXT NOT NULL,
        strategy_id TEXT NOT NULL,
        quantity NUMERIC NOT NULL,
        PRIMARY KEY (user_id, strategy_id)
    )",
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
        name: "users and subscriptions".to_owned(),
        tables: vec![
            table(
                "users",
                &[
                    "id",
                    "name",
                    "active",
                    "max_order_value",
                    "max_exposure",
                    "exposure",
                ],
            ),
            table("subscriptions", &["user_id", "strategy_id", "quantity"]),
        ],
        statements: statements.map(str::to_owned).to_vec(),
    }]
}
