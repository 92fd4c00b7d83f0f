//! The table `strategies` on both databases.

use crate::bindings::exports::poolhouse::plugin::migrations::{Dialect, Migration, Table};

const SQLITE: &str = "CREATE TABLE IF NOT EXISTS strategies (
        id TEXT NOT NULL PRIMARY KEY,
        plugin TEXT NOT NULL,
        symbols JSON_TEXT NOT NULL,
        parameters JSON_TEXT NOT NULL DEFAULT '{}',
        enabled BOOLEAN NOT NULL DEFAULT 1
    )";

const POSTGRESQL: &str = "CREATE TABLE IF NOT EXISTS strategies (
        id TEXT PRIMARY KEY,
        plugin TEXT NOT NULL,
        symbols JSON NOT NULL,
        parameters JSON NOT NULL DEFAULT '{}',
        enabled BOOLEAN NOT NULL DEFAULT true
    )";

/// Every migration, in order of number.
pub(crate) fn migrations(dialect: Dialect) -> Vec<Migration> {
    let statement = match dialect {
        Dialect::Sqlite => SQLITE,
        Dialect::Postgresql => POSTGRESQL,
    };
    vec![Migration {
        number: 1,
        name: "strategies".to_owned(),
        tables: vec![Table {
            name: "strategies".to_owned(),
            columns: ["id", "plugin", "symbols", "parameters", "enabled"]
                .map(str::to_owned)
                .to_vec(),
        }],
        statements: vec![statement.to_owned()],
    }]
}
