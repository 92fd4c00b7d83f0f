//! Translates between the WIT's types and the database crate's: the one place where our errors become the guest's.

use std::time::{Duration, SystemTime};

use poolhouse_database as db;

use crate::bindings::poolhouse::database::database as wit;
use crate::bindings::poolhouse::database::types;

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

pub(super) fn values(params: Vec<types::Value>) -> Vec<db::Value> {
    params.into_iter().map(value).collect()
}

fn value(value: types::Value) -> db::Value {
    match value {
        types::Value::Null => db::Value::Null,
        types::Value::Boolean(value) => db::Value::Boolean(value),
        types::Value::Int64(value) => db::Value::Int64(value),
        types::Value::Float64(value) => db::Value::Float64(value),
        types::Value::Decimal(value) => db::Value::Decimal(value),
        types::Value::Text(value) => db::Value::Text(value),
        types::Value::Bytes(value) => db::Value::Bytes(value),
        types::Value::Uuid(value) => db::Value::Uuid(db::Uuid {
            high: value.high,
            low: value.low,
        }),
        types::Value::Date(value) => db::Value::Date(value),
        types::Value::Time(value) => db::Value::Time(value),
        types::Value::Timestamp(value) => db::Value::Timestamp(value),
        types::Value::Json(value) => db::Value::Json(value),
        types::Value::Array(value) => db::Value::Array(column_in(value)),
    }
}

pub(super) fn columns(columns: Vec<types::Column>) -> Vec<db::Column> {
    columns.into_iter().map(column_in).collect()
}

fn column_in(column: types::Column) -> db::Column {
    let packed = |packed: types::Packed| db::Packed {
        offsets: packed.offsets,
        data: packed.data,
    };
    db::Column {
        validity: column.validity,
        values: match column.values {
            types::Values::Boolean(values) => db::Values::Boolean(values),
            types::Values::Int64(values) => db::Values::Int64(values),
            types::Values::Float64(values) => db::Values::Float64(values),
            types::Values::Decimal(values) => db::Values::Decimal(packed(values)),
            types::Values::Text(values) => db::Values::Text(packed(values)),
            types::Values::Bytes(values) => db::Values::Bytes(packed(values)),
            types::Values::Uuid(values) => db::Values::Uuid(
                values
                    .into_iter()
                    .map(|uuid| db::Uuid {
                        high: uuid.high,
                        low: uuid.low,
                    })
                    .collect(),
            ),
            types::Values::Date(values) => db::Values::Date(values),
            types::Values::Time(values) => db::Values::Time(values),
            types::Values::Timestamp(values) => db::Values::Timestamp(values),
            types::Values::Json(values) => db::Values::Json(packed(values)),
        },
    }
}

fn column_out(column: db::Column) -> types::Column {
    let packed = |packed: db::Packed| types::Packed {
        offsets: packed.offsets,
        data: packed.data,
    };
    types::Column {
        validity: column.validity,
        values: match column.values {
            db::Values::Boolean(values) => types::Values::Boolean(values),
            db::Values::Int64(values) => types::Values::Int64(values),
            db::Values::Float64(values) => types::Values::Float64(values),
            db::Values::Decimal(values) => types::Values::Decimal(packed(values)),
            db::Values::Text(values) => types::Values::Text(packed(values)),
            db::Values::Bytes(values) => types::Values::Bytes(packed(values)),
            db::Values::Uuid(values) => types::Values::Uuid(
                values
                    .into_iter()
                    .map(|uuid| types::Uuid {
                        high: uuid.high,
                        low: uuid.low,
                    })
                    .collect(),
            ),
            db::Values::Date(values) => types::Values::Date(values),
            db::Values::Time(values) => types::Values::Time(values),
            db::Values::Timestamp(values) => types::Values::Timestamp(values),
            db::Values::Json(values) => types::Values::Json(packed(values)),
        },
    }
}

fn kind(kind: db::Kind) -> types::Kind {
    match kind {
        db::Kind::Boolean => types::Kind::Boolean,
        db::Kind::Int64 => types::Kind::Int64,
        db::Kind::Float64 => types::Kind::Float64,
        db::Kind::Decimal => types::Kind::Decimal,
        db::Kind::Text => types::Kind::Text,
        db::Kind::Bytes => types::Kind::Bytes,
        db::Kind::Uuid => types::Kind::Uuid,
        db::Kind::Date => types::Kind::Date,
        db::Kind::Time => types::Kind::Time,
        db::Kind::Timestamp => types::Kind::Timestamp,
        db::Kind::Json => types::Kind::Json,
    }
}

pub(super) fn answer(answer: db::Answer) -> types::Answer {
    types::Answer {
        columns: column_infos(answer.columns),
        batch: batch(answer.batch),
    }
}

pub(super) fn batch(batch: db::Batch) -> types::Batch {
    types::Batch {
        rows: batch.rows,
        columns: batch.columns.into_iter().map(column_out).collect(),
    }
}

pub(super) fn column_infos(columns: Vec<db::ColumnInfo>) -> Vec<types::ColumnInfo> {
    let info = |info: db::ColumnInfo| types::ColumnInfo {
        name: info.name,
        kind: kind(info.kind),
        database_type: info.database_type,
    };
    columns.into_iter().map(info).collect()
}

pub(super) fn options(options: wit::TransactionOptions) -> db::TransactionOptions {
    db::TransactionOptions {
        isolation: match options.isolation {
            wit::Isolation::Default => db::Isolation::Default,
            wit::Isolation::ReadCommitted => db::Isolation::ReadCommitted,
            wit::Isolation::RepeatableRead => db::Isolation::RepeatableRead,
            wit::Isolation::Serializable => db::Isolation::Serializable,
        },
        read_only: options.read_only,
        timeout: options.timeout.map(Duration::from_micros),
    }
}

pub(super) fn health(health: db::Health) -> wit::HealthStatus {
    wit::HealthStatus {
        state: condition(health.condition),
        since: since(health.since),
        backend: health.backend.to_string(),
        version: health.version,
        latency: microseconds(health.latency),
        message: health.message,
    }
}

pub(super) fn condition(condition: db::Condition) -> wit::HealthState {
    match condition {
        db::Condition::Up => wit::HealthState::Up,
        db::Condition::Degraded => wit::HealthState::Degraded,
        db::Condition::Down => wit::HealthState::Down,
    }
}

/// Microseconds since the Unix epoch.
pub(super) fn since(at: SystemTime) -> i64 {
    let elapsed = at.duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(elapsed.unwrap_or_default().as_micros()).unwrap_or(i64::MAX)
}

pub(super) fn error(error: db::Error) -> types::Error {
    match error {
        db::Error::Denied(message) => types::Error::Denied(types::Denied { message }),
        db::Error::Invalid(message) => types::Error::Invalid(types::Invalid { message }),
        db::Error::PoolExhausted {
            message,
            waited,
            size,
            overflow,
            checked_out,
            waiting,
        } => types::Error::PoolExhausted(types::PoolExhausted {
            message,
            waited: microseconds(waited),
            size,
            overflow,
            checked_out,
            waiting,
        }),
        db::Error::Unavailable {
            reason,
            message,
            outcome_unknown,
        } => types::Error::Unavailable(types::Unavailable {
            reason: unavailable_reason(reason),
            message,
            outcome_unknown,
        }),
        db::Error::Timeout {
            kind,
            message,
            limit,
        } => types::Error::Timeout(types::Timeout {
            kind: match kind {
                db::TimeoutKind::Statement => types::TimeoutKind::Statement,
                db::TimeoutKind::Transaction => types::TimeoutKind::Transaction,
                db::TimeoutKind::Call => types::TimeoutKind::Call,
            },
            message,
            limit: microseconds(limit),
        }),
        db::Error::Constraint {
            kind,
            message,
            name,
            table,
            columns,
        } => types::Error::Constraint(types::Constraint {
            kind: constraint_kind(kind),
            message,
            name,
            table,
            columns,
        }),
        db::Error::Conflict { kind, message } => types::Error::Conflict(types::Conflict {
            kind: match kind {
                db::ConflictKind::Serialization => types::ConflictKind::Serialization,
                db::ConflictKind::Deadlock => types::ConflictKind::Deadlock,
                db::ConflictKind::Busy => types::ConflictKind::Busy,
            },
            message,
        }),
        db::Error::Statement {
            code,
            message,
            detail,
            hint,
            position,
        } => types::Error::Statement(types::StatementFailed {
            code,
            message,
            detail,
            hint,
            position,
        }),
        db::Error::Limit {
            kind,
            message,
            maximum,
        } => types::Error::Limit(types::Limit {
            kind: limit_kind(kind),
            message,
            maximum,
        }),
        db::Error::Closed(message) => types::Error::Closed(message),
    }
}

fn unavailable_reason(reason: db::UnavailableReason) -> types::UnavailableReason {
    match reason {
        db::UnavailableReason::Unreachable => types::UnavailableReason::Unreachable,
        db::UnavailableReason::Authentication => types::UnavailableReason::Authentication,
        db::UnavailableReason::NoDatabase => types::UnavailableReason::NoDatabase,
        db::UnavailableReason::Tls => types::UnavailableReason::Tls,
        db::UnavailableReason::NotReady | db::UnavailableReason::Starting => {
            types::UnavailableReason::NotReady
        }
        db::UnavailableReason::File => types::UnavailableReason::File,
        db::UnavailableReason::Other => types::UnavailableReason::Other,
    }
}

fn constraint_kind(kind: db::ConstraintKind) -> types::ConstraintKind {
    match kind {
        db::ConstraintKind::Unique => types::ConstraintKind::Unique,
        db::ConstraintKind::ForeignKey => types::ConstraintKind::ForeignKey,
        db::ConstraintKind::NotNull => types::ConstraintKind::NotNull,
        db::ConstraintKind::Check => types::ConstraintKind::Check,
        db::ConstraintKind::Exclusion => types::ConstraintKind::Exclusion,
    }
}

fn limit_kind(kind: db::LimitKind) -> types::LimitKind {
    match kind {
        db::LimitKind::Rows => types::LimitKind::Rows,
        db::LimitKind::Bytes => types::LimitKind::Bytes,
        db::LimitKind::Connections => types::LimitKind::Connections,
        db::LimitKind::Handles => types::LimitKind::Handles,
        db::LimitKind::SqlLength => types::LimitKind::SqlLength,
        db::LimitKind::Parameters => types::LimitKind::Parameters,
        db::LimitKind::Depth => types::LimitKind::Depth,
    }
}
