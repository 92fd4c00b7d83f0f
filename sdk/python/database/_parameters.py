"""A statement's parameters, as the contract has them; how the database takes them, the host decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any

from ._columns import pack
from ._errors import ParameterError
from ._values import CONVERSIONS, KINDS, Array, Exact, conversion

_makers: dict[str, Callable[[Any], Any]] = {}
_null: Any = None
_array: Any = None


def bind(types: ModuleType) -> None:
    """Takes the classes of the contract's `value`."""
    global _null, _array
    _null, _array = types.Value_Null(), types.Value_Array
    for kind in KINDS:
        _makers[kind] = getattr(types, f"Value_{kind.capitalize()}")
    value_uuid, uuid = types.Value_Uuid, types.Uuid
    _makers["uuid"] = lambda number: value_uuid(uuid(number >> 64, number & (2**64 - 1)))


def to_values(params: Sequence[Any]) -> list[Any]:
    """The contract's values for a statement's parameters.

    Raises `ParameterError`, which names the placeholder.
    """
    if not params:
        return []
    check(params)
    values = []
    for value in params:
        if value is None:
            values.append(_null)
            continue
        try:
            values.append(_to_value(value))
        except (TypeError, ValueError) as error:
            raise ParameterError(f"parameter ${len(values) + 1}: {error}") from None
    return values


def check(params: Any) -> None:
    """Refuses what was meant as a list of one."""
    if isinstance(params, (str, bytes, dict, Exact)) or not isinstance(params, Iterable):
        raise ParameterError(f"the parameters are {params!r}; pass a list with one value for each placeholder")


def _to_value(value: Any) -> Any:
    found = CONVERSIONS.get(type(value))
    if found is None:
        if isinstance(value, (list, tuple, Array)):
            return _array(_array_column(value))
        found = conversion(value)
    kind, convert = found
    if kind:
        return _makers[kind](convert(value))
    if value.value is None:
        return _null
    if value.kind not in _makers:
        raise ValueError(f"{value!r} is of no kind; it is one of {', '.join(KINDS)}")
    return _makers[value.kind](value.value)


def _array_column(value: Any) -> Any:
    array = value if isinstance(value, Array) else Array(value)
    if array.kind is None and all(element is None for element in array.values):
        raise ValueError(
            f'{array.values!r} does not say what it is a list of; pass Array(the list, kind), such as Array([], "int64")'
        )
    return pack(array.values, array.kind, "element")


def to_columns(rows: Iterable[Sequence[Any]], kinds: Sequence[str | None] | None) -> list[Any]:
    """The contract's columns for the rows of `execute_many`, one for each placeholder; none for no rows.

    Raises `ParameterError`, which names placeholder and row.
    """
    rows = list(rows)
    if not rows:
        return []
    for row in rows:
        check(row)
    width = len(kinds) if kinds is not None else len(rows[0])
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            raise ParameterError(
                f"row {number} has {len(row)} values, and {width} are needed; give each row one for each placeholder"
            )
    columns = []
    for at, values in enumerate(zip(*rows)):
        try:
            columns.append(pack(values, kinds[at] if kinds else None, "row"))
        except (TypeError, ValueError) as error:
            raise ParameterError(f"parameter ${at + 1}: {error}") from None
    return columns
