"""Whether what a plugin's function answers fits its WIT type, of which the bindings tell neither how large an integer may be nor
that a text must be UTF-8. The build hands the types over, as `host/authoring/src/signatures.rs` writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ._texts import utf8

_INTEGERS = {
    f"{sign}{bits}": (0, 2**bits - 1) if sign == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    for sign in "us"
    for bits in (8, 16, 32, 64)
}


def checked(where: str, shape: Any, value: Any) -> Any:
    """The value, which has the types of the bindings already. Raises `TypeError` where it does not fit the shape."""
    for kind, part in _parts(shape, value):
        if kind == "string":
            try:
                utf8(part)
            except ValueError as error:
                raise TypeError(f"{where} {error}") from None
            continue
        least, most = _INTEGERS[kind]
        if not least <= part <= most:
            raise TypeError(f"{where} {part}; it must be a whole number from {least} to {most}")
    return value


def _parts(shape: Any, value: Any) -> Iterator[tuple[str, Any]]:
    """The integers and texts in a value."""
    if value is None or shape is None:
        return
    if isinstance(shape, str):
        # Bytes are a list of u8 to WIT and fit as they are.
        if shape == "string" or shape in _INTEGERS:
            yield shape, value
        return
    ((kind, inner),) = shape.items()
    if kind == "option":
        # The bindings have a `Some` where an option is an option's.
        is_nested = isinstance(inner, dict) and "option" in inner
        yield from _parts(inner, value.value if is_nested else value)
    elif kind == "list" and not isinstance(value, bytes):
        for item in value:
            yield from _parts(inner, item)
    elif kind == "tuple":
        for part, item in zip(inner, value):
            yield from _parts(part, item)
    elif kind == "record":
        for name, part in inner.items():
            # A name that is a word of Python's has another there.
            yield from _parts(part, getattr(value, name.replace("-", "_"), None))
    elif kind == "result":
        yield from _parts(inner["ok" if type(value).__name__ == "Ok" else "err"], getattr(value, "value", None))
    elif kind == "variant":
        cases = {name.replace("-", "").lower(): part for name, part in inner.items()}
        case = type(value).__name__.rpartition("_")[2].lower()
        yield from _parts(cases.get(case), getattr(value, "value", None))
