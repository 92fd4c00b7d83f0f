"""Trades when the close leaves the channel between the highest high and the lowest low of the bars before it; sizes and
prices of orders are not its business."""

from poolhouse import Failure, export
from poolhouse.strategy import Bar, Description, Parameters, PerSymbol, Signal, Strategy, Window, integer

# Most bars of the channel; what is remembered of a symbol is at most four times as many numbers.
MAX_BARS = 10_000


class Seen:
    """What is remembered of one symbol."""

    def __init__(self, bars: int) -> None:
        self.highs = Window(bars)
        self.lows = Window(bars)
        # Whether the bar before closed above, or below, its own channel.
        self.above = False
        self.below = False


@export
class ChannelBreakout(Strategy):
    """Buys at the first close above the channel, sells at the first close below it."""

    description = Description(
        "Buys when the close breaks above the highest high of the bars before it, "
        "sells when it breaks below the lowest low.",
        integer("lookback", "Bars of the channel, the newest bar not among them", minimum=1, maximum=MAX_BARS),
    )

    def __init__(self, parameters: Parameters) -> None:
        self.lookback = parameters.integer("lookback")
        if not 1 <= self.lookback <= MAX_BARS:
            raise Failure(f"parameter `lookback` is {self.lookback}; it must be from 1 to {MAX_BARS}")
        self.seen = PerSymbol(lambda: Seen(self.lookback))

    def warm_up_bars(self) -> int:
        # The channel, and one bar that tells whether the newest one was outside its own.
        return self.lookback + 1

    def on_bar(self, bar: Bar) -> list[Signal]:
        seen = self.seen[bar.symbol]
        complete = seen.highs.is_full()
        above = complete and bar.close > seen.highs.maximum()
        below = complete and bar.close < seen.lows.minimum()
        signals = []
        if above and not seen.above:
            signals.append(Signal.buy())
        if below and not seen.below:
            signals.append(Signal.sell())
        seen.highs.push(bar.high)
        seen.lows.push(bar.low)
        seen.above, seen.below = above, below
        return signals
