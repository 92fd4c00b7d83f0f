"""What a trading strategy is made of; how the host reaches it is the build's business."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from .failure import Failure

if TYPE_CHECKING:
    from typing import ClassVar

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_INT64 = range(-(2**63), 2**63)
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class Side(Enum):
    """Which way an order goes."""

    BUY = 0
    SELL = 1


class Signal(NamedTuple):
    """Asks for one order for each subscribed user, at the bar's close."""

    side: Side

    @staticmethod
    def buy() -> Signal:
        """A signal to buy."""
        return _BUY

    @staticmethod
    def sell() -> Signal:
        """A signal to sell."""
        return _SELL


_BUY = Signal(Side.BUY)
_SELL = Signal(Side.SELL)


class Bar:
    """One bar of one symbol. Prices are finite floats; within a feed times never decrease.

    `time` may be given as a `datetime` with a time zone or as microseconds since 1970-01-01T00:00:00Z.
    """

    __slots__ = ("symbol", "_time", "open", "high", "low", "close", "volume")

    def __init__(
        self, symbol: str, time: datetime | int, open: float, high: float, low: float, close: float, volume: float
    ) -> None:
        self.symbol = symbol
        self._time = time
        self.open = open
        self.high = high
        self.low = low
        self.close = close
        self.volume = volume

    @property
    def time(self) -> datetime:
        """When the bar begins, in UTC.

        Raises `OverflowError` outside of the years 1 to 9999; `microseconds` knows these, too.
        """
        time = self._time
        if isinstance(time, datetime):
            return time
        # Not computed before it is asked for: most strategies never ask.
        return _EPOCH + timedelta(microseconds=time)

    @property
    def microseconds(self) -> int:
        """When the bar begins, in microseconds since 1970-01-01T00:00:00Z."""
        time = self._time
        return time if isinstance(time, int) else (time - _EPOCH) // _MICROSECOND

    def __repr__(self) -> str:
        fields = (f"{name}={getattr(self, name)!r}" for name in ("open", "high", "low", "close", "volume"))
        return f"Bar({self.symbol!r}, {self._time!r}, {', '.join(fields)})"


class ParameterKind(Enum):
    """What a parameter's text is read as."""

    INTEGER = 0
    NUMBER = 1
    TEXT = 2
    BOOLEAN = 3


class Parameter(NamedTuple):
    """A parameter that the strategy takes; `integer`, `number`, `text` and `boolean` make one."""

    name: str
    kind: ParameterKind
    summary: str
    minimum: str | None
    maximum: str | None
    default: str | None


def integer(
    name: str, summary: str, *, minimum: int | None = None, maximum: int | None = None, default: int | None = None
) -> Parameter:
    """A whole number of 64 bits; `minimum` and `maximum` are allowed themselves. Without a default each row gives it."""
    return Parameter(name, ParameterKind.INTEGER, summary, _plain(minimum), _plain(maximum), _plain(default))


def number(
    name: str,
    summary: str,
    *,
    minimum: float | Decimal | None = None,
    maximum: float | Decimal | None = None,
    default: float | Decimal | None = None,
) -> Parameter:
    """A decimal number; `minimum` and `maximum` are allowed themselves. Without a default each row gives it."""
    return Parameter(name, ParameterKind.NUMBER, summary, _plain(minimum), _plain(maximum), _plain(default))


def text(name: str, summary: str, *, default: str | None = None) -> Parameter:
    """A text. Without a default each row gives it."""
    return Parameter(name, ParameterKind.TEXT, summary, None, None, default)


def boolean(name: str, summary: str, *, default: bool | None = None) -> Parameter:
    """`true` or `false`. Without a default each row gives it."""
    return Parameter(
        name, ParameterKind.BOOLEAN, summary, None, None, None if default is None else str(default).lower()
    )


def _plain(number: float | Decimal | None) -> str | None:
    """A number without an exponent, as the contract has it."""
    if number is None:
        return None
    # The shortest decimal that reads back as the float, then without `e`.
    return format(Decimal(repr(number)) if isinstance(number, float) else Decimal(number), "f")


class Description:
    """What a strategy is: one line for a person, and its parameters. The host checks rows against it."""

    __slots__ = ("summary", "parameters")

    def __init__(self, summary: str, *parameters: Parameter) -> None:
        names = [parameter.name for parameter in parameters]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the description names the parameter `{name}` twice; take one away")
        self.summary = summary
        self.parameters = list(parameters)


class Parameters:
    """One row's parameters. Every error is a `Failure` that names the parameter.

    The host has checked names, kinds and ranges against the description and filled in the defaults. A test makes them
    of texts or of Python's values: `Parameters(fast=10, slow=30)`, or `Parameters({"fast": "10"})`.
    """

    __slots__ = ("_texts",)

    def __init__(self, texts: Mapping[str, Any] | Iterable[tuple[str, Any]] = (), /, **more: Any) -> None:
        self._texts = {name: _written(value) for name, value in {**dict(texts), **more}.items()}

    def integer(self, name: str) -> int:
        """A whole number of 64 bits."""
        text = self.text(name)
        if not _INTEGER.fullmatch(text):
            raise Failure(f"parameter `{name}` is `{text}`; it must be a whole number")
        value = int(text)
        if value not in _INT64:
            raise Failure(f"parameter `{name}` is {text}, which is out of range")
        return value

    def number(self, name: str) -> float:
        """A finite floating-point number."""
        text = self.text(name)
        try:
            # Python's digits may have underscores between them, the contract's not.
            value = float(text.replace("_", "x"))
        except ValueError:
            raise Failure(f"parameter `{name}` is `{text}`; it must be a number") from None
        if not math.isfinite(value):
            raise Failure(f"parameter `{name}` is `{text}`; it must be a finite number")
        return value

    def decimal(self, name: str) -> Decimal:
        """An exact decimal number."""
        text = self.text(name)
        if not _DECIMAL.fullmatch(text):
            raise Failure(f"parameter `{name}` is `{text}`; it must be a decimal number")
        return Decimal(text)

    def text(self, name: str) -> str:
        """The text as written."""
        try:
            return self._texts[name]
        except KeyError:
            raise Failure(f"parameter `{name}` is missing; give it in the strategy row") from None

    def boolean(self, name: str) -> bool:
        """`true` or `false`."""
        text = self.text(name)
        if text not in ("true", "false"):
            raise Failure(f"parameter `{name}` is `{text}`; it must be `true` or `false`")
        return text == "true"


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Strategy:
    """A trading strategy: a subclass with `@poolhouse.export` before it.

    The host makes one for each enabled strategy row, in a sandbox of its own, and feeds it the bars of the row's symbols
    in time order. Keep what is remembered apart by symbol (`PerSymbol`): a row may watch several.
    """

    description: ClassVar[Description]
    """What the strategy is and which parameters it takes."""

    def __init__(self, parameters: Parameters) -> None:
        """Raise a `Failure` where the parameters don't go together: which one, what is wrong, what is allowed."""

    def warm_up_bars(self) -> int:
        """How many bars of one symbol, newest last, are enough to rebuild everything that `on_bar` remembers of it."""
        raise NotImplementedError(f"{type(self).__name__} has no warm_up_bars")

    def on_bar(self, bar: Bar) -> list[Signal]:
        """Answers signals to the next bar. A `Failure` fails this bar alone; three in a row set the strategy row aside."""
        raise NotImplementedError(f"{type(self).__name__} has no on_bar")


class PerSymbol(dict, Generic[T]):
    """One `T` for each symbol seen so far, made by `make` when the symbol is asked for the first time."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, symbol: str) -> T:
        made = self[symbol] = self._make()
        return made


class _Sum(float):
    """A start for `sum` that makes it add one number after the other.

    From a plain float `sum` compensates for rounding since Python 3.12, and the result would be another one than that of
    strategies in other languages.
    """

    __slots__ = ()


_ZERO = _Sum(0.0)


class Window:
    """The last `length` numbers pushed, oldest first; a length below 1 is taken as 1."""

    __slots__ = ("_numbers", "_length")

    def __init__(self, length: int) -> None:
        # Up to twice `length` numbers, so that most pushes move nothing.
        self._numbers: list[float] = []
        self._length = max(length, 1)

    def push(self, number: float) -> None:
        """Adds the newest number; the oldest goes when the window is full."""
        numbers = self._numbers
        if len(numbers) == 2 * self._length:
            del numbers[: self._length + 1]
        numbers.append(number)

    def is_full(self) -> bool:
        """Whether `length` numbers are there."""
        return len(self._numbers) >= self._length

    def newest(self, count: int) -> list[float]:
        """The newest `count` numbers, oldest first; fewer while fewer are there."""
        count = min(count, self._length)
        return self._numbers[-count:] if count > 0 else []

    def numbers(self) -> list[float]:
        """The numbers, oldest first; fewer than `length` until the window is full."""
        return self._numbers[-self._length :]

    def sum(self) -> float:
        """The sum, taken afresh and oldest first, so that it depends on nothing that has left the window."""
        return float(sum(self.numbers(), _ZERO))

    def maximum(self) -> float:
        """The largest number; negative infinity of an empty window."""
        return max(self.numbers(), default=-math.inf)

    def minimum(self) -> float:
        """The smallest number; infinity of an empty window."""
        return min(self.numbers(), default=math.inf)

    def mean_of_newest(self, count: int) -> float | None:
        """The mean of the newest `count` numbers, summed afresh and oldest first; none while fewer are there."""
        newest = self.newest(count)
        if count <= 0 or len(newest) != count:
            return None
        return sum(newest, _ZERO) / count
