//! The host's database for people who think in rows: sessions, parameters, typed getters. Which plugin may do
//! what, the host decides.

mod open;

mod session;

mod scope;

mod statements;

mod value;

mod rows;

mod from_row;

mod cell;

mod cursor;

mod column;

mod decimal;

mod time;

mod uuid;

mod error;

pub use crate::bindings::imports::poolhouse::database::database::{
    HealthState, HealthStatus, Isolation, PoolStats, TransactionOptions, health, stats,
};
pub use crate::bindings::imports::poolhouse::database::types::{
    Batch, Column, ColumnInfo, Conflict, ConflictKind, Constraint, ConstraintKind, Kind, Limit,
    LimitKind, StatementFailed, Timeout, TimeoutKind, Unavailable, UnavailableReason, Uuid, Value,
};
pub use cell::{Cell, FromCell};
pub use column::{ColumnCell, ColumnItem, ColumnRow};
pub use cursor::{Cursor, CursorRows, OwnedRows};
pub use decimal::{Decimal, NotAnInteger, ParseDecimalError, Rounding};
pub use error::Error;
pub use from_row::{ColumnFinder, Fields, FromRow};
pub use open::{
    separate, separate_with, session, session_with, transaction, transaction_retrying_conflicts,
    transaction_with,
};
pub use poolhouse_derive::FromRow;
pub use rows::{ColumnIndex, OwnedRow, Row, RowIter, Rows};
pub use session::{ScopedSession, Session, Transaction};
pub use statements::Statements;
pub use time::{Date, ParseTimeError, Time, TimeOutOfRange, Timestamp};
pub use uuid::ParseUuidError;
pub use value::{IntoValue, Json};
