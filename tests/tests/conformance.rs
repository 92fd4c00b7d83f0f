//! One suite of the database capability's contract, through a real guest, on both databases.

#![expect(
    clippy::unwrap_used,
    reason = "a test that finds no value has failed"
)]

#[path = "conformance/smoke.rs"]
mod smoke;
