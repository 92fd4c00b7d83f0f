//! Guests that misbehave, and what the others on the same host and pool saw of it: right answers in time, and nothing
//! left behind.

#[path = "sandbox/amounts.rs"]
mod amounts;
#[path = "sandbox/bystander.rs"]
mod bystander;
#[path = "sandbox/case.rs"]
mod case;
#[path = "sandbox/handles.rs"]
mod handles;
#[path = "sandbox/start.rs"]
mod start;
#[path = "sandbox/time.rs"]
mod time;
