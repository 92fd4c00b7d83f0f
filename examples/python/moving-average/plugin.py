"""Trades when the average of the last few closes crosses the average of more of them; sizes and prices of orders are
not its business."""

from poolhouse import Failure, export
from poolhouse.strategy import Bar, Description, Parameters, PerSymbol, Signal, Strategy, Window, integer

# Most bars of the slow average; what is remembered of a symbol is at most twice as many numbers.
MAX_BARS = 10_000


class Seen:
    """What is remembered of one symbol."""

    def __init__(self, bars: int) -> None:
        self.closes = Window(bars)
        # Fast average minus slow average at the bar before; none until there is a slow average.
        self.difference: float | None = None


@export
class MovingAverage(Strategy):
    """Buys when the fast average rises above the slow one, sells when it falls below."""

    description = Description(
        "Buys when the fast moving average of closes crosses above the slow one, sells when it crosses below.",
        integer("fast", "Bars of the fast average; fewer than slow", minimum=1, maximum=MAX_BARS - 1),
        integer("slow", "Bars of the slow average", minimum=2, maximum=MAX_BARS),
    )

    def __init__(self, parameters: Parameters) -> None:
        self.fast = parameters.integer("fast")
        self.slow = parameters.integer("slow")
        if self.fast < 1:
            raise Failure(f"parameter `fast` is {self.fast}; it must be 1 or more")
        if self.slow <= self.fast:
            raise Failure(f"parameter `fast` is {self.fast} and `slow` is {self.slow}; fast must be less than slow")
        if self.slow > MAX_BARS:
            raise Failure(f"parameter `slow` is {self.slow}; it must be {MAX_BARS} or less")
        self.seen = PerSymbol(lambda: Seen(self.slow))

    def warm_up_bars(self) -> int:
        # `slow` closes give the window and with it the newest difference; one bar more repeats the newest signal too.
        return self.slow + 1

    def on_bar(self, bar: Bar) -> list[Signal]:
        seen = self.seen[bar.symbol]
        seen.closes.push(bar.close)
        fast = seen.closes.mean_of_newest(self.fast)
        slow = seen.closes.mean_of_newest(self.slow)
        if fast is None or slow is None:
            return []
        before, now = seen.difference, fast - slow
        seen.difference = now
        if before is None:
            return []
        if before <= 0.0 and now > 0.0:
            return [Signal.buy()]
        if before >= 0.0 and now < 0.0:
            return [Signal.sell()]
        return []
