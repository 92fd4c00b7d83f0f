//! The pool from outside, over a stub connector and a paused clock; real databases belong to other crates' tests.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]

mod stub;

mod queue;

mod connecting;
mod returning;
mod staleness;

mod closing;
mod random;
