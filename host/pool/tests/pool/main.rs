//! The pool from outside, over a stub connector and a paused clock; real databases belong to other crates' tests.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]

mod log;
mod stub;

mod queue;
mod queuepool;
mod threads;

mod chains;
mod fairness;
mod tenants;

mod connecting;
mod growth;
mod returning;
mod revocation;
mod staleness;

mod closing;
mod resizing;

mod model;
