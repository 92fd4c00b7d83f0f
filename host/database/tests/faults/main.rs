//! Owns the faults that this crate must survive, each made for real: servers that stop, ways that break, files that are
//! locked; after each one the pool is whole, the server agrees, and work goes on.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that fails panics"
)]

#[path = "../database/both.rs"]
#[expect(dead_code, reason = "the other binary uses the rest")]
mod both;
#[path = "../database/server.rs"]
mod server;

mod settled;
mod stoppable;

mod answers;
mod commits;
mod cursors;
mod held;
mod idle;
mod refusals;
mod restarts;
mod slow;
mod sqlite;
