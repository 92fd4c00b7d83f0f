//! Owns the way to SQLite and PostgreSQL: values, columns, statements, transactions, footprints, errors; knows nothing of Wasm.
//!
//! A [`Database`] lends connections from one pool; a [`Chain`] is one call chain's work on at most one of them, on
//! behalf of an [`Actor`]. The types mirror the WIT package `poolhouse:database` one to one.

#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test that fails panics"
    )
)]

mod actor;
mod batches;
mod builder;
mod chain;
mod column;
mod connection;
mod database;
#[cfg(test)]
mod dirt;
mod error;
mod footprint;
mod grants;
mod health;
mod many;
mod migrate;
mod postgres;
mod session;
mod sqlite;
mod statement;
mod tenant;
mod transaction;
mod url;
mod value;

pub use actor::{Acquire, Actor, Within};
pub use chain::{Chain, CursorId, CursorMark};
pub use column::{Answer, Batch, Column, ColumnInfo, Packed, Values};
pub use database::{Database, Settings};
pub use error::{ConflictKind, ConstraintKind, Error, LimitKind, TimeoutKind, UnavailableReason};
pub use footprint::{Footprint, StatementKind};
pub use grants::{Grants, Refusal, Tables, toml_key};
pub use health::Health;
pub use migrate::{Migration, MigrationError, MigrationTable};
pub use poolhouse_pool::{
    Condition, Options as PoolOptions, Quantiles, Quota, Stats as PoolStats, TenantStats, Timings,
};
pub use tenant::{PoolHealth, Tenant};
pub use transaction::{Isolation, TransactionId, TransactionOptions};
pub use url::{Backend, DatabaseUrl, UrlError};
pub use value::{Kind, Uuid, Value};
