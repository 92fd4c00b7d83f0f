//! The tables `orders` and `progress` on both databases.

use crate::bindings::exports::poolhouse::plugin::migrations::{Dialect, Migration, Table};

const SQLITE: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS orders (
        id INTEGER PRIMARY KEY,
        client_order_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        strategy_id TEXT NOT NULL,
        symbol TEXT NOT NULL,
        side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
        quantity DECIMAL_TEXT NOT NULL,
        price DECIMAL_TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('placed', 'rejected')),
        reason TEXT,
        bar_time TIMESTAMP NOT NULL,
        created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
    )",
    UNIQUE,
    "CREATE TABLE IF NOT EXISTS progress (
        strategy_id TEXT NOT NULL PRIMARY KEY,
        bar_time TIMESTAMP NOT NULL
    )",
];

const POSTGRESQL: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS orders (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        client_order_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        strategy_id TEXT NOT NULL,
        symbol TEXT NOT NULL,
        side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
        quantity NUMERIC NOT NULL,
        price NUMERIC NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('placed', 'rejected')),
        reason TEXT,
        bar_time TIMESTAMPTZ NOT NULL,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now()
    )",
    UNIQUE,
    "CREATE TABLE IF NOT EXISTS progress (
        strategy_id TEXT PRIMARY KEY,
        bar_time TIMESTAMPTZ NOT NULL
    )",
];

/// An index of its own instead of a column constraint, so that a table which somebody made before gets it too. The name
/// is the one that PostgreSQL gives such a constraint: where it is there already, nothing is made twice.
const UNIQUE: &str =
    "CREATE UNIQUE INDEX IF NOT EXISTS orders_client_order_id_key ON orders (client_order_id)";

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
        name: "orders and progress".to_owned(),
        tables: vec![
            table(
                "orders",
                &[
                    "id",
                    "client_order_id",
                    "user_id",
                    "strategy_id",
                    "symbol",
                    "side",
                    "quantity",
                    "price",
                    "status",
                    "reason",
                    "bar_time",
                    "created_at",
                ],
            ),
            table("progress", &["strategy_id", "bar_time"]),
        ],
        statements: statements.map(str::to_owned).to_vec(),
    }]
}
