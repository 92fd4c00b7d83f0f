"""The script's values as a plugin would have them: Python's own where these hold them, and `Exact` where not."""

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

from componentize_py_types import Err
from poolhouse import decimals
from poolhouse.database import Array, Exact, Json, _errors, _parameters
from wit_world.imports import poolhouse_database_types as types

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
KINDS = ("boolean", "int64", "float64", "decimal", "text", "bytes", "uuid", "date", "time", "timestamp", "json")
VALUES = {getattr(types, f"Value_{kind.capitalize()}"): kind for kind in KINDS}
COLUMNS = {getattr(types, f"Values_{kind.capitalize()}"): kind for kind in KINDS}
PACKED = ("decimal", "text", "bytes", "json")


def params(given: list) -> list:
    """The parameters as a plugin would give them."""
    return [param(value) for value in given]


def param(value):
    if isinstance(value, types.Value_Null):
        return None
    if isinstance(value, types.Value_Array):
        kind = COLUMNS[type(value.value.values)]
        return Array(cells_of(value.value), kind)
    return native(VALUES[type(value)], value.value)


def native(kind: str, value):
    """Python's value, or `Exact` where that is another one or none."""
    try:
        made = NATIVE[kind](value) if kind in NATIVE else value
    except (ValueError, OverflowError, ArithmeticError):
        made = None
    if made is None or kind == "decimal" and decimals.text(made) != value:
        return Exact(kind, value.high << 64 | value.low if kind == "uuid" else value)
    return made


def as_time(microseconds: int) -> time:
    if not 0 <= microseconds < 86_400_000_000:
        raise ValueError
    return (EPOCH + timedelta(microseconds=microseconds)).time()


NATIVE = {
    "decimal": Decimal,
    "uuid": lambda value: UUID(int=value.high << 64 | value.low),
    "date": lambda days: date.fromordinal(days + date(1970, 1, 1).toordinal()),
    "time": as_time,
    "timestamp": lambda microseconds: EPOCH + timedelta(microseconds=microseconds),
    "json": Json,
}


def lies(given: list) -> bool:
    """Whether a parameter is an array whose layout is none, which no plugin could give the SDK."""
    return any(isinstance(value, types.Value_Array) and cells_of(value.value) is None for value in given)


def cells_of(column) -> list | None:
    """The column's cells, or none where its layout is none."""
    kind, values = COLUMNS[type(column.values)], column.values.value
    if kind in PACKED:
        offsets, data = values.offsets, values.data
        if not offsets or offsets[0] != 0 or offsets[-1] != len(data) or offsets != sorted(offsets):
            return None
        pieces = [data[start:end] for start, end in zip(offsets, offsets[1:])]
        try:
            values = pieces if kind == "bytes" else [piece.decode() for piece in pieces]
        except UnicodeDecodeError:
            return None
    if column.validity and len(column.validity) != (len(values) + 7) // 8:
        return None
    bits = column.validity or b"\xff" * len(values)
    return [native(kind, value) if bits[at // 8] >> at % 8 & 1 else None for at, value in enumerate(values)]


def rows(columns: list) -> tuple | None:
    """The columns' rows and kinds, or none where they have none: no column, other lengths, a layout that lies."""
    cells = [cells_of(column) for column in columns]
    if not cells or None in cells or len({len(column) for column in cells}) > 1 or not cells[0]:
        return None
    return list(zip(*cells)), [COLUMNS[type(column.values)] for column in columns]


def refused(function, *arguments):
    """Calls one of the generated functions; its error is raised as the SDK's."""
    try:
        return function(*arguments)
    except Err as error:
        raise _errors.of(error.value) from None


def raw(value):
    """The contract's value of a parameter."""
    return _parameters.to_values([value])[0]
