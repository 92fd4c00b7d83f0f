//! Owns the tests of this crate against real databases: SQLite in a temporary folder, PostgreSQL started for the run.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that fails panics"
)]

mod both;
mod server;

mod arrays;
mod bypass;
mod cancelling;
mod connecting;
mod constraints;
mod cursors;
mod footprints;
mod fuzz;
mod grants;
mod health;
mod kinds;
mod limits;
mod locks;
mod many;
mod migrations;
mod pairs;
mod parameters;
mod random;
mod silence;
mod timeouts;
mod transactions;
mod values;
mod violations;
mod wrapped;
