//! One suite of the database capability's contract, through a real guest, on both databases.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]

#[path = "conformance/cursors.rs"]
mod cursors;
#[path = "conformance/database_errors.rs"]
mod database_errors;
#[path = "conformance/edges.rs"]
mod edges;
#[path = "conformance/execute_many.rs"]
mod execute_many;
#[path = "conformance/isolation.rs"]
mod isolation;
#[path = "conformance/layout.rs"]
mod layout;
#[path = "conformance/limits.rs"]
mod limits;
#[path = "conformance/million.rs"]
mod million;
#[path = "conformance/odd_statements.rs"]
mod odd_statements;
#[path = "conformance/outages.rs"]
mod outages;
#[path = "conformance/parameters.rs"]
mod parameters;
#[path = "conformance/refused.rs"]
mod refused;
#[path = "conformance/round_trips.rs"]
mod round_trips;
#[path = "conformance/sessions.rs"]
mod sessions;
#[path = "conformance/sqlite_values.rs"]
mod sqlite_values;
#[path = "conformance/transactions.rs"]
mod transactions;
#[path = "conformance/unknown_types.rs"]
mod unknown_types;
#[path = "conformance/values.rs"]
mod values;
