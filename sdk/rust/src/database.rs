//! The host's database for people who think in rows: sessions, parameters, typed getters. Which plugin may do
//! what, the host decides.

mod session;

mod value;

mod rows;

mod cell;

mod column;

mod decimal;

mod error;

pub use crate::bindings::imports::poolhouse::database::database::{
    HealthState, HealthStatus, Isolation, PoolStats, TransactionOptions, health, stats,
};
pub use crate::bindings::imports::poolhouse::database::types::{
    Batch, Column, ColumnInfo, Conflict, ConflictKind, Constraint, ConstraintKind, Kind, Limit,
    LimitKind, StatementFailed, Timeout, TimeoutKind, Unavailable, UnavailableReason, Uuid, Value,
};
pub use cell::{Cell, FromCell};
pub use column::ColumnItem;
pub use decimal::{Decimal, ParseDecimalError};
pub use error::Error;
pub use rows::{ColumnIndex, Row, Rows};
pub use session::{Cursor, Session, Transaction};
pub use value::{Date, IntoValue, Json, Time, Timestamp};
