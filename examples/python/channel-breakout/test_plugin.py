"""The strategy against its definition, natively; the host is not needed. Run `python3 -m unittest` in this folder."""

import random
import unittest

from poolhouse import Failure
from poolhouse.strategy import Bar, Parameters, Side

from plugin import ChannelBreakout

# High, low, close.
Prices = tuple[float, float, float]


def signals(strategy: ChannelBreakout, symbol: str, series: list[Prices]) -> list[list[Side]]:
    bars = (Bar(symbol, time, close, high, low, close, 1.0) for time, (high, low, close) in enumerate(series))
    return [[signal.side for signal in strategy.on_bar(bar)] for bar in bars]


def definition(lookback: int, series: list[Prices]) -> list[list[Side]]:
    """What the strategy is to say, worked out over the whole series with nothing remembered."""

    def above(at: int) -> bool:
        return at >= lookback and all(series[at][2] > high for high, _, _ in series[at - lookback : at])

    def below(at: int) -> bool:
        return at >= lookback and all(series[at][2] < low for _, low, _ in series[at - lookback : at])

    return [
        [Side.BUY] * (above(at) and not above(at - 1)) + [Side.SELL] * (below(at) and not below(at - 1))
        for at in range(len(series))
    ]


def walk(seed: int, bars: int) -> list[Prices]:
    """Prices in steps of 0.5, so that closes are often equal to the channel's edge."""
    steps, close, series = random.Random(seed), 100.0, []
    for _ in range(bars):
        close += steps.randint(-4, 4) * 0.5
        series.append((close + steps.randint(0, 2) * 0.5, close - steps.randint(0, 2) * 0.5, close))
    return series


class ChannelBreakoutTest(unittest.TestCase):
    def test_only_the_first_close_outside_trades(self):
        series = [(price, price, price) for price in (10.0, 10.0, 11.0, 12.0, 12.0, 13.0, 9.0, 8.0)]
        said = signals(ChannelBreakout(Parameters(lookback=2)), "A", series)
        self.assertEqual(said, [[], [], [Side.BUY], [], [], [Side.BUY], [Side.SELL], []])

    def test_it_agrees_with_its_definition(self):
        for seed in range(20):
            for lookback in (1, 2, 7, 20, 55):
                series = walk(seed, 300)
                strategy = ChannelBreakout(Parameters(lookback=lookback))
                self.assertEqual(signals(strategy, "A", series), definition(lookback, series))

    def test_symbols_are_kept_apart(self):
        strategy = ChannelBreakout(Parameters(lookback=5))
        series = {"A": walk(1, 200), "B": walk(2, 200)}
        said = {"A": [], "B": []}
        for prices in zip(series["A"], series["B"]):
            for symbol, each in zip("AB", prices):
                said[symbol] += signals(strategy, symbol, [each])
        for symbol, prices in series.items():
            self.assertEqual(said[symbol], definition(5, prices))

    def test_the_warm_up_rebuilds_everything(self):
        series = walk(3, 400)
        whole = definition(4, series)
        for end in range(5, len(series), 13):
            strategy = ChannelBreakout(Parameters(lookback=4))
            signals(strategy, "A", series[end - strategy.warm_up_bars() : end])
            self.assertEqual(signals(strategy, "A", series[end:]), whole[end:])

    def test_wrong_parameters_are_sentences(self):
        for lookback in (0, 10_001):
            with self.assertRaisesRegex(Failure, "from 1 to 10000"):
                ChannelBreakout(Parameters(lookback=lookback))


if __name__ == "__main__":
    unittest.main()
