"""Decimal arithmetic that never rounds by itself; what a decimal stands for is the plugin's business.

Python's `decimal` rounds every sum and product to 28 digits, silently. Importing `poolhouse` takes a context in its place
with 1,000 digits, in which whatever would round raises `decimal.Inexact`: sums, differences and products are exact, and
a division says how many digits are wanted, with `divide`, as does `round_to`.
"""

from __future__ import annotations

import decimal
from decimal import Decimal

DIGITS = 1_000

# Decimals of databases have up to 147,455 digits; one with more, such as 1e999999, is a mistake and would take the memory.
_MOST_DIGITS = 150_000

_TRAPS = [decimal.Inexact, decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow, decimal.FloatOperation]

EXACT = decimal.Context(prec=DIGITS, rounding=decimal.ROUND_HALF_EVEN, traps=_TRAPS)
"""The context that holds in a plugin. Mixing decimals with floats is an error in it, too."""

_ROUNDING = decimal.Context(
    prec=_MOST_DIGITS, traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow]
)

decimal.setcontext(EXACT.copy())


def text(value: Decimal) -> str:
    """The decimal with all its digits and without an exponent, as WIT's `decimal` is written: `1.50`, `100000`.

    Raises `ValueError` where that would take more than 150,000 digits. `NaN` and `Infinity` are written so.
    """
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and (value.adjusted() > _MOST_DIGITS or exponent < -_MOST_DIGITS):
        raise ValueError(f"the decimal {value} has more than {_MOST_DIGITS:,} digits; round it before it is stored")
    return format(value, "f")


def parse(text: str) -> Decimal:
    """The decimal that is written so: optional `-`, digits, optional `.` and digits.

    Raises `ValueError` for everything else, such as exponents, blanks, underscores, `NaN` and infinities, all of which
    `Decimal(text)` takes.
    """
    digits = text[1:] if text.startswith("-") else text
    whole, point, fraction = digits.partition(".")
    if not (_are_digits(whole) and (not point or _are_digits(fraction))):
        raise ValueError(f"`{text}` is no decimal number; write digits, such as -12.50")
    return Decimal(text)


def divide(dividend: Decimal, divisor: Decimal, places: int, rounding: str = decimal.ROUND_HALF_EVEN) -> Decimal:
    """The quotient with so many digits after the point; `rounding` is one of the `decimal.ROUND_…`.

    Raises `ZeroDivisionError` where the divisor is 0.
    """
    if not divisor:
        raise ZeroDivisionError("division by zero; look at the divisor first")
    above, below = dividend.as_integer_ratio(), divisor.as_integer_ratio()
    scale = 10 ** abs(places)
    numerator = abs(above[0] * below[1]) * (scale if places > 0 else 1)
    denominator = abs(above[1] * below[0]) * (scale if places < 0 else 1)
    whole, rest = divmod(numerator, denominator)
    # One digit more stands for all that is left: nothing, less than a half, a half, more than a half.
    left = 0 if not rest else 2 + 3 * ((2 * rest > denominator) + (2 * rest >= denominator))
    quotient = Decimal(whole * 10 + left).scaleb(-1, _ROUNDING)
    if dividend.is_signed() != divisor.is_signed():
        quotient = quotient.copy_negate()
    return quotient.quantize(Decimal(1), rounding, _ROUNDING).scaleb(-places, _ROUNDING)


def round_to(value: Decimal, places: int, rounding: str = decimal.ROUND_HALF_EVEN) -> Decimal:
    """The decimal with so many digits after the point; `rounding` is one of the `decimal.ROUND_…`."""
    return value.quantize(Decimal(1).scaleb(-places), rounding, _ROUNDING)


def _are_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
