"""Python's values and the contract's: which is which, and how the one becomes the other. Knows nothing of columns and rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from .. import decimals
from .._texts import utf8

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
EPOCH_DAY = date(1970, 1, 1).toordinal()
MICROSECOND = timedelta(microseconds=1)
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

KINDS = ("boolean", "int64", "float64", "decimal", "text", "bytes", "uuid", "date", "time", "timestamp", "json")


class Json(str):
    """One JSON text, as it is in the database. PostgreSQL's arrays come as JSON, too: `{1,NULL}` as `[1,null]`."""

    __slots__ = ()

    @classmethod
    def of(cls, value: Any) -> Json:
        """The JSON text of lists, dicts, texts, numbers, booleans and None."""
        return cls(json.dumps(value, ensure_ascii=False, allow_nan=False))

    def value(self) -> Any:
        """What the text says, with numbers that have a point as exact decimals."""
        return json.loads(self, parse_float=Decimal)


class Exact(NamedTuple):
    """A value as the contract has it, for what Python's own type can't hold: a parameter, or what `row._exact` reads.

    `kind` is one of `boolean`, `int64`, `float64`, `decimal` (the text), `text`, `bytes`, `uuid` (an `int` of 128 bits),
    `date` (days since 1970-01-01), `time` (microseconds since midnight, 24:00:00 among them), `timestamp` (microseconds
    since 1970-01-01T00:00:00Z; the largest and the smallest `int` of 64 bits are PostgreSQL's infinities) and `json`.
    """

    kind: str
    value: Any


class Array:
    """A PostgreSQL array of one dimension, as a parameter: `WHERE id = ANY($1)`.

    A list is one, too; where it may be empty or have nothing but None in it, say of what kind it is, in `Exact`'s words:
    `Array(names, "text")`.
    """

    __slots__ = ("values", "kind")

    def __init__(self, values: Iterable[Any], kind: str | None = None) -> None:
        if kind is not None and kind not in KINDS:
            raise ValueError(f"an array's kind is one of {', '.join(KINDS)}; it was given {kind!r}")
        self.values = list(values)
        self.kind = kind


def int64(value: int) -> int:
    if INT64_MIN <= value <= INT64_MAX:
        return int(value)
    raise ValueError(f"{value} does not fit the database's integers of 64 bits; pass a Decimal")


def days(value: date) -> int:
    return value.toordinal() - EPOCH_DAY


def time_of_day(value: time) -> int:
    if value.tzinfo is not None:
        raise ValueError(f"{value!r} has a time zone, and the database's times have none; take it away")
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond


def instant(value: datetime) -> int:
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone; say which, as in datetime.now(timezone.utc)")
    return (value - EPOCH) // MICROSECOND


def _same(value: Any) -> Any:
    return value


# Each type's kind, and its value as the contract has it. Subclasses go before what they derive from.
CONVERSIONS: dict[type, tuple[str, Callable[[Any], Any]]] = {
    bool: ("boolean", _same),
    int: ("int64", int64),
    float: ("float64", _same),
    Decimal: ("decimal", decimals.text),
    Json: ("json", lambda value: utf8(str(value))),
    str: ("text", utf8),
    bytes: ("bytes", _same),
    bytearray: ("bytes", bytes),
    memoryview: ("bytes", bytes),
    UUID: ("uuid", lambda value: value.int),
    datetime: ("timestamp", instant),
    date: ("date", days),
    time: ("time", time_of_day),
    Exact: ("", _same),
}


def conversion(value: Any) -> tuple[str, Callable[[Any], Any]]:
    """How the value becomes one of the contract's.

    Raises `TypeError` where it can't be one.
    """
    found = CONVERSIONS.get(type(value))
    if found is None:
        for base, found in CONVERSIONS.items():
            if isinstance(value, base):
                CONVERSIONS[type(value)] = found
                return found
        raise TypeError(
            f"{value!r} is a {type(value).__name__}, which is no value of a database; pass a bool, int, float, Decimal, str, "
            "bytes, UUID, date, time, datetime, Json, a list of these, or None"
        )
    return found
