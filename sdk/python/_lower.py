"""Turns what an exported function answers into what its WIT type takes, or says what is wrong with it.

The toolchain's own code ends the plugin without a word where an answer is of another type.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from decimal import Decimal
from enum import Enum, Flag
from typing import Any, Optional, Union

from . import decimals

# None where the value goes as it is.
Lowering = Optional[Callable[[Any], Any]]


def lowering(annotation: Any, where: str) -> Lowering:
    """The conversion into the type that bindings annotate so; `where` begins its errors: ``Ledger.deposit answers``."""
    if annotation in _PRIMITIVES:
        return _primitive(annotation, where)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list:
        return _list(lowering(arguments[0], where), where)
    if origin is tuple:
        return _tuple([lowering(argument, where) for argument in arguments], where)
    if origin in (Union, types.UnionType):
        some = [argument for argument in arguments if argument is not type(None)]
        inner = lowering(some[0], where) if len(some) == 1 else _variant(some, where)
        return _option(inner) if len(some) < len(arguments) else inner
    if isinstance(annotation, type):
        if issubclass(annotation, Flag):
            return None
        if issubclass(annotation, Enum):
            return _enum(annotation, where)
        if dataclasses.is_dataclass(annotation):
            return _record(annotation, where)
    return None


_PRIMITIVES = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    bytes: "bytes",
    type(None): "None",
}


def _primitive(kind: type, where: str) -> Callable[[Any], Any]:
    def lower(value: Any) -> Any:
        if type(value) is kind:
            return value
        if kind is str:
            if isinstance(value, Decimal):
                return decimals.text(value)
            if isinstance(value, str):
                return value
        elif kind is float and type(value) is int:
            return float(value)
        elif kind is bytes and isinstance(value, (bytearray, memoryview)):
            return bytes(value)
        elif kind is int and isinstance(value, int) and not isinstance(value, bool):
            return int(value)
        raise TypeError(f"{where} {value!r}; it must be {_PRIMITIVES[kind]}")

    return lower


def _option(inner: Lowering) -> Lowering:
    if inner is None:
        return None
    return lambda value: None if value is None else inner(value)


def _list(inner: Lowering, where: str) -> Callable[[Any], Any]:
    def lower(value: Any) -> Any:
        if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
            raise TypeError(f"{where} {value!r}; it must be a list")
        if inner is None:
            return value if type(value) is list else list(value)
        return [inner(item) for item in value]

    return lower


def _tuple(inner: list[Lowering], where: str) -> Callable[[Any], Any]:
    def lower(value: Any) -> Any:
        if not isinstance(value, (tuple, list)) or len(value) != len(inner):
            raise TypeError(f"{where} {value!r}; it must be a tuple of {len(inner)}")
        return tuple(item if lower is None else lower(item) for lower, item in zip(inner, value))

    return lower


def _record(record: type, where: str) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(record)
    fields = [
        (field.name, lowering(hints[field.name], f"{where} a {record.__name__} whose `{field.name}` is"))
        for field in dataclasses.fields(record)
    ]

    def lower(value: Any) -> Any:
        try:
            return record(
                *[getattr(value, name) if lower is None else lower(getattr(value, name)) for name, lower in fields]
            )
        except AttributeError:
            missing = ", ".join(f"`{name}`" for name, _ in fields if not hasattr(value, name))
            raise TypeError(f"{where} {value!r}; a {record.__name__} has {missing}, too") from None

    return lower


def _enum(enum: type[Enum], where: str) -> Callable[[Any], Any]:
    names = {member.name.lower().replace("_", "-"): member for member in enum}

    def lower(value: Any) -> Any:
        if type(value) is enum:
            return value
        name = value.name if isinstance(value, Enum) else value
        member = names.get(name.lower().replace("_", "-")) if isinstance(name, str) else None
        if member is None:
            raise TypeError(f"{where} {value!r}; it must be one of {', '.join(names)}")
        return member

    return lower


def _variant(cases: list[type], where: str) -> Callable[[Any], Any]:
    payloads = {}
    for annotation in cases:
        # `Ok[int]` and `Err[str]` say of what they are, the others' classes do.
        case, arguments = typing.get_origin(annotation) or annotation, typing.get_args(annotation)
        hint = typing.get_type_hints(case).get("value") if dataclasses.is_dataclass(case) else None
        payloads[case] = lowering(arguments[0] if arguments else hint, f"{where} a {case.__name__} of")

    def lower(value: Any) -> Any:
        if type(value) not in payloads:
            raise TypeError(f"{where} {value!r}; it must be one of {', '.join(case.__name__ for case in payloads)}")
        payload = payloads[type(value)]
        return value if payload is None else type(value)(payload(value.value))

    return lower
