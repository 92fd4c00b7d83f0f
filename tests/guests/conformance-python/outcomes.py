"""What the SDK answers and raises, as the script's WIT has it; every field is made of what a plugin sees."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from poolhouse import database, decimals
from poolhouse.database import Exact, Json, Row, Rows
from wit_world.imports import poolhouse_database_types as types

EPOCH_DAY = date(1970, 1, 1).toordinal()
MICROSECOND = timedelta(microseconds=1)


def word(case) -> str:
    return case.name.lower().replace("_", "-")


def case(enum, word: str):
    return enum[word.upper().replace("-", "_")]


def duration(microseconds: int) -> timedelta:
    return timedelta(microseconds=microseconds)


def infos(columns: list) -> list:
    return [types.ColumnInfo(info.name, case(types.Kind, info.kind), info.database_type) for info in columns]


def cells(rows: Rows) -> list:
    return [[cell(row, at) for at in range(len(row))] for row in rows]


def cell(row: Row, at: int):
    try:
        value = row[at]
    except database.CellError:
        value = row._exact(at)
    return MAKERS[type(value)](value)


def timestamp(value: datetime):
    since = value.replace(tzinfo=None) - datetime(1970, 1, 1)
    return types.Value_Timestamp(since // MICROSECOND)


def time_of_day(value: time):
    since = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
    return types.Value_Time(since // MICROSECOND)


MAKERS = {
    type(None): lambda value: types.Value_Null(),
    bool: types.Value_Boolean,
    int: types.Value_Int64,
    float: types.Value_Float64,
    Decimal: lambda value: types.Value_Decimal(decimals.text(value)),
    str: types.Value_Text,
    bytes: types.Value_Bytes,
    UUID: lambda value: types.Value_Uuid(types.Uuid(value.int >> 64, value.int & (2**64 - 1))),
    date: lambda value: types.Value_Date(value.toordinal() - EPOCH_DAY),
    time: time_of_day,
    datetime: timestamp,
    Json: lambda value: types.Value_Json(str(value)),
    Exact: lambda value: getattr(types, f"Value_{value.kind.capitalize()}")(value.value),
}


def error(error: database.DatabaseError):
    return ERRORS[type(error)](error)


ERRORS = {
    database.Denied: lambda e: types.Error_Denied(types.Denied(str(e))),
    database.Invalid: lambda e: types.Error_Invalid(types.Invalid(str(e))),
    database.PoolExhausted: lambda e: types.Error_PoolExhausted(
        types.PoolExhausted(str(e), e.waited // MICROSECOND, e.size, e.overflow, e.checked_out, e.waiting)
    ),
    database.Unavailable: lambda e: types.Error_Unavailable(
        types.Unavailable(case(types.UnavailableReason, e.reason), str(e), e.outcome_unknown)
    ),
    database.Timeout: lambda e: types.Error_Timeout(
        types.Timeout(case(types.TimeoutKind, e.kind), str(e), e.limit // MICROSECOND)
    ),
    database.ConstraintViolation: lambda e: types.Error_Constraint(
        types.Constraint(case(types.ConstraintKind, e.kind), str(e), e.name, e.table, e.columns)
    ),
    database.Conflict: lambda e: types.Error_Conflict(types.Conflict(case(types.ConflictKind, e.kind), str(e))),
    database.StatementFailed: lambda e: types.Error_Statement(
        types.StatementFailed(e.code, e.message, e.detail, e.hint, e.position)
    ),
    database.LimitExceeded: lambda e: types.Error_Limit(types.Limit(case(types.LimitKind, e.kind), str(e), e.maximum)),
    database.Closed: lambda e: types.Error_Closed(str(e)),
}
