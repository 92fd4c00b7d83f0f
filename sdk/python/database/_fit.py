"""Which columns can be read as which of Python's types; nothing is rounded, cut off or guessed."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple, Optional, Union
from uuid import UUID

from .. import decimals
from ._values import Exact, Json

Convert = Optional[Callable[[Any], Any]]


def _zero_or_one(value: int) -> bool:
    if value in (0, 1):
        return value == 1
    raise ValueError(f"holds {value}, which is no boolean")


def _whole(value: Decimal) -> int:
    if value.is_finite() and value == value.to_integral_value():
        return int(value)
    raise ValueError(f"holds {value}, which is no whole number")


def _float(value: int) -> float:
    if int(float(value)) == value:
        return float(value)
    raise ValueError(f"holds {value}, which no float is exactly")


# For each type the kinds that it takes, and how; SQLite's expressions have no booleans, and PostgreSQL's sum of integers is a
# decimal.
_FITS: dict[Any, dict[str, Convert]] = {
    bool: {"boolean": None, "int64": _zero_or_one},
    int: {"int64": None, "decimal": _whole},
    float: {"float64": None, "int64": _float},
    Decimal: {"decimal": None, "int64": Decimal},
    str: {"text": None, "json": None, "decimal": decimals.text},
    bytes: {"bytes": None},
    UUID: {"uuid": None},
    date: {"date": None},
    time: {"time": None},
    datetime: {"timestamp": None},
    Json: {"json": None, "text": Json},
}


def fit(hint: Any, kind: str, owner: str) -> tuple[Convert, bool]:
    """How a cell of that kind is read as the type, and whether it may be NULL. The reading raises `ValueError`.

    Raises `TypeError` for a type that no column is read as.
    """
    inner, takes_null = optional(hint)
    if inner is Any or inner is object:
        return None, takes_null or inner is Any
    fits = _FITS.get(inner)
    if fits is None:
        raise TypeError(
            f"{owner} is {inner!r}, which no column is read as; it must be one of "
            f"{', '.join(each.__name__ for each in _FITS)}, Exact or Any, with `| None` where it may be NULL"
        )
    # A column of which SQLite knows nothing but NULLs is of the kind text, so that it is the cells that fit or don't.
    return fits.get(kind, _refusal(kind, inner)), takes_null


def _refusal(kind: str, inner: type) -> Convert:
    def refuse(value: Any) -> Any:
        raise ValueError(f"is of the kind {kind}, which is no {inner.__name__}")

    return refuse


def optional(hint: Any) -> tuple[Any, bool]:
    """The type without `| None`, and whether that was there."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        some = [argument for argument in typing.get_args(hint) if argument is not type(None)]
        if len(some) == 1:
            return some[0], True
    return hint, False


class Field(NamedTuple):
    """One field of a record that rows are read into."""

    name: str
    hint: Any
    required: bool
    positional: bool


_records: dict[type, list[Field]] = {}


def record(kind: type) -> list[Field]:
    """A dataclass's or NamedTuple's fields."""
    fields = _records.get(kind)
    if fields is None:
        hints = typing.get_type_hints(kind)
        if dataclasses.is_dataclass(kind):
            absent = dataclasses.MISSING
            fields = [
                Field(
                    field.name,
                    _exact(hints[field.name]),
                    field.default is absent and field.default_factory is absent,
                    not field.kw_only,
                )
                for field in dataclasses.fields(kind)
                if field.init
            ]
        elif isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
            fields = [Field(name, _exact(hints[name]), name not in kind._field_defaults, True) for name in kind._fields]
        else:
            raise TypeError(f"rows are read into a dataclass or a NamedTuple; {kind!r} is neither")
        _records[kind] = fields
    return fields


def _exact(hint: Any) -> Any:
    """`Exact | None` is read as `Exact` is, which knows NULL."""
    return Exact if optional(hint)[0] is Exact else hint
