"""Columns in the contract's layout, which is Arrow's: made of Python's values, and read cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import accumulate, islice
from types import ModuleType
from typing import Any
from uuid import UUID

from ._values import EPOCH, EPOCH_DAY, KINDS, Exact, Json, conversion

# What stands at a null, for kinds that are not packed.
_ZEROS = {"boolean": False, "int64": 0, "float64": 0.0, "uuid": 0, "date": 0, "time": 0, "timestamp": 0}

_TEXTS = ("decimal", "text", "json")
_PLAIN = ("boolean", "int64", "float64")

_types: Any = None
_kinds: dict[type, str] = {}


def bind(types: ModuleType) -> None:
    """Takes the classes of the contract's `values`."""
    global _types
    _types = types
    _kinds.update((getattr(types, f"Values_{kind.capitalize()}"), kind) for kind in KINDS)


def pack(values: Sequence[Any], kind: str | None, what: str) -> Any:
    """The contract's column of the values; the kind is theirs, unless it is given. `what` names one of them in errors.

    Raises `ValueError` or `TypeError` where they are not all of one kind, integers among decimals excepted.
    """
    kinds, converted = [], []
    for number, value in enumerate(values, 1):
        if value is None:
            converted.append(None)
            kinds.append(None)
            continue
        try:
            own, convert = conversion(value)
            converted.append(convert(value) if own else value.value)
            kinds.append(own or value.kind)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{what} {number}: {error}") from None
    present = set(kinds) - {None}
    if kind is None:
        kind = "decimal" if present == {"int64", "decimal"} else next((own for own in kinds if own), "text")
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind; it is one of {', '.join(KINDS)}")
    if present - {kind}:
        _agree(values, kinds, converted, kind, what)
    validity = _validity(converted) if None in converted else b""
    return _types.Column(validity, getattr(_types, f"Values_{kind.capitalize()}")(_laid_out(converted, kind)))


def _agree(values: Sequence[Any], kinds: list[str | None], converted: list[Any], kind: str, what: str) -> None:
    """Makes decimals of integers; whatever else is of another kind is an error."""
    for at, own in enumerate(kinds):
        if own == "int64" and kind == "decimal":
            converted[at] = str(converted[at])
        elif own is not None and own != kind:
            raise TypeError(
                f"{what} {at + 1} is {values[at]!r}, of the kind {own}, among others of the kind {kind}; make them all alike"
            )


def _validity(values: list[Any]) -> bytes:
    """One bit a value, least significant first, 0 = null."""
    present = [value is not None for value in values]
    return bytes(
        sum(bit << at for at, bit in enumerate(present[start : start + 8])) for start in range(0, len(present), 8)
    )


def _laid_out(values: list[Any], kind: str) -> Any:
    if kind in _ZEROS:
        zero = _ZEROS[kind]
        plain = [zero if value is None else value for value in values]
        if kind == "uuid":
            uuid = _types.Uuid
            return [uuid(number >> 64, number & (2**64 - 1)) for number in plain]
        return plain
    empty = b""
    data = [empty if value is None else value.encode() if kind in _TEXTS else value for value in values]
    return _types.Packed(list(accumulate(map(len, data), initial=0)), empty.join(data))


class Column:
    """One column of a result. A cell is decoded when it is asked for."""

    __slots__ = ("kind", "cell", "exact", "_column")

    def __init__(self, column: Any) -> None:
        values = column.values
        self._column = column
        self.kind: str = _kinds[type(values)]
        raw = _RAW.get(self.kind, _plain)(values.value)
        decode = _DECODE.get(self.kind)
        validity = column.validity
        self.cell: Callable[[int], Any] = _nullable(raw if decode is None else lambda at: decode(raw(at)), validity)
        """The row's value, counted from 0. Raises `ValueError` or `OverflowError` where Python's type can't hold it."""
        kind = self.kind
        self.exact: Callable[[int], Any] = _nullable(lambda at: Exact(kind, raw(at)), validity)
        """The row's value as the contract has it."""

    def cells(self, count: int) -> list[Any]:
        """All so many values at once. Raises as `cell` does."""
        column = self._column
        values = column.values.value
        if column.validity:
            return list(map(self.cell, range(count)))
        if self.kind in _PLAIN:
            return list(values)
        if self.kind in _TEXTS:
            offsets, text = values.offsets, values.data.decode()
            # Where each character is a byte, the text is cut as the bytes would be.
            if len(text) == len(values.data):
                texts = map(text.__getitem__, map(slice, offsets, islice(offsets, 1, None)))
                return list(texts if self.kind == "text" else map(_DECODE[self.kind], texts))
        return list(map(self.cell, range(count)))


def _nullable(read: Callable[[int], Any], validity: bytes) -> Callable[[int], Any]:
    if not validity:
        return read
    return lambda at: read(at) if validity[at >> 3] >> (at & 7) & 1 else None


def _plain(values: list[Any]) -> Callable[[int], Any]:
    return values.__getitem__


def _texts(packed: Any) -> Callable[[int], str]:
    offsets, data = packed.offsets, packed.data
    return lambda at: data[offsets[at] : offsets[at + 1]].decode()


def _bytes(packed: Any) -> Callable[[int], bytes]:
    offsets, data = packed.offsets, packed.data
    return lambda at: data[offsets[at] : offsets[at + 1]]


def _uuids(values: list[Any]) -> Callable[[int], int]:
    return lambda at: values[at].high << 64 | values[at].low


_RAW: dict[str, Callable[[Any], Callable[[int], Any]]] = {
    "decimal": _texts,
    "text": _texts,
    "json": _texts,
    "bytes": _bytes,
    "uuid": _uuids,
}


def _time(microseconds: int) -> time:
    seconds, microsecond = divmod(microseconds, 1_000_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return time(hour, minute, second, microsecond)


_DECODE: dict[str, Callable[[Any], Any]] = {
    "decimal": Decimal,
    "json": Json,
    "uuid": lambda number: UUID(int=number),
    "date": lambda days: date.fromordinal(days + EPOCH_DAY),
    "time": _time,
    "timestamp": lambda microseconds: EPOCH + timedelta(microseconds=microseconds),
}
